import { once } from 'node:events'
import { request } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { RouteGuardOptions } from '../../src/adapters/route-guard.ts'
import { AimdLimit, type Breaker, InvalidOptionError, Registry } from '../../src/index.ts'
import { ask } from '../stream/served.ts'
import { steppedClock } from '../stream/stepped-clock.ts'
import { frameworks, type GuardedApp, type Handler, type MakeApp } from './guarded-app.ts'

const refuse: Handler = () => {
  throw new Error('the handler threw')
}

/** A handler that waits for the test. */
function held(): {
  handler: Handler
  arrived: Promise<void>
  signal: () => AbortSignal
  end: (answer: string | number) => void
} {
  const arrived = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<string | number>()
  let signal: AbortSignal | undefined
  return {
    handler: (guarded) => {
      signal = guarded.signal
      arrived.resolve()
      return ended.promise
    },
    arrived: arrived.promise,
    signal: () => {
      if (signal === undefined) throw new TypeError('It has not begun')
      return signal
    },
    end: ended.resolve,
  }
}

async function opened(make: MakeApp, options: RouteGuardOptions = {}) {
  const clock = steppedClock()
  const registry = new Registry()
  const own = typeof options.options === 'object' ? options.options : {}
  const app: GuardedApp = await make({
    registry,
    ...options,
    options: { volumeThreshold: 2, sleepWindow: 2500, clock, ...own },
  })
  return {
    app,
    clock,
    registry,
    get breaker(): Breaker {
      const found = registry.get(app.route)
      if (found === undefined) throw new TypeError('There is no breaker')
      return found
    },
    get: () => ask(`${app.url}/users/42`),
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  }
}

