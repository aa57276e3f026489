import { Buffer } from 'node:buffer'
import type {
  ClaimRequest,
  Holder,
  IdempotencyRecord,
  IdempotencyStore,
  ListFilter,
  OnAbandoned,
} from '@loadbearing/stripe-idempotency'
import { memoryStore } from '@loadbearing/stripe-idempotency'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

/** A store under test, empty, and how its clock is moved. */
export interface OpenStore extends AsyncDisposable {
  readonly store: IdempotencyStore
  /** Milliseconds from now on the store's clock. */
  readonly pass: (ms: number) => Promise<void> | void
}

type Step =
  | {
      readonly do: 'claim'
      readonly key: number
      readonly fingerprint: number
      readonly onAbandoned: OnAbandoned
    }
  | { readonly do: 'renew' | 'advance' | 'complete' | 'leave' | 'release' | 'uncertain'; readonly of: number }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'settle'; readonly key: number; readonly answer: boolean }
  | { readonly do: 'reopen' | 'erase'; readonly key: number }
  | { readonly do: 'reap' }
  | { readonly do: 'list' }

const lease = 1000
const ttl = 5000
const scopes = ['acct_1', 'acct_2', 'acct_', '__proto__', "o'hare\u0000\ud83d\udcb0"]
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('claim' as const),
      key: fc.nat(3),
      fingerprint: fc.nat(1),
      onAbandoned: fc.constantFrom<OnAbandoned>('rerun', 'resume', 'uncertain'),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('renew', 'advance', 'complete', 'leave', 'release', 'uncertain'),
      of: fc.nat(5),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 999, 1000, 1001, 5000) }),
  },
  fc.record({ do: fc.constant('settle' as const), key: fc.nat(3), answer: fc.boolean() }),
  fc.record({ do: fc.constantFrom('reopen' as const, 'erase' as const), key: fc.nat(3) }),
  fc.record({ do: fc.constantFrom('reap' as const, 'list' as const) }),
)

/**
 * Every store must pass it.
 *
 * @param numRuns series of calls; 0 for the store in memory, with which the others are compared
 */
