import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import {
  applied,
  type ClaimRequest,
  createIdempotency,
  type Execution,
  type Idempotency,
  type IdempotencyOptions,
  type IdempotencyStore,
  isIdempotencyError,
  memoryStore,
  type RunRequest,
} from '@loadbearing/stripe-idempotency'
import { describe, expect, test } from 'vitest'
import { VirtualClock } from './virtual-clock.ts'

const minute = 60_000

interface World {
  readonly clock: VirtualClock
  readonly store: IdempotencyStore
  readonly idempotency: Idempotency
  /** Two processes on one store. */
  readonly other: Idempotency
}

function world(options: Partial<IdempotencyOptions> = {}): World {
  const clock = new VirtualClock()
  const store = options.store ?? memoryStore({ clock })
  const make = (): Idempotency => createIdempotency({ store, clock, ...options })
  return { clock, store, idempotency: make(), other: make() }
}

const request: RunRequest = { scope: 'acct_1', key: 'k', input: { amount: 5 } }

/** What a call came to: its value, or the code of its error. */
async function outcome(call: Promise<{ value: unknown; replayed: boolean }>): Promise<string> {
  try {
    const { value, replayed } = await call
    return `${replayed ? 'replayed' : 'executed'} ${JSON.stringify(value)}`
  } catch (error) {
    if (isIdempotencyError(error)) return error.code
    return `threw ${String(error)}`
  }
}

function counted(result: unknown = 'done'): { work: () => Promise<unknown>; count: () => number } {
  let count = 0
  return {
    work: async () => {
      count++
      return result
    },
    count: () => count,
  }
}

function sleep(clock: VirtualClock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.setTimeout(resolve, ms))
}

describe('one effect for each key', () => {
  test('the first call executes, the next is replayed', async () => {
    const { idempotency } = world()
    const { work, count } = counted({ id: 1, none: null })
    expect(await outcome(idempotency.run(request, work))).toBe('executed {"id":1,"none":null}')
    expect(await outcome(idempotency.run(request, work))).toBe('replayed {"id":1,"none":null}')
    expect(count()).toBe(1)
  })

  test('of 100 at the same time one executes', async () => {
    const { idempotency, clock } = world()
    let executions = 0
    const outcomes: string[] = []
    const all = Array.from({ length: 100 }, async () => {
      outcomes.push(
        await outcome(
          idempotency.run(request, async () => {
            executions++
            await sleep(clock, 100)
          }),
        ),
      )
    })
    await clock.run(() => outcomes.length === 100)
    await Promise.all(all)
    expect(executions).toBe(1)
    expect(outcomes.filter((each) => each === 'in_use')).toHaveLength(99)
  })

  test('another scope, key or operation is another matter, another input a mismatch', async () => {
    const { idempotency } = world()
    const { work, count } = counted()
    await idempotency.run(request, work)
    const others: Partial<RunRequest>[] = [{ scope: 'acct_2' }, { key: 'l' }, { scope: 'acct_', key: '1k' }]
    for (const other of others) {
      expect(await outcome(idempotency.run({ ...request, ...other }, work))).toBe('executed "done"')
    }
    expect(count()).toBe(4)
    expect(await outcome(idempotency.run({ ...request, input: { amount: 6 } }, work))).toBe('mismatch')
    expect(await outcome(idempotency.run({ ...request, operation: 'refund' }, work))).toBe('mismatch')
    expect(await outcome(idempotency.run({ ...request, input: { amount: 5 } }, work))).toBe('replayed "done"')
  })

  test('an error says that nothing was done', async () => {
    const { idempotency } = world()
    const { work } = counted()
    const failing = (): Promise<never> => Promise.reject(new RangeError('no'))
    expect(await outcome(idempotency.run(request, failing))).toBe('threw RangeError: no')
    expect(await outcome(idempotency.run(request, work))).toBe('executed "done"')
  })

  test('a key is as new once its answer has expired, and not before', async () => {
    const { idempotency, clock } = world({ ttl: '1h' })
    const { work } = counted()
    await idempotency.run(request, work)
    let now = false
    clock.setTimeout(() => (now = true), 60 * minute - 1)
    await clock.run(() => now)
    expect(await outcome(idempotency.run(request, work))).toBe('replayed "done"')
    clock.setTimeout(() => (now = false), 1)
    await clock.run(() => !now)
    expect(await outcome(idempotency.run(request, work))).toBe('executed "done"')
  })
})

