import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Breaker, type BreakerOptions } from '@loadbearing/hystrix-breaker'
import { Pool } from 'undici'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

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

async function get(): Promise<void> {
  const { body } = await pool.request({ path: '/', method: 'GET' })
  await body.dump()
}

/** The process stands still for a second, from when the requests have left, with their answers in its buffers. */
async function standStill(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
}

/** 20 calls, and a stall that is far longer than they may take. */
async function callWhileBlocked(
  options: BreakerOptions,
): Promise<{ own: Breaker; lags: number; answered: number }> {
  const own = new Breaker({ timeout: 200, ...options })
  let lags = 0
  own.on('lag', () => lags++)
  await Promise.all(Array.from({ length: 20 }, get))
  const calls = Array.from({ length: 20 }, () => own.execute(get))
  await standStill()
  const settled = await Promise.allSettled(calls)
  return { own, lags, answered: settled.filter(({ status }) => status === 'fulfilled').length }
}

test('19: the loop is blocked, the upstream is not: with the guard nothing is lost, without it the circuit opens', async () => {
  const guarded = await callWhileBlocked({ lagTolerance: 500 })
  expect(guarded.lags).toBeGreaterThan(0)
  expect(guarded.answered).toBe(20)
  expect(guarded.own.state).toBe('closed')
  expect(guarded.own.counts).toMatchObject({ total: 20, failures: 0 })
  const blind = await callWhileBlocked({ lagTolerance: false })
  expect(blind).toMatchObject({ lags: 0, answered: 0 })
  expect(blind.own.state).toBe('open')
  await guarded.own[Symbol.asyncDispose]()
  await blind.own[Symbol.asyncDispose]()
})

test('19: nor does it make the calls slow', async () => {
  const options = { timeout: false, slow: { over: 400, rate: 0.5 } } as const
  const guarded = await callWhileBlocked({ ...options, lagTolerance: 100 })
  expect(guarded).toMatchObject({ lags: 1, answered: 20 })
  expect(guarded.own.counts).toEqual({ total: 20, failures: 0, slow: 0 })
  const blind = await callWhileBlocked({ ...options, lagTolerance: false })
  expect(blind).toMatchObject({ lags: 0, answered: 20 })
  expect(blind.own.state).toBe('open')
  await guarded.own[Symbol.asyncDispose]()
  await blind.own[Symbol.asyncDispose]()
})

test.each([
  ['with the guard its answer closes the circuit', 100, 'closed'],
  ['without it, it comes too late', false, 'open'],
] as const)('19: the loop is blocked beyond the lease of a probe: %s', async (_, lagTolerance, state) => {
  await using own = new Breaker({
    timeout: false,
    volumeThreshold: 1,
    sleepWindow: 1,
    probeTimeout: 400,
    lagTolerance,
  })
  await get()
  await own.execute(() => Promise.reject(new Error('broken'))).catch(() => {})
  await vi.waitFor(() => expect(own.circuit.refusal(performance.now())).toBeUndefined())
  const probe = own.execute(get)
  expect(own.state).toBe('half-open')
  await standStill()
  await probe
  expect(own.circuit.state(performance.now())).toBe(state)
})