export function storeSuite(name: string, open: () => Promise<OpenStore>, numRuns: number): void {
  describe(`${name}, as a store`, () => {
    if (numRuns > 0) comparison(open, numRuns)

    test('of 50 claims at the same time one has the record', async () => {
      await using opened = await open()
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) =>
          Promise.resolve(
            opened.store.claim(claimOf({ do: 'claim', key: 0, fingerprint: 0, onAbandoned: 'rerun' }, n)),
          ),
        ),
      )
      expect(answers.filter(({ claimed }) => claimed)).toHaveLength(1)
      expect(new Set(answers.map(({ record }) => record.id)).size).toBe(1)
    })

    test('a record of which a phase was noted twice is taken over', async () => {
      await using opened = await open()
      const { store } = opened
      const request = claimOf({ do: 'claim', key: 0, fingerprint: 0, onAbandoned: 'resume' }, 1)
      const { record: old } = await store.claim(request)
      for (const output of ['tried', 'not done']) {
        await store.advance(old, { name: 'called:intent', output: Buffer.from(output) })
      }
      await opened.pass(lease)
      const { claimed, record } = await store.claim({ ...request, owner: 'owner-2' })
      expect(claimed).toBe(true)
      expect([...record.journal].map(([phase, output]) => [phase, String(output)])).toEqual([
        ['called:intent', 'not done'],
      ])
    })

    test('what failed and left nothing goes in time, and what an operation has begun does not', async () => {
      await using opened = await open()
      const { store } = opened
      const request = claimOf({ do: 'claim', key: 0, fingerprint: 0, onAbandoned: 'rerun' }, 2)
      const begun = claimOf({ do: 'claim', key: 1, fingerprint: 0, onAbandoned: 'resume' }, 1)
      const done = claimOf({ do: 'claim', key: 2, fingerprint: 0, onAbandoned: 'rerun' }, 4)
      expect([request.operation, begun.operation?.name]).toEqual([null, 'charge'])
      const ids = async (): Promise<string[]> => (await store.list({ limit: 10 })).map(({ id }) => id)
      await store.leave((await store.claim(request)).record)
      await store.leave((await store.claim(begun)).record)
      await store.complete((await store.claim(done)).record, Buffer.from('1'))
      await opened.pass(ttl - 1)
      expect((await ids()).toSorted()).toEqual(['id-1', 'id-2', 'id-4'])
      // Taken up again, it does not go while somebody is at it.
      const { record } = await store.claim({ ...request, id: 'id-3', owner: 'owner-3' })
      expect([record.id, record.fence]).toEqual(['id-2', 2])
      await opened.pass(1)
      expect((await ids()).toSorted()).toEqual(['id-1', 'id-2'])
      await store.leave(record)
      expect(await ids()).toEqual(['id-1'])
      expect(await store.find(request.scope, request.key)).toBeUndefined()
      // Some sweep by whole seconds; Redis deletes by itself.
      await opened.pass(1000)
      expect([0, 2]).toContain(await store.reap(10))
      expect(await store.reap(10)).toBe(0)
      const anew = await store.claim({ ...request, id: 'id-5', owner: 'owner-5', fingerprint: Buffer.of(7) })
      expect([anew.claimed, anew.record.id, anew.record.fence]).toEqual([true, 'id-5', 1])
    })

    test('an answer that comes at the end of its retention, or after it, is kept for who waits for it', async () => {
      await using opened = await open()
      const { store } = opened
      const [early, late, later, doubted] = await Promise.all(
        [0, 1, 2, 3].map(async (n) => {
          const asked = claimOf({ do: 'claim', key: n, fingerprint: 0, onAbandoned: 'rerun' }, n)
          return (await store.claim(asked)).record
        }),
      )
      const kept = async (): Promise<string[]> =>
        (await store.list({ limit: 10, state: 'completed' })).map(({ id }) => id).toSorted()
      const answer = Buffer.from('1')
      expect(await store.markUncertain(doubted ?? never, 'so it is')).toBe(true)
      expect(await store.complete(early ?? never, answer)).toBe(true)
      await opened.pass(ttl - 1)
      expect(await store.complete(late ?? never, answer)).toBe(true)
      await opened.pass(1)
      expect(await kept()).toEqual(['id-1'])
      await opened.pass(ttl / 10 - 2)
      expect(await kept()).toEqual(['id-1'])
      expect(await store.complete(later ?? never, answer)).toBe(true)
      expect(await store.settle(doubted ?? never, answer)).toBe(true)
      await opened.pass(1)
      expect(await kept()).toEqual(['id-2', 'id-3'])
      await opened.pass(ttl / 10 - 2)
      expect(await kept()).toEqual(['id-2', 'id-3'])
      await opened.pass(1)
      expect(await kept()).toEqual(['id-3'])
      expect(await store.find(later?.scope ?? '', later?.key ?? '')).toBeUndefined()
      await opened.pass(ttl - ttl / 10 - 1)
      expect(await kept()).toEqual(['id-3'])
      await opened.pass(1)
      expect(await kept()).toEqual([])
    })

    test('lists the records of the operations that are asked for, however many newer ones there are', async () => {
      await using opened = await open()
      const { store } = opened
      // All with an odd number are of an operation.
      const names = [null, 'pay', null, "o'hare\u0000\\", null, 'refund', null]
      for (const [n, of] of names.entries()) {
        const claimed = claimOf({ do: 'claim', key: n % 4, fingerprint: 0, onAbandoned: 'resume' }, n)
        const operation = of === null ? null : { name: of, input: Buffer.of(n) }
        const { record } = await store.claim({ ...claimed, key: `key ${n}`, operation })
        if (n > 3) await store.markUncertain(record, 'so it is')
        await opened.pass(1)
      }
      const ids = async (filter: Omit<ListFilter, 'limit'>): Promise<string[]> =>
        (await store.list({ limit: 2, ...filter })).map(({ id }) => id)
      expect(await ids({})).toEqual(['id-6', 'id-5'])
      expect(await ids({ operations: ['pay', "o'hare\u0000\\"] })).toEqual(['id-3', 'id-1'])
      expect(await ids({ operations: ['pay', 'refund'], state: 'claimed' })).toEqual(['id-1'])
      expect(await ids({ operations: ['pay', 'refund'], state: 'uncertain' })).toEqual(['id-5'])
      expect(await ids({ operations: ['nothing'] })).toEqual([])
      expect(await ids({ operations: [] })).toEqual([])
    })

    test('a holder that was overtaken writes nothing, whatever it writes', async () => {
      await using opened = await open()
      const { store } = opened
      const request = claimOf({ do: 'claim', key: 0, fingerprint: 0, onAbandoned: 'resume' }, 1)
      const { record: old } = await store.claim(request)
      await opened.pass(lease)
      const { record } = await store.claim({ ...request, id: 'id-2', owner: 'owner-2' })
      expect([record.id, record.fence]).toEqual([old.id, old.fence + 1])
      const { owner } = old
      for (const stale of [
        old,
        { ...record, owner },
        { ...record, fence: old.fence },
        { ...old, fence: 3 },
      ]) {
        expect(await store.renew(stale, lease)).toBe(false)
        expect(await store.advance(stale, { name: 'p', output: Buffer.of(1) })).toBe(false)
        expect(await store.complete(stale, Buffer.from('late'))).toBe(false)
        expect(await store.leave(stale)).toBe(false)
        expect(await store.release(stale)).toBe(false)
        expect(await store.markUncertain(stale, 'late')).toBe(false)
      }
      const found = await store.find(record.scope, record.key)
      expect(found && comparable(found)).toEqual(comparable(record))
      expect(await store.complete(record, Buffer.from('its own'))).toBe(true)
    })

    test('a fence of a record that is gone holds no other', async () => {
      await using opened = await open()
      const { store } = opened
      const request = claimOf({ do: 'claim', key: 0, fingerprint: 0, onAbandoned: 'rerun' }, 1)
      const { record: old } = await store.claim(request)
      await store.complete(old, Buffer.from('1'))
      await opened.pass(ttl)
      const { record } = await store.claim({ ...request, id: 'id-2', owner: 'owner-2' })
      expect(record.fence).toBe(old.fence)
      expect(await store.complete(old, Buffer.from('2'))).toBe(false)
      expect(await store.renew(old, lease)).toBe(false)
      expect(await store.complete(record, Buffer.from('3'))).toBe(true)
    })
  })
}

