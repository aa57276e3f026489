import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { eventually } from '@loadbearing/harness/faults'
import { Breaker, type BreakerOptions } from '@loadbearing/hystrix-breaker'
import { Pool } from 'undici'
import { afterAll, beforeAll, expect, test } from 'vitest'

// An upstream in a thread of its own, which goes on while ours stands still: it answers, or holds what it has received.
const upstream = `
const { parentPort, workerData } = require('node:worker_threads')
const counts = new Int32Array(workerData)
const [holds, received, answered] = [0, 1, 2]
const held = []
const server = require('node:http').createServer((_, response) => {
  held.push(response)
  Atomics.add(counts, received, 1)
})
setInterval(() => {
  if (Atomics.load(counts, holds) === 1) return
  for (const response of held.splice(0))
    response.end('ok', () => {
      Atomics.add(counts, answered, 1)
      Atomics.notify(counts, answered)
    })
}, 1)
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port))`

const counts = new Int32Array(new SharedArrayBuffer(12))
const [holds, received, answered] = [0, 1, 2]
let worker: Worker
let pool: Pool

beforeAll(async () => {
  worker = new Worker(upstream, { eval: true, workerData: counts.buffer })
  const [port] = await once(worker, 'message')
  pool = new Pool(`http://127.0.0.1:${port}`, { connections: 20 })
})

afterAll(async () => {
  await pool.close()
  await worker.terminate()
})

async function get(): Promise<void> {
  const { body } = await pool.request({ path: '/', method: 'GET' })
  await body.dump()
}

/** Calls of which the process stands still for `ms` while it has their answers in its buffers, unread. */
async function whileBlocked<T>(
  count: number,
  ms: number,
  call: () => Promise<T>,
): Promise<PromiseSettledResult<T>[]> {
  Atomics.store(counts, holds, 1)
  const [before, done] = [Atomics.load(counts, received), Atomics.load(counts, answered)]
  const calls = Array.from({ length: count }, call)
  while (Atomics.load(counts, received) < before + count)
    await new Promise((resolve) => setImmediate(resolve))
  Atomics.store(counts, holds, 0)
  for (let seen = done; seen < done + count; seen = Atomics.load(counts, answered))
    Atomics.wait(counts, answered, seen)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  return Promise.allSettled(calls)
}

/** 20 calls, and a stall that is far longer than they may take; one of the machine, before it, seldom is. */
async function callWhileBlocked(
  options: BreakerOptions,
): Promise<{ own: Breaker; lags: number; answered: number }> {
  const own = new Breaker({ timeout: 900, ...options })
  let lags = 0
  own.on('lag', () => lags++)
  await Promise.all(Array.from({ length: 20 }, get))
  const settled = await whileBlocked(20, 2000, () => own.execute(get))
  return { own, lags, answered: settled.filter(({ status }) => status === 'fulfilled').length }
}

test('19: the loop is blocked, the upstream is not: with the guard nothing is lost, without it the circuit opens', async () => {
  const guarded = await callWhileBlocked({ lagTolerance: 600 })
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
  expect(guarded.lags).toBeGreaterThan(0)
  expect(guarded.answered).toBe(20)
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
  await eventually(() => own.circuit.refusal(performance.now()) === undefined, { every: 1 })
  const probe = (): Promise<void> => {
    const called = own.execute(get)
    expect(own.state).toBe('half-open')
    return called
  }
  expect(await whileBlocked(1, 1000, probe)).toMatchObject([{ status: 'fulfilled' }])
  expect(own.circuit.state(performance.now())).toBe(state)
})
