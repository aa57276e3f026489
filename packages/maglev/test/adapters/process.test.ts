import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { eventually, startChild } from '@loadbearing/harness/faults'
import { expect, test } from 'vitest'
import { portOf } from './backends.ts'

const script = fileURLToPath(new URL('children/proxy.ts', import.meta.url))
const total = 256 * 2 ** 20

/** Sends as much as it is let, and counts. */
function pour(response: ServerResponse, count: (bytes: number) => void): void {
  const chunk = Buffer.alloc(2 ** 16, 'x')
  let left = total
  const write = (): void => {
    while (left > 0) {
      left -= chunk.length
      count(chunk.length)
      if (!response.write(chunk)) return
    }
    response.end()
  }
  response.on('drain', write)
  write()
}

test.each(['tcp', 'http'])(
  '%s: a paused client costs a bounded amount of memory, gets all bytes later, and the closed proxy leaves its process free to end',
  async (kind) => {
    let poured = 0
    const backend = createServer((_, response) => {
      response.writeHead(200, { 'Content-Length': String(total), Connection: 'close' })
      pour(response, (bytes) => {
        poured += bytes
      })
    })
    await once(backend.listen(0, '127.0.0.1'), 'listening')
    await using child = await startChild(script, {
      args: [kind, `127.0.0.1:${portOf(backend)}`],
      execArgv: ['--conditions=@loadbearing/source'],
      ready: 'listening',
    })
    const port = Number(/listening (\d+)/.exec(child.output.stdout)?.[1])
    const memory = async (): Promise<number> => {
      await child.send('memory')
      return Number(await child.message())
    }
    const client: Socket = connect(port, '127.0.0.1').pause()
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    const before = await memory()
    let last = -1
    let still = 0
    await eventually(() => {
      still = poured > 0 && poured === last ? still + 1 : 0
      last = poured
      return still === 20
    })
    expect(poured).toBeLessThan(total / 8)
    expect((await memory()) - before).toBeLessThan(32 * 2 ** 20)
    let read = 0
    client.on('data', (chunk) => {
      read += chunk.length
    })
    client.resume()
    await once(client, 'close')
    expect(read).toBeGreaterThan(total)
    expect((await memory()) - before).toBeLessThan(128 * 2 ** 20)
    await child.send('close')
    expect(JSON.parse(await child.line('active'))).toEqual({ active: 0 })
    expect(await child.exit).toMatchObject({ code: 0, signal: null })
    await new Promise((resolve) => backend.close(resolve))
  },
)