function comparison(open: () => Promise<OpenStore>, numRuns: number): void {
  test('answers every series of calls as the store in memory does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        await using opened = await open()
        let now = 0
        const clock = { now: () => now, monotonic: () => now, setTimeout: () => 0, clearTimeout: () => {} }
        const model = memoryStore({ clock })
        const [ours, expected] = [new Trial(opened.store), new Trial(model)]
        for (const each of steps) {
          if (each.do === 'pass') {
            now += each.ms
            await opened.pass(each.ms)
          } else expect(await ours.take(each)).toEqual(await expected.take(each))
        }
      }),
      { numRuns },
    )
  })
}

/** Takes the steps, and answers what can be compared. */
class Trial {
  readonly #store: IdempotencyStore
  readonly #holders: Holder[] = []
  #claims = 0

  constructor(store: IdempotencyStore) {
    this.#store = store
  }

  async take(each: Exclude<Step, { do: 'pass' }>): Promise<unknown> {
    switch (each.do) {
      case 'claim': {
        const answer = await this.#store.claim(claimOf(each, this.#claims++))
        if (answer.claimed) this.#holders.unshift(answer.record)
        return { claimed: answer.claimed, record: comparable(answer.record) }
      }
      case 'settle': {
        const found = await this.#find(each.key)
        return found && this.#store.settle(found, each.answer ? Buffer.from('settled') : null)
      }
      case 'reopen': {
        const found = await this.#find(each.key)
        return found && this.#store.reopen(found, { name: 'known', output: Buffer.from([0, 1]) })
      }
      case 'erase': {
        const { scope, key } = placeOf(each.key)
        return this.#store.erase(each.key === 0 ? { scope } : { scope, key })
      }
      case 'reap':
        // Who has expired and is there is the store's own affair.
        await this.#store.reap(10)
        return undefined
      case 'list': {
        const records = await this.#store.list({ limit: 10 })
        return records.map(comparable).toSorted((a, b) => (a.key < b.key ? -1 : 1))
      }
      case 'renew':
      case 'advance':
      case 'complete':
      case 'leave':
      case 'release':
      case 'uncertain':
        return this.#ofHolder(each.do, this.#holders[each.of])
      default:
        return each satisfies never
    }
  }

  async #ofHolder(action: Extract<Step, { of: number }>['do'], holder: Holder | undefined): Promise<unknown> {
    if (holder === undefined) return undefined
    const done = await {
      renew: () => this.#store.renew(holder, lease),
      advance: () => this.#store.advance(holder, { name: `p${holder.fence}`, output: Buffer.from([0, 255]) }),
      complete: () => this.#store.complete(holder, Buffer.from(`answer of ${holder.owner}`)),
      leave: () => this.#store.leave(holder),
      release: () => this.#store.release(holder),
      uncertain: () => this.#store.markUncertain(holder, 'so it is'),
    }[action]()
    const found = await this.#store.find(holder.scope, holder.key)
    return { done, found: found && comparable(found) }
  }

  #find(key: number): Promise<IdempotencyRecord | undefined> {
    const place = placeOf(key)
    return this.#store.find(place.scope, place.key)
  }
}

/** No store has it. */
const never: Holder = { scope: '', key: '', id: '', fence: 0, owner: '' }

function placeOf(key: number): { scope: string; key: string } {
  return { scope: scopes[key] ?? '', key: `key-${key}` }
}

function claimOf(each: Extract<Step, { do: 'claim' }>, n: number): ClaimRequest {
  return {
    ...placeOf(each.key),
    endpoint: 'POST /v1/charges',
    fingerprint: Buffer.from([each.fingerprint, 0, 255]),
    id: `id-${n}`,
    owner: `owner-${n}`,
    lease,
    ttl,
    onAbandoned: each.onAbandoned,
    operation: n % 2 === 0 ? null : { name: 'charge', input: Buffer.from([1, 0]) },
  }
}

/** Times of two clocks are compared by what lies between them. */
function comparable({
  createdAt,
  expiresAt,
  leaseEnds,
  journal,
  ...record
}: IdempotencyRecord): Record<string, unknown> & { key: string } {
  const plain = (bytes: Uint8Array | null): string | null =>
    bytes === null ? null : Buffer.from(bytes).toString('hex')
  return {
    ...record,
    fingerprint: plain(record.fingerprint),
    response: plain(record.response),
    operation: record.operation && { name: record.operation.name, input: plain(record.operation.input) },
    journal: [...journal].map(([name, output]) => [name, plain(output)]),
    life: expiresAt - createdAt,
    lease: leaseEnds === 0 ? 'left' : 'held',
  }
}
