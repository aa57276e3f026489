import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { controlEndpoint, hystrixStream } from '../../src/adapters/stream.ts'
import {
  Breaker,
  breaker,
  type CallContext,
  collapser,
  InvalidOptionError,
  Registry,
} from '../../src/index.ts'
import { ask, StreamListener, served } from './served.ts'
import { steppedClock } from './stepped-clock.ts'

// Section 4 of the specification, after SerialHystrixDashboardData.
const commandFields =
  `type name group currentTime isCircuitBreakerOpen errorPercentage errorCount requestCount
  rollingCountBadRequests rollingCountCollapsedRequests rollingCountEmit rollingCountExceptionsThrown rollingCountFailure
  rollingCountFallbackEmit rollingCountFallbackFailure rollingCountFallbackMissing rollingCountFallbackRejection
  rollingCountFallbackSuccess rollingCountResponsesFromCache rollingCountSemaphoreRejected rollingCountShortCircuited
  rollingCountSuccess rollingCountThreadPoolRejected rollingCountTimeout currentConcurrentExecutionCount
  rollingMaxConcurrentExecutionCount latencyExecute_mean latencyExecute latencyTotal_mean latencyTotal
  propertyValue_circuitBreakerRequestVolumeThreshold propertyValue_circuitBreakerSleepWindowInMilliseconds
  propertyValue_circuitBreakerErrorThresholdPercentage propertyValue_circuitBreakerForceOpen
  propertyValue_circuitBreakerForceClosed propertyValue_circuitBreakerEnabled propertyValue_executionIsolationStrategy
  propertyValue_executionIsolationThreadTimeoutInMilliseconds propertyValue_executionTimeoutInMilliseconds
  propertyValue_executionIsolationThreadInterruptOnTimeout propertyValue_executionIsolationThreadPoolKeyOverride
  propertyValue_executionIsolationSemaphoreMaxConcurrentRequests propertyValue_fallbackIsolationSemaphoreMaxConcurrentRequests
  propertyValue_metricsRollingStatisticalWindowInMilliseconds propertyValue_requestCacheEnabled
  propertyValue_requestLogEnabled reportingHosts threadPool`.split(/\s+/)
const poolFields = `type name currentTime currentActiveCount currentCompletedTaskCount currentCorePoolSize
  currentLargestPoolSize currentMaximumPoolSize currentPoolSize currentQueueSize currentTaskCount rollingCountThreadsExecuted
  rollingMaxActiveThreads rollingCountCommandRejections propertyValue_queueSizeRejectionThreshold
  propertyValue_metricsRollingStatisticalWindowInMilliseconds reportingHosts`.split(/\s+/)
const collapserFields =
  `type name currentTime rollingCountRequestsBatched rollingCountBatches rollingCountResponsesFromCache
  batchSize_mean batchSize propertyValue_requestCacheEnabled propertyValue_maxRequestsInBatch
  propertyValue_timerDelayInMilliseconds reportingHosts`.split(/\s+/)

const quick = { delay: 10 }

function registryOf(...breakers: Breaker[]): Registry {
  const registry = new Registry()
  for (const each of breakers) registry.add(each)
  return registry
}

/** The keys of a JSON object in the order they stand there, which parsing would change. */
function keysIn(json: string): string[] {
  return [...json.matchAll(/"((?:[^"\\]|\\.)*)":/g)].map(([, key = '']) => key)
}

