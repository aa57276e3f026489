import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { DatabaseSync } from 'node:sqlite'
import {
  applied,
  createIdempotency,
  type IdempotencyStore,
  isIdempotencyError,
  memoryOutbox,
  memoryStore,
  notApplied,
  type Operation,
  unknown,
  type Verdict,
} from '@loadbearing/stripe-idempotency'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../virtual-clock.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute

function wait(clock: VirtualClock, ms: number): Promise<void> {
  let over = false
  clock.setTimeout(() => (over = true), ms)
  return clock.run(() => over)
}

/** The moments at which a method of the store is called. */
function calls(store: IdempotencyStore, method: string, clock: VirtualClock): [IdempotencyStore, number[]] {
  const moments: number[] = []
  const watched = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...given: unknown[]): unknown => {
        if (name === method) moments.push(clock.now())
        return Reflect.apply(value, target, given)
      }
    },
  })
  return [watched, moments]
}

describe('a reaper', () => {
  test('deletes what has expired, batch after batch, and nothing that is claimed or uncertain', async () => {
    const clock = new VirtualClock()
    const database = new DatabaseSync(':memory:')
    const [store, reaps] = calls(sqliteStore({ database, clock }), 'reap', clock)
    const idempotency = createIdempotency({ store, clock, ttl: '10s', lease: '1s' })
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      await idempotency.run({ scope: 'acct_1', key, input: 0 }, async () => 0)
    }
    const claim = async (key: string): Promise<{ id: string; fence: number; owner: string }> => {
      const { record } = await store.claim({
        scope: 'acct_1',
        key,
        endpoint: '',
        fingerprint: new Uint8Array(),
        id: key,
        owner: 'o',
        lease: 1,
        ttl: 1,
        onAbandoned: 'uncertain',
        operation: null,
      })
      return record
    }
    await claim('claimed')
    await store.markUncertain({ scope: 'acct_1', key: 'doubted', ...(await claim('doubted')) }, 'so it is')
    const worker = idempotency.worker({ reap: { every: '1m', batch: 2 } })
    await wait(clock, 30 * second)
    expect(reaps).toEqual([0])
    await wait(clock, 5 * minute)
    // Batches that were full are followed by the next one at once.
    expect(reaps.slice(0, 5)).toEqual([0, minute, minute, minute, 2 * minute])
    const left = await store.list({ limit: 10 })
    expect(left.map(({ id }) => id).toSorted()).toEqual(['claimed', 'doubted'])
    expect(database.prepare('SELECT count(*) AS many FROM idempotency_record').get()).toEqual({ many: 2 })
    await worker[Symbol.asyncDispose]()
    await expect(clock.run(() => false)).rejects.toThrow('nothing is due')
    database.close()
  })
})

describe('a drainer', () => {
  test('delivers until there is nothing, and after failures at longer and longer intervals', async () => {
    const clock = new VirtualClock()
    const outbox = memoryOutbox()
    await using idempotency = createIdempotency({ store: memoryStore({ clock }), outbox, clock })
    const order = idempotency.operation<number>('order').tx('placed', (_, { input, stage }) => {
      for (let n = 0; n < input; n++) stage('line', { n })
      return 'placed'
    })
    await order.execute({ scope: 'acct_1', key: 'k', input: 5 })
    const tries: number[] = []
    const delivered: unknown[] = []
    const errors: unknown[] = []
    const told: unknown[] = []
    const hear = (message: unknown): void => void told.push(message)
    subscribe('loadbearing:stripe-idempotency:worker-error', hear)
    const worker = idempotency.worker({
      drain: {
        batch: 2,
        every: '5s',
        deliver: async (jobs) => {
          tries.push(clock.now())
          if (tries.length <= 7) throw new RangeError('the queue is down')
          delivered.push(...jobs.map(({ name, payload }) => [name, payload]))
        },
      },
      onError: (error, task) => errors.push([task, String(error)]),
    })
    await wait(clock, 10 * minute)
    // 10, 20 and 40 seconds, then never more than a minute; three batches at once when the queue is up.
    expect(tries.map((each) => each / second)).toEqual([0, 10, 30, 70, 130, 190, 250, 310, 310, 310])
    expect(delivered).toEqual(Array.from({ length: 5 }, (_, n) => ['line', { n }]))
    expect(errors).toEqual(Array.from({ length: 7 }, () => ['drain', 'RangeError: the queue is down']))
    expect(told).toHaveLength(7)
    unsubscribe('loadbearing:stripe-idempotency:worker-error', hear)
    await order.execute({ scope: 'acct_1', key: 'l', input: 1 })
    await wait(clock, 5 * second)
    expect(delivered).toHaveLength(6)
    await worker[Symbol.asyncDispose]()
  })

  test('is refused without an outbox, as a job is', async () => {
    await using idempotency = createIdempotency({ store: memoryStore() })
    expect(() => idempotency.worker({ drain: async () => {} })).toThrow(/no outbox/)
    const order = idempotency.operation<number>('order').tx('placed', (_, { stage }) => stage('line', 1))
    await expect(order.execute({ scope: 'acct_1', key: 'k', input: 5 })).rejects.toMatchObject({
      code: 'invalid_option',
      message: expect.stringContaining('no outbox'),
    })
  })
})

