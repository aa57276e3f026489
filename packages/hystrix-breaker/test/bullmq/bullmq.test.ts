import { eventually } from '@loadbearing/harness/faults'
import { redis, skipWithout } from '@loadbearing/harness/services'
import { Breaker, InvalidOptionError, Registry, ResilienceError } from '@loadbearing/hystrix-breaker'
import {
  breakerProcessor,
  type KeyedBreakerOptions,
  type ProcessorOptions,
} from '@loadbearing/hystrix-breaker/bullmq'
import { type Job, type Processor, Queue, UnrecoverableError, Worker } from 'bullmq'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { steppedClock } from '../stream/stepped-clock.ts'

type Work = Processor<string, string>

describe.skipIf(skipWithout('redis'))('BullMQ', () => {
  let server: Awaited<ReturnType<typeof redis>>
  beforeAll(async () => {
    server = await redis({ name: 'breaker-bullmq' })
  })
  afterAll(() => server[Symbol.asyncDispose]())

  let queues = 0

  /** A queue and a worker with a breaker before what it does. */
  async function guarded(
    work: Work,
    own: KeyedBreakerOptions = {},
    more: Partial<ProcessorOptions<string, string, string>> = {},
  ) {
    const { hostname, port } = new URL(server.url)
    const connection = { host: hostname, port: Number(port), maxRetriesPerRequest: null }
    const name = `queue-${++queues}`
    const registry = new Registry()
    const queue = new Queue<string, string>(name, { connection })
    const processor = breakerProcessor<string, string>(work, {
      registry,
      random: { next: () => 0 },
      ...more,
      options: { volumeThreshold: 2, sleepWindow: '1h', ...own },
    })
    const worker = new Worker<string, string>(name, processor, { connection, drainDelay: 1 })
    const states = (jobs: readonly Job[]): Promise<string[]> => Promise.all(jobs.map((job) => job.getState()))
    return {
      name,
      registry,
      queue,
      worker,
      processor,
      states,
      add: (data: string, options = {}) => queue.add('job', data, options),
      until: (jobs: readonly Job[], state: string) =>
        eventually(async () => (await states(jobs)).every((each) => each === state), { what: state }),
      get breaker(): Breaker {
        const found = registry.get(name)
        if (found === undefined) throw new TypeError('There is no breaker')
        return found
      },
      async [Symbol.asyncDispose]() {
        await worker.close(true)
        await queue.obliterate({ force: true })
        await queue.close()
      },
    }
  }

  test('while the circuit is open jobs are delayed, lose no attempt, and are done when it lets them through', async () => {
    let down = true
    const done: string[] = []
    await using it = await guarded(async ({ data }) => {
      if (down) throw new Error('down')
      done.push(data)
      return data
    })
    const failed: string[] = []
    it.worker.on('failed', (job) => failed.push(String(job?.data)))
    const first = [await it.add('a'), await it.add('b')]
    await it.until(first, 'failed')
    expect(it.breaker.state).toBe('open')
    const second = [await it.add('c', { attempts: 1 }), await it.add('d', { attempts: 1 })]
    await it.until(second, 'delayed')
    expect(failed.toSorted()).toEqual(['a', 'b'])
    for (const { id } of second) {
      const job = await it.queue.getJob(String(id))
      expect(job?.attemptsMade).toBe(0)
      // An hour of the sleep window, less what the test has taken.
      expect(job?.delay).toBeGreaterThan(3_500_000)
      expect(job?.delay).toBeLessThanOrEqual(3_600_000)
    }
    down = false
    it.breaker.reset()
    for (const { id } of second) await (await it.queue.getJob(String(id)))?.promote()
    await it.until(second, 'completed')
    expect(done.toSorted()).toEqual(['c', 'd'])
    expect(it.breaker.metrics.total()).toMatchObject({ FAILURE: 2, SHORT_CIRCUITED: 2, SUCCESS: 2 })
  })

  test('where nobody knows how long, jobs wait for delay and a random part of it', async () => {
    await using it = await guarded(async () => '', {}, { delay: '10m', random: { next: () => 0.5 } })
    it.registry.add(new Breaker({ name: it.name, timeout: false }))
    it.breaker.force('forced-open')
    const job = await it.add('x')
    await it.until([job], 'delayed')
    const delay = (await it.queue.getJob(String(job.id)))?.delay
    expect(delay).toBeGreaterThan(890_000)
    expect(delay).toBeLessThanOrEqual(900_000)
  })

  test('a refusal inside of the processor delays as well, and is not counted', async () => {
    await using it = await guarded(async () => {
      throw new ResilienceError('CIRCUIT_OPEN', 'mail: the circuit is open', { retryAfter: 60_000 })
    })
    const jobs = [await it.add('x'), await it.add('y'), await it.add('z')]
    await it.until(jobs, 'delayed')
    expect(it.breaker.counts).toMatchObject({ total: 0, failures: 0 })
  })

  test('what tells of the job is not counted; attempts of it are, and its failures are its own', async () => {
    await using it = await guarded(
      async ({ data, attemptsMade }) => {
        if (data === 'wrong') throw new UnrecoverableError('no such user')
        if (attemptsMade === 0) throw new Error('once')
        return 'the second time'
      },
      { volumeThreshold: 99 },
    )
    const wrong = await it.add('wrong', { attempts: 3 })
    await it.until([wrong], 'failed')
    const twice = await it.add('twice', { attempts: 2 })
    await it.until([twice], 'completed')
    expect((await it.queue.getJob(String(twice.id)))?.returnvalue).toBe('the second time')
    expect(it.breaker.metrics.total()).toMatchObject({ BAD_REQUEST: 1, FAILURE: 1, SUCCESS: 1 })
  })

  test('the time limit and a cancelled job abort the signal of the processor', async () => {
    const reasons: unknown[] = []
    const begun: string[] = []
    const clock = steppedClock()
    await using it = await guarded(
      async ({ data }, _token, signal) => {
        begun.push(data)
        await new Promise((resolve) => signal?.addEventListener('abort', resolve))
        reasons.push(Object(signal?.reason).code ?? 'cancelled')
        throw signal?.reason
      },
      { timeout: 200, volumeThreshold: 99, lagTolerance: false, clock },
    )
    const slow = await it.add('slow')
    await eventually(() => begun.includes('slow'), { what: 'the first job' })
    clock.advance(200)
    await it.until([slow], 'failed')
    expect(reasons).toEqual(['TIMEOUT'])
    expect((await it.queue.getJob(String(slow.id)))?.failedReason).toMatch(/no answer within 200 ms/)
    const cancelled = await it.add('cancelled')
    await eventually(() => begun.includes('cancelled'), { what: 'the second job' })
    it.worker.cancelJob(String(cancelled.id))
    await it.until([cancelled], 'failed')
    expect(it.breaker.metrics.total()).toMatchObject({ TIMEOUT: 1, CANCELLED: 1, FAILURE: 0 })
  })

  test('another key, and none', async () => {
    const registry = new Registry()
    await using it = await guarded(
      async () => 'done',
      {},
      {
        registry,
        keyOf: ({ data }) => (data === 'free' ? undefined : `mail ${data}`),
      },
    )
    await it.until([await it.add('free'), await it.add('x')], 'completed')
    expect([...registry].map(({ name }) => name)).toEqual(['mail x'])
  })
})

test.each([
  [1, {}, /processor must be a function/],
  [async () => '', { keyOf: 1 }, /keyOf must be a function/],
  [async () => '', { delay: 0 }, /delay must be a duration/],
  [async () => '', { strange: 1 }, /there is no "strange"/],
])('%j, %j is refused', (processor, options, message) => {
  const make = (): unknown => breakerProcessor(processor as unknown as Work, options as never)
  expect(make).toThrow(InvalidOptionError)
  expect(make).toThrow(message)
})