describe('what is streamed', () => {
  test('has exactly the headers of the servlet, a frame at once and a ping', async () => {
    const stream = hystrixStream(registryOf(new Breaker({ name: 'users', group: 'accounts' })), quick)
    await using server = await served(stream)
    using client = await StreamListener.open(`${server.url}/hystrix.stream`)
    expect(client.response.headers).toMatchObject({
      'content-type': 'text/event-stream;charset=UTF-8',
      'cache-control': 'no-cache, no-store, max-age=0, must-revalidate',
      pragma: 'no-cache',
    })
    expect(client.response.headers).not.toHaveProperty('access-control-allow-origin')
    await client.until(({ pings }) => pings > 2)
    expect(client.raw).toMatch(/^(data: \{[^\n]+\}\n\n(ping: \n\n))+/)
    expect(client.frames[0]).toMatchObject({ type: 'HystrixCommand', name: 'users', group: 'accounts' })
    await stream[Symbol.asyncDispose]()
  })

  test('has the fields of Hystrix in their order, integers and never null', async () => {
    const getUser = collapser({ name: 'GetUser', load: (ids: readonly number[]) => ids.map((id) => id * 2) })
    const pooled = new Breaker({ name: 'pooled', bulkhead: { max: 3, queue: 7 }, timeout: '1.5s' })
    const registry = registryOf(pooled, new Breaker({ name: 'plain', timeout: false }))
    registry.addCollapser(getUser.metrics)
    await Promise.all([getUser(1), getUser(2), pooled.execute(() => 1)])
    const stream = hystrixStream(registry, quick)
    await using server = await served(stream)
    using client = await StreamListener.open(server.url)
    const [first = '', second = '', pool = '', batched = ''] = await client.until(
      ({ texts }) => texts.length >= 4 && texts,
    )
    const nested = (map: string): RegExp => new RegExp(`"${map}":\\{[^}]*\\}`)
    for (const text of [first, second]) {
      const latency = ['0', '25', '50', '75', '90', '95', '99', '99.5', '100']
      for (const map of ['latencyExecute', 'latencyTotal'])
        expect(keysIn(nested(map).exec(text)?.[0] ?? '')).toEqual([map, ...latency])
      expect(keysIn(text.replaceAll(/"(latency\w+)":\{[^}]*\}/g, '"$1":0'))).toEqual(commandFields)
    }
    expect(keysIn(pool)).toEqual(poolFields)
    expect(keysIn(batched.replace(nested('batchSize'), '"batchSize":0'))).toEqual(collapserFields)
    for (const text of [first, second, pool, batched]) {
      const leaves = Object.values(JSON.parse(text) as object).flatMap((value: unknown) =>
        value !== null && typeof value === 'object' ? Object.values(value) : [value],
      )
      for (const leaf of leaves) {
        expect(['string', 'boolean', 'number']).toContain(typeof leaf)
        if (typeof leaf === 'number') expect(leaf).toBe(Math.trunc(leaf))
      }
    }
    expect(JSON.parse(pool)).toMatchObject({
      name: 'pooled',
      currentMaximumPoolSize: 3,
      propertyValue_queueSizeRejectionThreshold: 7,
      currentCompletedTaskCount: 1,
    })
    expect(JSON.parse(first)).toMatchObject({
      propertyValue_executionIsolationStrategy: 'THREAD',
      propertyValue_executionTimeoutInMilliseconds: 1500,
      rollingCountSuccess: 1,
      requestCount: 1,
    })
    expect(JSON.parse(second)).toMatchObject({ propertyValue_executionIsolationStrategy: 'SEMAPHORE' })
    expect(JSON.parse(batched)).toMatchObject({
      type: 'HystrixCollapser',
      rollingCountRequestsBatched: 2,
      rollingCountBatches: 1,
      batchSize_mean: 2,
    })
    await stream[Symbol.asyncDispose]()
  })

  test('shows what happens: failures open the circuit, forcing shows as forced', async () => {
    const answer = async (fails: boolean, _context: CallContext): Promise<string> => {
      if (fails) throw new Error('down')
      return 'up'
    }
    const flaky = breaker(answer, { name: 'flaky', volumeThreshold: 4, fallback: () => 'instead' })
    const stream = hystrixStream(registryOf(flaky.breaker), quick)
    await using server = await served(stream)
    using client = await StreamListener.open(server.url)
    for (const fails of [false, false, true, true, true]) await flaky(fails)
    await client.until(({ frames }) => frames.at(-1)?.['requestCount'] === 4)
    expect(client.frames.at(-1)).toMatchObject({
      isCircuitBreakerOpen: true,
      errorPercentage: 50,
      errorCount: 2,
      requestCount: 4,
    })
    flaky.breaker.force('forced-closed')
    await client.until(({ frames }) => frames.at(-1)?.['propertyValue_circuitBreakerForceClosed'] === true)
    expect(client.frames.at(-1)).toMatchObject({ isCircuitBreakerOpen: false })
    flaky.breaker.force('forced-open')
    await client.until(({ frames }) => frames.at(-1)?.['propertyValue_circuitBreakerForceOpen'] === true)
    expect(client.frames.at(-1)).toMatchObject({ isCircuitBreakerOpen: true })
    await stream[Symbol.asyncDispose]()
  })

  test('hostile names stay inside of their JSON', async () => {
    const names = [
      'a "quoted" one',
      'two\nlines\r\ndata: {"type":"HystrixCommand","name":"forged"}\n\n',
      '</script><script>alert(1)</script>',
      '\u2028\u2029\u0000\uD800',
      '__proto__',
      'x'.repeat(10_000),
      'é🚀',
    ]
    const stream = hystrixStream(registryOf(...names.map((name) => new Breaker({ name }))), quick)
    await using server = await served(stream)
    using client = await StreamListener.open(server.url)
    await client.until(({ pings }) => pings > 0)
    // A lone surrogate has no UTF-8; JSON escapes it. On a busy machine more than one round has come.
    const read = client.frames.map(({ name }) => name)
    expect(read.length).toBeGreaterThanOrEqual(names.length)
    expect(read).toEqual(read.map((_, at) => names[at % names.length]))
    expect(client.raw).not.toMatch(/<|[\u2028\u2029]/)
    expect(client.raw.split('\n').filter((line) => line !== '' && !/^(data: \{|ping: $)/.test(line))).toEqual(
      [],
    )
    await stream[Symbol.asyncDispose]()
  })

  test('what leaves the registry is deleted on dashboards', async () => {
    const registry = registryOf(new Breaker({ name: 'a.b' }), new Breaker({ name: 'c' }))
    const stream = hystrixStream(registry, quick)
    await using server = await served(stream)
    using client = await StreamListener.open(server.url)
    await client.until(({ pings }) => pings > 0)
    registry.delete('a.b')
    const deleted = await client.until(({ frames }) => frames.find((frame) => 'deleteData' in frame))
    expect(deleted).toEqual({
      type: 'HystrixCommand',
      name: 'a.b',
      deleteData: 'true',
      escapedName: String.raw`a\.b_0`,
    })
    const told = client.frames.indexOf(deleted)
    await client.until(({ pings }) => pings > 5)
    expect(client.frames.slice(told + 1).map(({ name }) => name)).not.toContain('a.b')
    await stream[Symbol.asyncDispose]()
  })

  test('an empty registry is a stream of pings', async () => {
    const stream = hystrixStream(new Registry(), quick)
    await using server = await served(stream)
    using client = await StreamListener.open(server.url)
    await client.until(({ pings }) => pings > 2)
    expect(client.texts).toEqual([])
    await stream[Symbol.asyncDispose]()
  })
})