describe('a completer', () => {
  test('finds its operations behind any number of newer records that are not its own', async () => {
    const clock = new VirtualClock()
    const store = memoryStore({ clock })
    await using idempotency = createIdempotency({ store, clock })
    let tries = 0
    const pay = idempotency.operation<number>('pay').call('charged', {
      retention: '30d',
      run: () => {
        if (++tries === 1) throw new Error('lost')
        return 'paid'
      },
    })
    await expect(pay.execute({ scope: 'acct_1', key: 'k', input: 1 })).rejects.toThrow('lost')
    await wait(clock, second)
    const others = idempotency.http({ mode: 'stripe-v2' })
    for (const key of ['a', 'b', 'c']) {
      const request = { method: 'POST', path: '/x', query: '', body: new Uint8Array() }
      await others.answer({ ...request, headers: [['idempotency-key', key]] }, 'acct_1', async () => ({
        status: 422,
        headers: [],
        body: new Uint8Array(),
      }))
    }
    await wait(clock, 10 * minute)
    expect(await store.list({ limit: 3, state: 'claimed' })).toMatchObject([
      { operation: null },
      { operation: null },
      { operation: null },
    ])
    expect(await idempotency.complete({ batch: 3 })).toMatchObject([
      { operation: 'pay', outcome: 'completed' },
    ])
  })
})

describe('a worker', () => {
  test('ends when the round that it is at has ended, and leaves no timer', async () => {
    const clock = new VirtualClock()
    const outbox = memoryOutbox()
    await using idempotency = createIdempotency({ store: memoryStore({ clock }), outbox, clock })
    const stop = new AbortController()
    const begun = Promise.withResolvers<void>()
    const end = Promise.withResolvers<void>()
    const order = idempotency.operation<number>('order').tx('placed', (_, { stage }) => stage('line', 1))
    await order.execute({ scope: 'acct_1', key: 'k', input: 5 })
    const worker = idempotency.worker({
      complete: true,
      reap: true,
      drain: async () => {
        begun.resolve()
        await end.promise
      },
      signal: stop.signal,
    })
    await begun.promise
    stop.abort()
    let ended = false
    const disposed = worker[Symbol.asyncDispose]().then(() => (ended = true))
    await new Promise(setImmediate)
    expect(ended).toBe(false)
    end.resolve()
    await disposed
    await expect(clock.run(() => false)).rejects.toThrow('nothing is due')
  })

  test.each([
    ['reap or drain', {}],
    ['reap or drain', { complete: false, reap: false }],
    ['every', { reap: { every: 0 } }],
    ['batch', { reap: { batch: 0 } }],
    ['pickUpAfter', { complete: { pickUpAfter: 'soon' } }],
    ['attempts', { complete: { attempts: 1.5 } }],
    ['concurrency', { complete: { concurrency: 1e9 } }],
    ['batch', { drain: { deliver: async () => {}, batch: -1 } }],
  ])('is refused where %s is wrong: %j', (name, options) => {
    const idempotency = createIdempotency({ store: memoryStore(), outbox: memoryOutbox() })
    expect(() => idempotency.worker(options)).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining(name) }),
    )
  })
})