describe('waiting', () => {
  test('50 duplicates have the answer in the moment that it is there', async () => {
    const { idempotency, clock } = world()
    const ends: number[] = []
    const outcomes: string[] = []
    const call = async (): Promise<void> => {
      outcomes.push(
        await outcome(
          idempotency.run({ ...request, wait: '5s' }, async () => {
            await sleep(clock, 1000)
            return 'done'
          }),
        ),
      )
      ends.push(clock.now())
    }
    for (let n = 0; n < 51; n++) clock.setTimeout(() => void call(), n)
    await clock.run(() => ends.length === 51)
    expect(ends).toEqual(Array.from({ length: 51 }, () => 1000))
    expect(outcomes.filter((each) => each === 'replayed "done"')).toHaveLength(50)
  })

  test('ends when it is over, and when the caller goes', async () => {
    const { idempotency, clock } = world()
    const outcomes: string[] = []
    void idempotency.run(request, () => sleep(clock, minute))
    const waiting = async (): Promise<void> => {
      const answer = await outcome(idempotency.run({ ...request, wait: 200 }, async () => 0))
      outcomes.push(`${answer} ${clock.now()}`)
    }
    clock.setTimeout(() => void waiting(), 10)
    await clock.run(() => outcomes.length === 1)
    expect(outcomes).toEqual(['in_use 210'])
  })
})