describe('clients', () => {
  test('five at once, the sixth gets 503 and the exact text until one leaves', async () => {
    const stream = hystrixStream(new Registry(), quick)
    await using server = await served(stream)
    const clients = await Promise.all(Array.from({ length: 5 }, () => StreamListener.open(server.url)))
    expect(stream.connections).toBe(5)
    expect(await ask(server.url)).toMatchObject({ status: 503, text: 'MaxConcurrentConnections reached: 5' })
    const [first] = clients
    first?.[Symbol.dispose]()
    while (stream.connections === 5) await new Promise((resolve) => setImmediate(resolve))
    using another = await StreamListener.open(server.url)
    await another.until(({ pings }) => pings > 0)
    expect(another.response.statusCode).toBe(200)
    await stream[Symbol.asyncDispose]()
    await Promise.all(clients.slice(1).map((client) => client.until(({ ended }) => ended)))
  })

  test('after the end all streams are over and new ones get 503', async () => {
    const stream = hystrixStream(new Registry(), quick)
    await using server = await served(stream)
    using client = await StreamListener.open(server.url)
    await client.until(({ pings }) => pings > 0)
    await stream[Symbol.asyncDispose]()
    await client.until(({ ended }) => ended)
    expect(stream.connections).toBe(0)
    expect(await ask(server.url)).toMatchObject({ status: 503, text: 'Service has been shut down.' })
  })

  test('can ask for another delay', async () => {
    const stream = hystrixStream(new Registry())
    await using server = await served(stream)
    using client = await StreamListener.open(`${server.url}/hystrix.stream?delay=100`)
    await client.until(({ pings }) => pings > 2)
    for (const delay of ['0', '99', '-5', '60001', '1e3', 'soon', ''])
      expect((await ask(`${server.url}/?delay=${delay}`)).status).toBe(400)
    await stream[Symbol.asyncDispose]()
  })

  test('HEAD gets the headers alone; other methods get 405', async () => {
    const stream = hystrixStream(new Registry(), quick)
    await using server = await served(stream)
    expect(await ask(server.url, { method: 'HEAD' })).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/event-stream;charset=UTF-8' },
      text: '',
    })
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])
      expect(await ask(server.url, { method })).toMatchObject({
        status: 405,
        headers: { allow: 'GET, HEAD' },
      })
    expect(stream.connections).toBe(0)
    await stream[Symbol.asyncDispose]()
  })

  test('are let in by the hook', async () => {
    const stream = hystrixStream(new Registry(), {
      ...quick,
      authorize: async ({ headers }) => headers.authorization === 'Bearer right',
    })
    await using server = await served(stream)
    expect(await ask(server.url)).toMatchObject({ status: 401 })
    expect(await ask(server.url, { headers: { authorization: 'Bearer wrong' } })).toMatchObject({
      status: 401,
    })
    using client = await StreamListener.open(server.url, { authorization: 'Bearer right' })
    await client.until(({ pings }) => pings > 0)
    await stream[Symbol.asyncDispose]()
  })

  test('a hook that throws lets nobody in, and is heard of', async () => {
    const warned = once(process, 'warning')
    const stream = hystrixStream(new Registry(), {
      authorize: () => {
        throw new Error('no connection to the directory')
      },
    })
    await using server = await served(stream)
    expect(await ask(server.url)).toMatchObject({ status: 500, text: 'Internal Server Error' })
    expect(await warned).toMatchObject([{ message: 'no connection to the directory' }])
  })

  test('one that stops reading misses frames; its buffer holds one moment', async () => {
    const clock = steppedClock()
    // About 500 kB a moment.
    const breakers = Array.from(
      { length: 200 },
      (_, n) => new Breaker({ name: `${n}${'x'.repeat(300)}`, clock }),
    )
    const stream = hystrixStream(registryOf(...breakers), { clock })
    await using server = await served(stream)
    const accepted = once(server.server, 'connection') as Promise<[Socket]>
    const client = connect(server.port, '127.0.0.1')
    client.write('GET /hystrix.stream HTTP/1.1\r\nHost: a\r\n\r\n')
    const [ours] = await accepted
    while (stream.connections === 0) await new Promise((resolve) => setImmediate(resolve))
    client.pause()
    let buffered = 0
    let ticks = 0
    // Until the buffers of the system are full, and then 30 moments more, of 15 MB.
    for (let full = 0; full < 30; ticks++) {
      clock.advance(500)
      await new Promise((resolve) => setImmediate(resolve))
      full = ours.writableLength > 0 ? full + 1 : 0
      buffered = Math.max(buffered, ours.writableLength)
    }
    expect(buffered).toBeLessThan(1_500_000)
    // When it reads on, it finds whole frames, and pings without a gap in their text.
    let text = ''
    client.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
    })
    client.resume()
    while (ours.writableLength > 0) await new Promise((resolve) => setImmediate(resolve))
    const pings = (): number => text.split('ping: \n\n').length - 1
    const before = pings()
    clock.advance(500)
    while (pings() <= before) await new Promise((resolve) => setImmediate(resolve))
    const whole = text.slice(0, text.lastIndexOf('ping: '))
    const lines = whole.split(/\r?\n/).filter((line) => line.startsWith('data: '))
    expect(pings()).toBeLessThan(ticks - 25)
    for (const line of lines) expect(() => void JSON.parse(line.slice(6))).not.toThrow()
    client.destroy()
    await stream[Symbol.asyncDispose]()
  })

  test('one that reads nothing for 30 s loses its place', async () => {
    const clock = steppedClock()
    const breakers = Array.from(
      { length: 1000 },
      (_, n) => new Breaker({ name: `${n}${'x'.repeat(5000)}`, clock }),
    )
    const stream = hystrixStream(registryOf(...breakers), { clock })
    await using server = await served(stream)
    const client = connect(server.port, '127.0.0.1')
    client.on('error', () => {})
    client.write('GET /hystrix.stream HTTP/1.1\r\nHost: a\r\n\r\n')
    client.pause()
    while (stream.connections === 0) await new Promise((resolve) => setImmediate(resolve))
    for (let tick = 0; tick <= 62 && stream.connections > 0; tick++) {
      clock.advance(500)
      await new Promise((resolve) => setImmediate(resolve))
    }
    while (stream.connections > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(clock.now()).toBeLessThan(32_000)
    expect(clock.pending()).toBe(0)
    client.destroy()
    await stream[Symbol.asyncDispose]()
  })
})