describe.each(frameworks)('%s', (_, make) => {
  test('failures open the circuit, it refuses with Retry-After, half-opens, and closes', async () => {
    await using it = await opened(make)
    expect(await it.get()).toMatchObject({ status: 200, text: 'well' })
    it.app.handler = () => 500
    expect(await it.get()).toMatchObject({ status: 500 })
    expect(it.breaker.state).toBe('open')

    let handled = 0
    it.app.handler = () => {
      handled++
      return 'well'
    }
    it.clock.advance(400)
    const refused = await it.get()
    expect(refused).toMatchObject({ status: 503 })
    expect(refused.headers['retry-after']).toBe('3')
    expect(handled).toBe(0)
    it.clock.advance(2100)
    it.app.handler = refuse
    expect(await it.get()).toMatchObject({ status: 500 })
    expect(it.breaker.state).toBe('open')
    it.clock.advance(2500)
    const probe = held()
    it.app.handler = probe.handler
    const probed = it.get()
    await probe.arrived
    expect(it.breaker.state).toBe('half-open')
    expect(await it.get()).toMatchObject({ status: 503 })
    probe.end('well again')
    expect(await probed).toMatchObject({ status: 200, text: 'well again' })
    expect(it.breaker.state).toBe('closed')
    expect(it.breaker.metrics.total()).toMatchObject({ SUCCESS: 2, FAILURE: 2, SHORT_CIRCUITED: 2 })
  })

  test('answers below 500 count as successes, what is thrown as failed', async () => {
    await using it = await opened(make)
    for (const status of [201, 400, 404, 429]) {
      it.app.handler = () => status
      expect((await it.get()).status).toBe(status)
    }
    expect(it.breaker.counts).toMatchObject({ total: 4, failures: 0 })
    it.app.handler = refuse
    for (let n = 0; n < 4; n++) expect((await it.get()).status).toBe(500)
    expect(it.breaker.state).toBe('open')
  })

  test('a forced-open circuit knows no time to come back', async () => {
    await using it = await opened(make)
    await it.get()
    it.breaker.force('forced-open')
    const refused = await it.get()
    expect(refused.status).toBe(503)
    expect(refused.headers).not.toHaveProperty('retry-after')
  })

  test('a full bulkhead answers 503, who waits is served when a place is free', async () => {
    await using it = await opened(make, { options: { bulkhead: { max: 1, queue: 1 } } })
    const first = held()
    it.app.handler = first.handler
    const one = it.get()
    await first.arrived
    it.app.handler = () => 'the second'
    const two = it.get()
    while (it.breaker.calls.queued === 0) await new Promise((resolve) => setImmediate(resolve))
    expect(await it.get()).toMatchObject({ status: 503 })
    first.end('the first')
    expect(await one).toMatchObject({ text: 'the first' })
    expect(await two).toMatchObject({ text: 'the second' })
    expect(it.breaker.metrics.total()).toMatchObject({ SUCCESS: 2, THREAD_POOL_REJECTED: 1 })
    expect(it.breaker.counts).toMatchObject({ total: 2, failures: 0 })
  })

  test('an answer that takes too long is 504, its signal is aborted, and what comes late changes nothing', async () => {
    await using it = await opened(make, { options: { timeout: 300, volumeThreshold: 1 } })
    const slow = held()
    it.app.handler = slow.handler
    const asked = it.get()
    await slow.arrived
    expect(slow.signal().aborted).toBe(false)
    it.clock.advance(300)
    expect(await asked).toMatchObject({ status: 504 })
    expect(slow.signal().reason).toMatchObject({ code: 'TIMEOUT' })
    expect(it.breaker.state).toBe('open')
    slow.end('too late')
    expect(await it.get()).toMatchObject({ status: 503 })
    it.clock.advance(2500)
    it.app.handler = () => 'well'
    expect(await it.get()).toMatchObject({ status: 200 })
    expect(it.breaker.state).toBe('closed')
  })

  test('a client that goes away counts neither way, and its probe goes to the next one', async () => {
    await using it = await opened(make, { options: { timeout: false } })
    const leave = async (): Promise<void> => {
      const slow = held()
      it.app.handler = slow.handler
      const asked = request(`${it.app.url}/users/42`, { agent: false }).on('error', () => {})
      asked.end()
      await slow.arrived
      const signal = slow.signal()
      asked.destroy()
      if (!signal.aborted) await once(signal, 'abort')
      expect(signal.reason).toMatchObject({ name: 'AbortError' })
      slow.end(500)
    }
    await it.get()
    for (let n = 0; n < 5; n++) await leave()
    expect(it.breaker.counts).toMatchObject({ total: 1, failures: 0 })
    expect(it.breaker.calls).toEqual({ running: 0, queued: 0 })
    it.app.handler = () => 500
    await it.get()
    expect(it.breaker.state).toBe('open')
    it.clock.advance(2500)
    await leave()
    expect(it.breaker.state).toBe('half-open')
    it.app.handler = () => 'well'
    expect(await it.get()).toMatchObject({ status: 200 })
    expect(it.breaker.state).toBe('closed')
  })

  test('a client that goes while it waits takes no place', async () => {
    await using it = await opened(make, { options: { bulkhead: { max: 1, queue: 1 }, timeout: false } })
    const first = held()
    it.app.handler = first.handler
    const one = it.get()
    await first.arrived
    let handled = 0
    it.app.handler = () => `${++handled}`
    const asked = request(`${it.app.url}/users/42`, { agent: false }).on('error', () => {})
    asked.end()
    while (it.breaker.calls.queued === 0) await new Promise((resolve) => setImmediate(resolve))
    asked.destroy()
    while (it.breaker.calls.queued === 1) await new Promise((resolve) => setImmediate(resolve))
    first.end('the first')
    await one
    expect(await it.get()).toMatchObject({ text: '1' })
    expect(handled).toBe(1)
  })

  test('an adaptive limit refuses what is too much, and learns from time-outs', async () => {
    const limit = new AimdLimit({
      initialLimit: 2,
      minLimit: 1,
      maxLimit: 10,
      backoffRatio: 0.5,
      timeout: 5000,
    })
    await using it = await opened(make, { limit: () => limit, options: { timeout: 300, volumeThreshold: 9 } })
    const [one, two] = [held(), held()]
    it.app.handler = one.handler
    const first = it.get()
    await one.arrived
    it.app.handler = two.handler
    const second = it.get()
    await two.arrived
    expect(await it.get()).toMatchObject({
      status: 503,
      text: expect.stringMatching(/2 requests are under way|Service Unavailable/),
    })
    one.end('well')
    expect(await first).toMatchObject({ status: 200 })
    expect(limit.limit).toBe(3)
    it.clock.advance(300)
    expect(await second).toMatchObject({ status: 504 })
    expect(limit.limit).toBe(1)
    it.app.handler = () => 'well'
    expect(await it.get()).toMatchObject({ status: 200 })
  })

  test('isFailureStatus says what counts; where it throws, the answer stands and counts', async () => {
    await using it = await opened(make, { isFailureStatus: (status) => status === 418 })
    for (const status of [500, 503]) {
      it.app.handler = () => status
      expect((await it.get()).status).toBe(status)
    }
    expect(it.breaker.counts).toMatchObject({ total: 2, failures: 0 })
    await using other = await opened(make, {
      isFailureStatus: () => {
        throw new Error('no idea')
      },
    })
    for (let n = 0; n < 2; n++) expect(await other.get()).toMatchObject({ status: 200 })
    expect(other.breaker.state).toBe('open')
  })

  test.each([
    [{ registry: 1 }, /registry must be a Registry, not 1/],
    [{ options: { errorThreshold: 7 } }, /errorThreshold/],
    [{ limit: {} }, /limit must be a function/],
    [{ __proto__: null, strange: 1 }, /there is no "strange"/],
  ])('%j is refused', async (options, message) => {
    const error: unknown = await make(options as RouteGuardOptions).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(InvalidOptionError)
    expect(String(error)).toMatch(message)
  })
})