describe('leases and fences', () => {
  /** A holder that stands still for so long: its timers do not run, and then all at once. */
  function paused(clock: VirtualClock, until: number): IdempotencyOptions['clock'] {
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      setTimeout: (callback, delay) => clock.setTimeout(callback, Math.max(delay, until - clock.now())),
      clearTimeout: (handle) => clock.clearTimeout(handle),
    }
  }

  test('a holder that works on keeps its lease, however long it takes', async () => {
    const { idempotency, other, clock } = world()
    const outcomes: string[] = []
    void outcome(idempotency.run(request, () => sleep(clock, 60 * minute))).then((each) =>
      outcomes.push(each),
    )
    const probe = async (): Promise<void> => {
      outcomes.push(await outcome(other.run({ ...request, rerun: 'safe' }, async () => 'twice')))
    }
    for (let n = 1; n < 60; n++) clock.setTimeout(() => void probe(), n * minute)
    await clock.run(() => outcomes.length === 60)
    expect(outcomes.slice(0, 59)).toEqual(Array.from({ length: 59 }, () => 'in_use'))
    expect(outcomes[59]).toBe('executed undefined')
  })

  test.each([
    ['comes back with an answer', async () => 'late'],
    [
      'comes back with an error',
      async () => {
        throw new Error('late')
      },
    ],
  ])('a holder that was paused %s changes nothing of what the next one did', async (_, end) => {
    const { clock, store, other } = world()
    const stuck = createIdempotency({ store, clock: paused(clock, 3 * minute) ?? clock })
    const outcomes: string[] = []
    const signals: Execution['signal'][] = []
    const first = outcome(
      stuck.run(request, async ({ signal }) => {
        signals.push(signal)
        await sleep(clock, 3 * minute + 1)
        return end()
      }),
    ).then((each) => outcomes.push(each))
    const next = async (): Promise<void> => {
      outcomes.push(await outcome(other.run({ ...request, rerun: 'safe' }, async () => 'winner')))
    }
    clock.setTimeout(() => void next(), 2 * minute)
    await clock.run(() => outcomes.length === 2)
    await first
    expect(outcomes[0]).toBe('executed "winner"')
    expect(outcomes[1]).toBe(_.endsWith('error') ? 'threw Error: late' : 'replayed "winner"')
    expect(signals[0]?.aborted).toBe(true)
    expect(await outcome(other.run(request, async () => 'again'))).toBe('replayed "winner"')
  })

  test('what was lost in the middle is uncertain, and never run again, until it is settled', async () => {
    const { clock, store, other } = world()
    const stuck = createIdempotency({ store, clock: paused(clock, 600 * minute) ?? clock })
    void stuck.run(request, () => new Promise(() => {}))
    let now = false
    clock.setTimeout(() => (now = true), 2 * minute)
    await clock.run(() => now)
    const { work, count } = counted()
    expect(await outcome(other.run(request, work))).toBe('uncertain')
    expect(await outcome(other.run(request, work))).toBe('uncertain')
    const [record] = await store.list({ limit: 10, state: 'uncertain' })
    expect(record?.scope).toBe('acct_1')
    expect(count()).toBe(0)
    expect(record && (await store.settle(record, null))).toBe(true)
    expect(await outcome(other.run(request, work))).toBe('executed "done"')
  })

  test('who wakes when somebody has settled it answers as was settled, and is told that it lost its lease', async () => {
    const { clock, store, other } = world()
    const stuck = createIdempotency({ store, clock: paused(clock, 3 * minute) ?? clock })
    const outcomes: string[] = []
    let lost = 0
    stuck.on('lease-lost', () => lost++)
    const first = outcome(
      stuck.run(request, async () => {
        await sleep(clock, 3 * minute + 1)
        return 'its own'
      }),
    ).then((each) => outcomes.push(each))
    const settle = async (): Promise<void> => {
      expect(await outcome(other.run(request, async () => 'another'))).toBe('uncertain')
      const [record] = await store.list({ limit: 10, state: 'uncertain' })
      if (record !== undefined) await other.resolve(record, applied('settled'))
    }
    clock.setTimeout(() => void settle(), 2 * minute)
    await clock.run(() => outcomes.length === 1)
    await first
    expect(outcomes).toEqual(['replayed "settled"'])
    expect(lost).toBe(1)
    expect(await outcome(other.run(request, async () => 'another'))).toBe('replayed "settled"')
  })
})