describe('timers', () => {
  test('there are none without clients', async () => {
    const clock = steppedClock()
    const stream = hystrixStream(registryOf(new Breaker({ name: 'a', clock })), { clock })
    await using server = await served(stream)
    expect(clock.pending()).toBe(0)
    const client = await StreamListener.open(server.url)
    expect(clock.pending()).toBe(1)
    client[Symbol.dispose]()
    while (stream.connections > 0) await new Promise((resolve) => setImmediate(resolve))
    expect(clock.pending()).toBe(0)
  })

  test('frames come each 500 ms, with the time of the clock', async () => {
    const clock = steppedClock()
    const stream = hystrixStream(registryOf(new Breaker({ name: 'a', clock })), { clock })
    await using server = await served(stream)
    using client = await StreamListener.open(server.url)
    for (const expected of [1, 2, 3]) {
      await client.until(({ frames }) => frames.length === expected)
      clock.advance(499)
      await new Promise((resolve) => setImmediate(resolve))
      expect(client.frames).toHaveLength(expected)
      clock.advance(1)
    }
    await client.until(({ frames }) => frames.length === 4)
    expect(client.frames.map((frame) => frame['currentTime'])).toEqual([0, 500, 1000, 1500])
    await stream[Symbol.asyncDispose]()
    expect(clock.pending()).toBe(0)
  })
})