describe('what is uncertain', () => {
  interface Doubted {
    readonly clock: VirtualClock
    readonly store: IdempotencyStore
    readonly idempotency: ReturnType<typeof createIdempotency>
    readonly charge: Pick<Operation<null, number, number, unknown, string>, 'execute'>
    readonly calls: number[]
    readonly asked: number[]
  }

  /** An operation whose one call was lost, to somebody who keeps no keys. */
  async function doubted(reconcile?: (asked: number) => Verdict<string>): Promise<Doubted> {
    const clock = new VirtualClock()
    await wait(clock, hour)
    const store = memoryStore({ clock })
    const idempotency = createIdempotency({ store, clock })
    const made: number[] = []
    const asked: number[] = []
    const charge = idempotency
      .operation<number>('charge')
      .call('charged', {
        retention: 0,
        run: () => {
          made.push(clock.now())
          if (made.length === 1) throw new Error('socket hang up')
          return 'called'
        },
        ...(reconcile && {
          reconcile: () => {
            asked.push(clock.now())
            return reconcile(asked.length)
          },
        }),
      })
      .call('told', { retention: '1d', run: ({ prev }) => `told of ${prev}` })
    await expect(charge.execute({ scope: 'acct_1', key: 'k', input: 5 })).rejects.toThrow('hang up')
    return { clock, store, idempotency, charge, calls: made, asked }
  }

  async function attempt({ charge }: Doubted): Promise<string> {
    try {
      const { value } = await charge.execute({ scope: 'acct_1', key: 'k', input: 5 })
      return value
    } catch (error) {
      return isIdempotencyError(error) ? error.code : String(error)
    }
  }

  test.each<[string, (asked: number) => Verdict<string>, string, number]>([
    ['took effect, and goes on after it', () => applied('found'), 'told of found', 1],
    ['did not, and is called once more', () => notApplied(), 'told of called', 2],
    ['nobody knows at first', (asked) => (asked < 3 ? unknown() : applied('found')), 'told of found', 1],
  ])('is settled by a completer that finds out: it %s', async (_, reconcile, value, calledTimes) => {
    const world = await doubted(reconcile)
    const worker = world.idempotency.worker({ complete: true })
    await wait(world.clock, 15 * minute)
    await worker[Symbol.asyncDispose]()
    expect(await attempt(world)).toBe(value)
    expect(world.calls).toHaveLength(calledTimes)
    // It was left to its caller for five minutes.
    expect(world.asked[0]).toBe(hour + 5 * minute)
  })

  test('stays so where nobody can find out, until a person says what it came to', async () => {
    for (const [verdict, value] of [
      [applied('seen in the books'), 'told of seen in the books'],
      [notApplied(), 'told of called'],
    ] as const) {
      const world = await doubted()
      expect(await attempt(world)).toBe('uncertain')
      const [completion] = await world.idempotency.complete()
      expect(completion).toMatchObject({ operation: 'charge', outcome: 'uncertain' })
      expect(world.calls).toHaveLength(1)
      const [record] = await world.store.list({ limit: 1, state: 'uncertain' })
      if (record === undefined) throw new Error('nothing is uncertain')
      expect(await world.idempotency.resolve(record, unknown())).toBe(false)
      expect(await world.idempotency.resolve(record, verdict)).toBe(true)
      expect(await world.idempotency.resolve(record, verdict)).toBe(false)
      expect(await attempt(world)).toBe(value)
    }
  })

  test('and abandoned is taken up once by complete(), and what became of it is told', async () => {
    const world = await doubted(() => applied('found'))
    // Left by its caller: in doubt, and it can be asked for at once.
    expect(await world.idempotency.complete()).toMatchObject([{ operation: 'charge', outcome: 'completed' }])
    expect(await attempt(world)).toBe('told of found')
    expect(await world.idempotency.complete()).toEqual([])
    const stopped = new AbortController()
    stopped.abort()
    expect(await world.idempotency.complete({ signal: stopped.signal })).toEqual([])
    await expect(world.idempotency.complete({ batch: 0 })).rejects.toMatchObject({ code: 'invalid_option' })
  })
})

describe('an inbox', () => {
  test('does each job once for each consumer, and again only what failed', async () => {
    await using idempotency = createIdempotency({ store: memoryStore() })
    const done: string[] = []
    let fails = true
    const inbox = (consumer: string): ((job: unknown) => Promise<boolean>) =>
      idempotency.inbox(consumer, async ({ id, name, payload }, transaction) => {
        if (fails) throw new RangeError('no')
        done.push(`${consumer} ${id} ${name} ${JSON.stringify(payload)} ${String(transaction)}`)
      })
    const job = { id: 'j1', name: 'receipt', payload: { amount: 5 } }
    await expect(inbox('mailer')(job)).rejects.toThrow('no')
    fails = false
    expect([await inbox('mailer')(job), await inbox('mailer')(job), await inbox('books')(job)]).toEqual([
      true,
      false,
      true,
    ])
    expect(done).toEqual(['mailer j1 receipt {"amount":5} null', 'books j1 receipt {"amount":5} null'])
    await expect(inbox('mailer')({ ...job, payload: { amount: 6 } })).rejects.toMatchObject({
      code: 'mismatch',
    })
  })

  test.each([null, 'job', {}, { id: 1, name: 'a' }, { id: '', name: 'a' }, { id: 'a' }, []])(
    'refuses what is no job: %j',
    async (delivered) => {
      await using idempotency = createIdempotency({ store: memoryStore() })
      const take = idempotency.inbox('mailer', async () => {})
      await expect(take(delivered)).rejects.toMatchObject({ code: 'input_invalid' })
    },
  )

  test('is somebody', () => {
    const idempotency = createIdempotency({ store: memoryStore() })
    expect(() => idempotency.inbox('', async () => {})).toThrow('consumer')
  })
})