describe('a store that fails', () => {
  /** Fails those calls of a method that `fails` names, before or after they had their effect. */
  function faulty(
    clock: VirtualClock,
    method: 'claim' | 'complete' | 'renew',
    fails: (call: number) => 'before' | 'after' | false,
  ): IdempotencyStore {
    const store = memoryStore({ clock })
    const whole: IdempotencyStore[typeof method] = store[method].bind(store) as never
    let calls = 0
    const replacement = async (...args: readonly unknown[]): Promise<unknown> => {
      const when = fails(calls++)
      if (when === 'before') throw new Error('connection refused')
      const answer: unknown = await Reflect.apply(whole, store, args)
      if (when === 'after') throw new Error('connection reset')
      return answer
    }
    return new Proxy(store, {
      get: (target, name) => {
        if (name === method) return replacement
        const value: unknown = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  test('nothing is executed where a key cannot be claimed', async () => {
    const clock = new VirtualClock()
    const { idempotency } = world({ clock, store: faulty(clock, 'claim', () => 'before') })
    const { work, count } = counted()
    expect(await outcome(idempotency.run(request, work))).toBe('store_unavailable')
    expect(count()).toBe(0)
  })

  test('a claim that stood and was not heard of is let go, long before its lease ends', async () => {
    const clock = new VirtualClock()
    const { idempotency } = world({ clock, store: faulty(clock, 'claim', (call) => call === 0 && 'after') })
    const { work, count } = counted()
    expect(await outcome(idempotency.run(request, work))).toBe('store_unavailable')
    let now = false
    clock.setTimeout(() => (now = true), 1000)
    await clock.run(() => now)
    expect(await outcome(idempotency.run(request, work))).toBe('executed "done"')
    expect(count()).toBe(1)
  })

  test.each(['before', 'after'] as const)(
    'a completion that fails %s its effect is made all the same',
    async (when) => {
      const clock = new VirtualClock()
      const { idempotency, other } = world({
        clock,
        store: faulty(clock, 'complete', (call) => call < 3 && when),
      })
      const { work, count } = counted()
      const outcomes: string[] = []
      void outcome(idempotency.run(request, work)).then((each) => outcomes.push(each))
      await clock.run(() => outcomes.length === 1)
      expect(outcomes).toEqual(['executed "done"'])
      expect(await outcome(other.run(request, work))).toBe('replayed "done"')
      expect(count()).toBe(1)
    },
  )

  test('where it is gone for good the answer is true, and the record uncertain', async () => {
    const clock = new VirtualClock()
    const { idempotency, other } = world({ clock, store: faulty(clock, 'complete', () => 'before') })
    const { work, count } = counted()
    const outcomes: string[] = []
    void outcome(idempotency.run(request, work)).then((each) => outcomes.push(each))
    await clock.run(() => outcomes.length === 1)
    expect(outcomes).toEqual(['executed "done"'])
    let now = false
    clock.setTimeout(() => (now = true), 2 * minute)
    await clock.run(() => now)
    expect(await outcome(other.run(request, work))).toBe('uncertain')
    expect(count()).toBe(1)
  })

  test('at its capacity it refuses new keys, and keeps those that it has', async () => {
    const clock = new VirtualClock()
    const { idempotency } = world({ clock, store: memoryStore({ clock, capacity: 2 }) })
    const { work } = counted()
    const run = (key: string): Promise<string> => outcome(idempotency.run({ ...request, key }, work))
    expect([await run('a'), await run('b'), await run('c'), await run('a'), await run('b')]).toEqual([
      'executed "done"',
      'executed "done"',
      'store_unavailable',
      'replayed "done"',
      'replayed "done"',
    ])
  })
})

describe('disposal', () => {
  test('tells what is at work to end, and waits for it with its lease renewed', async () => {
    const { clock, idempotency, other } = world()
    let told: unknown
    let disposed = false
    const running = idempotency.run(request, async ({ signal }) => {
      await new Promise<void>((resolve) =>
        signal.addEventListener('abort', () => {
          told = signal.reason
          resolve()
        }),
      )
      await sleep(clock, 3 * minute)
      return 'done all the same'
    })
    void idempotency[Symbol.asyncDispose]().then(() => (disposed = true))
    expect(told).toMatchObject({ code: 'disposed', retryable: true })
    let passed = false
    void sleep(clock, 2 * minute).then(() => (passed = true))
    await clock.run(() => passed)
    expect(disposed).toBe(false)
    expect(await outcome(other.run(request, async () => 0))).toBe('in_use')
    await clock.run(() => disposed)
    expect(clock.now()).toBe(3 * minute)
    expect(await outcome(running)).toBe('executed "done all the same"')
  })

  test('leaves the key to the next one where the work ends at once', async () => {
    const { clock, store, idempotency } = world()
    const running = idempotency.run(request, ({ signal }) => {
      const { promise, reject } = Promise.withResolvers<never>()
      signal.addEventListener('abort', () => reject(signal.reason))
      return promise
    })
    const ended = outcome(running)
    // The store would be gone as well.
    store[Symbol.asyncDispose] = async () => {}
    await idempotency[Symbol.asyncDispose]()
    expect(await ended).toBe('disposed')
    const next = createIdempotency({ store, clock })
    expect(await outcome(next.run(request, async () => 'next'))).toBe('executed "next"')
  })
})

describe('secrets', () => {
  const secret = { id: '2026', value: 'a secret of 32 bytes, or so, yes' }

  test.each([
    ['longer than an id', 'sk_live_this_is_the_value_itself_0123456789'],
    ['as long as an id', 'the-real-value-0123456789'],
  ])('are in no error where id and value were confused: %s', (_, value) => {
    const good = { id: '2025', value: 'another one of many bytes' }
    const made = (): unknown =>
      createIdempotency({ store: memoryStore(), secrets: [good, { id: value, value: 'v1' }] })
    expect(made).toThrow(/secret number 2 must/)
    expect(made).not.toThrow(value)
  })

  test('a store sees neither keys nor contents', async () => {
    const { idempotency, store } = world({ secrets: [secret] })
    await idempotency.run({ ...request, key: 'the-key' }, async () => 'the-answer')
    const [record] = await store.list({ limit: 1 })
    const seen = JSON.stringify(record, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
    )
    expect(seen).not.toMatch(/the-key|the-answer/)
    expect(await outcome(idempotency.run({ ...request, key: 'the-key' }, async () => 0))).toBe(
      'replayed "the-answer"',
    )
  })

  test('a new one in front seals, and what the old one sealed is read', async () => {
    const { idempotency, store, clock } = world({ secrets: [secret] })
    await idempotency.run(request, async () => 'old')
    const next = { id: '2027', value: 'another secret of 32 bytes or so' }
    const rotated = createIdempotency({ store, clock, secrets: [next, secret] })
    expect(await outcome(rotated.run(request, async () => 0))).toBe('replayed "old"')
    const other = { ...request, input: { amount: 6 } }
    expect(await outcome(rotated.run(other, async () => 0))).toBe('mismatch')
    await rotated.run({ ...request, key: 'l' }, async () => 'new')
    expect(await outcome(idempotency.run({ ...request, key: 'l' }, async () => 0))).toBe('record_corrupt')
  })

  test('what was asked for cannot be guessed by the store, not even when it was erased', async () => {
    const { idempotency, store } = world({ secrets: [secret] })
    await idempotency.run({ ...request, input: { pin: '4711' } }, async () => 'done')
    await idempotency.run({ ...request, key: 'l', input: { pin: '4711' } }, async () => 'done')
    const clear = memoryStore()
    await createIdempotency({ store: clear }).run({ ...request, input: { pin: '4711' } }, async () => 'done')
    const stored = async (each: IdempotencyStore): Promise<string[]> =>
      (await each.list({ limit: 2 })).map(({ fingerprint }) => Buffer.from(fingerprint).toString('hex'))
    const guess = hash('sha256', JSON.stringify({ pin: '4711' }))
    expect(await stored(clear)).toEqual([guess])
    const marks = await stored(store)
    expect(marks).not.toContain(guess)
    // Nor whether two keys are of the same request.
    expect(new Set(marks).size).toBe(2)
    await store.erase({ scope: 'acct_1' })
    expect(await stored(store)).toEqual(marks)
    const guessed = { ...request, input: { pin: '4712' } }
    expect(await outcome(idempotency.run(guessed, async () => 0))).toBe('mismatch')
  })

  test('records of before fingerprints had marks are found, compared and gone on with', async () => {
    const { clock, store, idempotency } = world({ secrets: [secret] })
    const unmarked = new Proxy(store, {
      get: (_, name) => {
        const method: unknown = Reflect.get(store, name)
        if (name !== 'claim') return typeof method === 'function' ? method.bind(store) : method
        const fingerprint = hash('sha256', '{"amount":5}', 'buffer')
        return (claim: ClaimRequest) => store.claim({ ...claim, fingerprint })
      },
    })
    // One whose timers have died with it.
    const dead = { now: () => clock.now(), monotonic: () => clock.monotonic() }
    const before = createIdempotency({
      store: unmarked,
      clock: { ...dead, setTimeout: () => 0, clearTimeout: () => {} },
      secrets: [secret],
    })
    await before.run(request, async () => 'done')
    expect(await outcome(idempotency.run(request, async () => 0))).toBe('replayed "done"')
    const other = { ...request, input: { amount: 6 } }
    expect(await outcome(idempotency.run(other, async () => 0))).toBe('mismatch')
    for (const key of ['l', 'm']) void before.run({ ...request, key }, () => new Promise(() => {}))
    expect(await outcome(idempotency.run({ ...request, key: 'l' }, async () => 0))).toBe('in_use')
    let passed = false
    void sleep(clock, 2 * minute).then(() => (passed = true))
    await clock.run(() => passed)
    const again = { ...request, key: 'l', rerun: 'safe' } as const
    expect(await outcome(idempotency.run(again, async () => 'again'))).toBe('executed "again"')
    expect(await outcome(idempotency.run({ ...request, key: 'm' }, async () => 0))).toBe('uncertain')
  })

  test('a byte that is flipped is an error, never another answer', async () => {
    const { idempotency, store, clock } = world({ secrets: [secret] })
    await idempotency.run(request, async () => 'done')
    let flipped: number | undefined
    let length = 0
    const tampered: IdempotencyStore = Object.assign(Object.create(store), {
      async claim(claim: ClaimRequest) {
        const answer = await store.claim(claim)
        const response = Buffer.from(answer.record.response ?? [])
        length = response.length
        if (flipped !== undefined) response[flipped] = (response[flipped] ?? 0) ^ 1
        return { ...answer, record: { ...answer.record, response } }
      },
    })
    const retry = createIdempotency({ store: tampered, clock, secrets: [secret] })
    expect(await outcome(retry.run(request, async () => 0))).toBe('replayed "done"')
    expect(length).toBeGreaterThan(40)
    // The first byte says that it is sealed: without it this is some other content.
    for (flipped = 1; flipped < length; flipped++) {
      expect(await outcome(retry.run(request, async () => 0))).toBe('record_corrupt')
    }
  })

  test('the answer of a record that had the key before is not an answer of this one', async () => {
    const { idempotency, store, clock } = world({ secrets: [secret], ttl: '1m' })
    const stored = async (): Promise<Uint8Array | null | undefined> =>
      (await store.list({ limit: 1 })).map(({ response }) => response)[0]
    await idempotency.run(request, async () => 'first')
    const first = await stored()
    let passed = false
    void sleep(clock, 2 * minute).then(() => (passed = true))
    await clock.run(() => passed)
    expect(await outcome(idempotency.run(request, async () => 'second'))).toBe('executed "second"')
    const tampered: IdempotencyStore = Object.assign(Object.create(store), {
      async claim(claim: ClaimRequest) {
        const answer = await store.claim(claim)
        return { ...answer, record: { ...answer.record, response: first } }
      },
    })
    const retry = createIdempotency({ store: tampered, clock, secrets: [secret] })
    expect(await outcome(retry.run(request, async () => 0))).toBe('record_corrupt')
    expect(await outcome(idempotency.run(request, async () => 0))).toBe('replayed "second"')
  })

  test('what was erased is gone, and is not executed again', async () => {
    const { idempotency, store } = world()
    await idempotency.run(request, async () => 'done')
    expect(await store.erase({ scope: 'acct_1' })).toBe(1)
    const { work, count } = counted()
    expect(await outcome(idempotency.run(request, work))).toBe('response_unavailable')
    expect(count()).toBe(0)
  })
})

describe('bad input', () => {
  test.each([
    ['lease', { lease: 0 }],
    ['ttl', { ttl: '-1s' }],
    ['storeTimeout', { storeTimeout: Number.NaN }],
    ['value of secret number 1', { secrets: [{ id: '2026', value: 'short' }] }],
    ['id of secret number 1', { secrets: [{ id: '', value: 'a secret of 32 bytes, or so, yes' }] }],
  ])('%s', (name, options) => {
    expect(() => createIdempotency({ store: memoryStore(), ...options })).toThrow(
      expect.objectContaining({ code: 'invalid_option', message: expect.stringContaining(name) }),
    )
  })
  test.each(['scope', 'key'])('%s', async (name) => {
    const { idempotency } = world()
    await expect(idempotency.run({ ...request, [name]: '' }, async () => 0)).rejects.toMatchObject({
      code: 'invalid_option',
      message: expect.stringContaining(name),
    })
  })
})