test('a collapser that throws is a warning, and no end', async () => {
  const registry = registryOf(new Breaker({ name: 'users' }))
  let throwing = true
  registry.addCollapser({
    name: 'odd',
    settings: { max: 1, window: 1, cache: false },
    rolling() {
      if (throwing) throw new Error('odd collapser')
      return { requests: 0, batches: 0, fromCache: 0 }
    },
    batchSize: () => ({ mean: 0, percentile: () => 0 }),
  })
  const warnings: string[] = []
  const warned = (warning: Error): void => void warnings.push(warning.message)
  process.on('warning', warned)
  const clock = steppedClock()
  const stream = hystrixStream(registry, { clock })
  await using server = await served(stream)
  const client = connect(server.port, '127.0.0.1')
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  while (stream.connections === 0) await new Promise((resolve) => setImmediate(resolve))
  clock.advance(5000)
  throwing = false
  clock.advance(500)
  let text = ''
  for await (const piece of client) {
    text += String(piece)
    if (text.includes('"odd"')) break
  }
  process.off('warning', warned)
  expect(warnings.filter((message) => message === 'odd collapser')).toHaveLength(1)
  await stream[Symbol.asyncDispose]()
})

test('refuses what is no registry', () => {
  for (const none of [undefined, null, {}, [], new Map()]) {
    expect(() => hystrixStream(none as never)).toThrow(InvalidOptionError)
    expect(() => controlEndpoint(none as never, { token: 'x'.repeat(20) })).toThrow(
      /^registry must be a Registry/,
    )
  }
})

test.each([
  [{ delay: 0 }, /^delay must be/],
  [{ delay: 'soon' }, /^delay must be/],
  [{ maxConnections: 0 }, /^maxConnections must be/],
  [{ authorize: 'me' }, /^authorize must be a function/],
  [{ dealy: 1 }, /there is no "dealy"/],
])('refuses %j', (options, message) => {
  const make = (): unknown => hystrixStream(new Registry(), options as object)
  expect(make).toThrow(InvalidOptionError)
  expect(make).toThrow(message)
})
