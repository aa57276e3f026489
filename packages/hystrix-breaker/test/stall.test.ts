import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Breaker, type BreakerOptions } from '@loadbearing/hystrix-breaker'
import { Pool } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'

// An upstream in a process of its own, which goes on answering while ours stands still.
const upstream = `
const server = require('node:http').createServer((_, response) => setTimeout(() => response.end('ok'), 20))
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.on('end', () => process.exit()).resume()`

let child: ReturnType<typeof start>
let pool: Pool

function start() {
  return spawn(process.execPath, ['-e', upstream], { stdio: ['pipe', 'pipe', 'inherit'] })
}

beforeAll(async () => {
  child = start()
  const [port] = await once(child.stdout.setEncoding('utf8'), 'data')
  pool = new Pool(`http://127.0.0.1:${String(port).trim()}`, { connections: 20 })
})

afterAll(async () => {
  await pool.close()
  child.stdin.end()
  await once(child, 'close')
})

/** 20 calls, and the process stands still until long after their time limit, with their answers in its buffers. */
async function standStill(
  options: BreakerOptions,
): Promise<{ own: Breaker; lags: number; answered: number }> {
  const own = new Breaker({ timeout: 200, ...options })
  let lags = 0
  own.on('lag', () => lags++)
  const get = async (): Promise<void> => {
    const { body } = await pool.request({ path: '/', method: 'GET' })
    await body.dump()
  }
  await Promise.all(Array.from({ length: 20 }, get))
  const calls = Array.from({ length: 20 }, () => own.execute(get))
  // The requests leave.
  await new Promise((resolve) => setImmediate(resolve))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
  const settled = await Promise.allSettled(calls)
  return { own, lags, answered: settled.filter(({ status }) => status === 'fulfilled').length }
}

test('19: the loop is blocked, the upstream is not: with the guard nothing is lost, without it the circuit opens', async () => {
  const guarded = await standStill({ lagTolerance: 500 })
  expect(guarded.lags).toBeGreaterThan(0)
  expect(guarded.answered).toBe(20)
  expect(guarded.own.state).toBe('closed')
  expect(guarded.own.counts).toMatchObject({ total: 20, failures: 0 })
  const blind = await standStill({ lagTolerance: false })
  expect(blind).toMatchObject({ lags: 0, answered: 0 })
  expect(blind.own.state).toBe('open')
  await guarded.own[Symbol.asyncDispose]()
  await blind.own[Symbol.asyncDispose]()
})
