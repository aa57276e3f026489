import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

const patienceMs = 2_000
const replyLimit = 65_536

/**
 * Connects, says `question` and gives what comes back to `judge` until that knows. False where nobody listens, the
 * connection ends, or 2 s pass.
 */
export function ask(
  host: string,
  port: number,
  question: string | Buffer,
  judge: (reply: Buffer) => boolean | undefined,
): Promise<boolean> {
  return new Promise((resolve) => {
    let reply = Buffer.alloc(0)
    const socket = connect({ host, port, timeout: patienceMs })
    const conclude = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.on('connect', () => socket.write(question))
    socket.on('data', (data: Buffer) => {
      reply = Buffer.concat([reply, data])
      const verdict = judge(reply)
      if (verdict !== undefined) conclude(verdict)
      else if (reply.length > replyLimit) conclude(false)
    })
    socket.on('timeout', () => conclude(false))
    socket.on('error', () => conclude(false))
    socket.on('close', () => conclude(false))
  })
}

/**
 * A port of loopback where nobody listens, below the range from which systems give ports to outgoing connections, so
 * that it stays free while its server is down.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000)
    if (await isFree(port)) return port
  }
}

export async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  server.listen({ host: '127.0.0.1', port, exclusive: true })
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
