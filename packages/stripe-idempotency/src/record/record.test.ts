import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  advanced,
  type ClaimRequest,
  claim,
  completed,
  erased,
  type Holder,
  hasExpired,
  holds,
  type IdempotencyRecord,
  left,
  type OnAbandoned,
  renewed,
  reopened,
  settled,
  uncertain,
} from './record.ts'

const lease = 100
const ttl = 1000

function requestOf(owner: string, other: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    scope: 'acct_1',
    key: 'name',
    endpoint: 'POST /v1/charges',
    fingerprint: Uint8Array.of(1, 2),
    id: `record of ${owner}`,
    owner,
    lease,
    ttl,
    onAbandoned: 'uncertain',
    operation: null,
    ...other,
  }
}

const point = { name: 'charged', output: Uint8Array.of(7) }
const answer = Uint8Array.of(9)
const start = claim(undefined, requestOf('first'), 1).record
const held = advanced(start, point)
const failed = left(renewed(start, lease, 450))

/** Every state a record can be in at 500. */
const states = {
  absent: undefined,
  'claimed, lease live': renewed(held, lease, 450),
  'claimed, lease dead': held,
  'claimed, lease ends now': renewed(held, lease, 400),
  'claimed, left': left(renewed(held, lease, 450)),
  'claimed, left, expired': { ...left(held), expiresAt: 500 },
  'claimed, left with nothing': failed,
  'claimed, left with nothing, expired': { ...failed, expiresAt: 500 },
  'claimed, left with an operation, expired': {
    ...failed,
    expiresAt: 500,
    operation: { name: 'pay', input: Uint8Array.of(5) },
  },
  completed: completed(held, answer, 400),
  'completed, erased': erased(completed(held, answer, 400)),
  'completed, expired': { ...completed(held, answer, 400), expiresAt: 500 },
  uncertain: uncertain(held, 'lost'),
  'uncertain, expired': { ...uncertain(held, 'lost'), expiresAt: 500 },
  reopened: reopened(uncertain(held, 'lost'), point),
} satisfies Record<string, IdempotencyRecord | undefined>

type State = keyof typeof states

/** What section 3.4 of the specification has a claim come to. */
type Effect = 'insert' | 'none' | 'own' | 'from the start' | 'at the recovery point' | 'uncertain'

const claimers = {
  'of another request': [{ fingerprint: Uint8Array.of(1, 3) }, { endpoint: 'POST /v1/refunds' }],
  'to rerun': [{ onAbandoned: 'rerun' }],
  'to resume': [{ onAbandoned: 'resume' }],
  'to be told': [{ onAbandoned: 'uncertain' }],
} satisfies Record<string, Partial<ClaimRequest>[]>

const atRest: Record<keyof typeof claimers, Effect> = {
  'of another request': 'none',
  'to rerun': 'none',
  'to resume': 'none',
  'to be told': 'none',
}
const inserts: Record<keyof typeof claimers, Effect> = {
  'of another request': 'insert',
  'to rerun': 'insert',
  'to resume': 'insert',
  'to be told': 'insert',
}
const abandoned: Record<keyof typeof claimers, Effect> = {
  'of another request': 'none',
  'to rerun': 'from the start',
  'to resume': 'at the recovery point',
  'to be told': 'uncertain',
}
const goesOn: Record<keyof typeof claimers, Effect> = {
  'of another request': 'none',
  'to rerun': 'at the recovery point',
  'to resume': 'at the recovery point',
  'to be told': 'at the recovery point',
}

const again: Record<keyof typeof claimers, Effect> = {
  'of another request': 'none',
  'to rerun': 'from the start',
  'to resume': 'from the start',
  'to be told': 'from the start',
}

const claims: Record<State, Record<keyof typeof claimers, Effect>> = {
  absent: inserts,
  'claimed, lease live': atRest,
  'claimed, lease dead': abandoned,
  'claimed, lease ends now': abandoned,
  'claimed, left': goesOn,
  'claimed, left, expired': goesOn,
  'claimed, left with nothing': again,
  'claimed, left with nothing, expired': inserts,
  'claimed, left with an operation, expired': again,
  completed: atRest,
  'completed, erased': atRest,
  'completed, expired': inserts,
  uncertain: atRest,
  'uncertain, expired': atRest,
  reopened: goesOn,
}

function effectOf(found: IdempotencyRecord | undefined, request: ClaimRequest): Effect {
  const { claimed, record, now } = claim(found, request, 500)
  expect(now).toBe(500)
  if (!claimed && record === found) return 'none'
  if (claimed && record === found) return 'own'
  if (!claimed) {
    expect(record).toEqual({ ...found, state: 'uncertain', why: record.why })
    expect(record.why).not.toBe('')
    return 'uncertain'
  }
  expect(record).toMatchObject({ owner: request.owner, leaseEnds: 500 + lease, state: 'claimed', why: null })
  if (record.id === request.id) {
    expect(record).toMatchObject({ fence: 1, createdAt: 500, expiresAt: 500 + ttl, recoveryPoint: null })
    expect([record.response, record.erased, record.journal.size]).toEqual([null, false, 0])
    return 'insert'
  }
  expect(record).toMatchObject({ id: found?.id, fence: (found?.fence ?? 0) + 1, createdAt: found?.createdAt })
  if (record.recoveryPoint === null) {
    expect(record.journal.size).toBe(0)
    return 'from the start'
  }
  expect(record).toMatchObject({ recoveryPoint: found?.recoveryPoint, journal: found?.journal })
  return 'at the recovery point'
}

describe('a claim, in every state', () => {
  const rows = Object.entries(claims).flatMap(([state, effects]) =>
    Object.entries(effects).map(([claimer, effect]) => [state, claimer, effect] as const),
  )
  test.each(rows)('%s, claimed %s: %s', (state, claimer, effect) => {
    const found = Object.entries(states).find(([name]) => name === state)?.[1]
    const requests = Object.entries(claimers).find(([name]) => name === claimer)?.[1] ?? []
    expect(requests.length).toBeGreaterThan(0)
    for (const other of requests) expect(effectOf(found, requestOf('second', other))).toBe(effect)
  })

  test('the holder that asks again, its answer lost, has what it had', () => {
    for (const onAbandoned of ['rerun', 'resume', 'uncertain'] as const) {
      expect(effectOf(states['claimed, lease live'], requestOf('first', { onAbandoned }))).toBe('own')
    }
  })
})

/** What a holder may ask for, and what it makes of a record that is its own; undefined: deleted. */
const writes: Record<string, (record: IdempotencyRecord) => IdempotencyRecord | undefined> = {
  renew: (record) => renewed(record, lease, 500),
  leave: left,
  advance: (record) => advanced(record, point),
  complete: (record) => completed(record, answer, 500),
  release: () => undefined,
  'mark uncertain': (record) => uncertain(record, 'lost'),
}

describe('whose writes are taken, in every state', () => {
  test.each(Object.entries(states))('%s', (state, record) => {
    const holder = start
    const mine = state.startsWith('claimed')
    expect(holds(holder, record)).toBe(mine)
    const others: Partial<Holder>[] = [{ id: 'other' }, { owner: 'other' }, { fence: 0 }, { fence: 3 }]
    for (const other of others) expect(holds({ ...holder, ...other }, record)).toBe(false)
  })

  test.each(Object.entries(writes))('%s changes what it says, and no more', (name, write) => {
    const changed: Record<string, Partial<IdempotencyRecord>> = {
      renew: { leaseEnds: 600 },
      leave: { leaseEnds: 0 },
      advance: { recoveryPoint: 'charged', journal: new Map([['charged', Uint8Array.of(7)]]) },
      complete: { state: 'completed', response: answer },
      'mark uncertain': { state: 'uncertain', why: 'lost' },
    }
    expect(write(start)).toEqual(name === 'release' ? undefined : { ...start, ...changed[name] })
  })
})

describe('for how long an answer is kept', () => {
  const record = { ...start, createdAt: 1000, expiresAt: 2000 }
  test.each([
    ['that comes early', 1000, 2000],
    ['that comes when a tenth of its retention is left', 1900, 2000],
    ['that comes later', 1901, 2001],
    ['that comes at the end', 2000, 2100],
    ['that comes long after it', 9000, 9100],
    ['whose clock was set back', 0, 2000],
  ])('%s', (_, now, expiresAt) => {
    expect(completed(record, answer, now).expiresAt).toBe(expiresAt)
  })

  test('that somebody found out: for a whole retention', () => {
    const doubted = uncertain(record, 'lost')
    expect(settled(doubted, answer, 9000).expiresAt).toBe(10_000)
    expect(settled(doubted, answer, 0).expiresAt).toBe(2000)
  })
})

type Step =
  | { readonly do: 'claim'; readonly onAbandoned: OnAbandoned; readonly other: boolean }
  | { readonly do: 'again' | 'write'; readonly holder: number; readonly write: string }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'settle' | 'reopen' | 'erase' | 'reap' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('claim' as const),
      onAbandoned: fc.constantFrom<OnAbandoned>('rerun', 'resume', 'uncertain'),
      other: fc.boolean(),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('again' as const, 'write' as const, 'write' as const),
      holder: fc.nat(5),
      write: fc.constantFrom(...Object.keys(writes)),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, lease, ttl) }),
  },
  fc.record({ do: fc.constantFrom('settle' as const, 'reopen' as const, 'erase' as const, 'reap' as const) }),
)

/** One record through any series of events, with a list of all who ever held it. */
class Life {
  record: IdempotencyRecord | undefined
  /** By what was answered to them alone: the one to whom the record belongs, if anybody. */
  current: Holder | undefined
  readonly holders: Holder[] = []
  readonly fences = new Map<string, number>()
  now = 1
  #claims = 0

  take(each: Step): void {
    const before = this.record
    switch (each.do) {
      case 'claim': {
        const fingerprint = Uint8Array.of(each.other ? 2 : 1)
        this.#claim(requestOf(`owner ${this.#claims++}`, { onAbandoned: each.onAbandoned, fingerprint }))
        break
      }
      case 'again': {
        const holder = this.holders[each.holder]
        // Its own claim only while it holds it: whoever lost it is a rival by another name.
        if (holder !== undefined && holder === this.current) this.#claim(requestOf(holder.owner))
        break
      }
      case 'write':
        this.#write(this.holders[each.holder], each.write)
        break
      case 'pass':
        this.now += each.ms
        break
      case 'reap':
        if (before !== undefined && hasExpired(before, this.now)) this.record = undefined
        break
      case 'erase':
        this.record = before && erased(before)
        break
      case 'settle':
        if (before?.state === 'uncertain') this.record = settled(before, answer, this.now)
        break
      case 'reopen':
        if (before?.state === 'uncertain') this.record = reopened(before, point)
        break
      default:
        each satisfies never
    }
  }

  #claim(request: ClaimRequest): void {
    const { claimed, record } = claim(this.record, request, this.now)
    if (claimed && this.current?.owner !== request.owner) {
      const { scope, key, id, fence, owner } = record
      this.current = { scope, key, id, fence, owner }
      this.holders.push(this.current)
    }
    if (record.state !== 'claimed') this.current = undefined
    this.record = record
  }

  #write(holder: Holder | undefined, name: string): void {
    if (holder === undefined) return
    const taken = holds(holder, this.record)
    if (taken !== (holder === this.current)) throw new Error(`a write of ${holder.owner} is taken: ${taken}`)
    if (!taken) return
    const write = writes[name]
    if (write === undefined || this.record === undefined) throw new Error(`no such write: ${name}`)
    this.record = write(this.record)
    if (this.record?.state !== 'claimed') this.current = undefined
  }
}

describe('any series of events', () => {
  test('fences never go back, holders are never mixed up, and only what is completed, or failed with nothing left, is lost', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const life = new Life()
        for (const each of steps) {
          const before = life.record
          life.take(each)
          const { record } = life
          if (record !== undefined) {
            expect(record.fence).toBeGreaterThanOrEqual(life.fences.get(record.id) ?? 1)
            life.fences.set(record.id, record.fence)
          }
          const gone = before !== undefined && record?.id !== before.id
          const failedAlone =
            before?.state === 'claimed' && before.leaseEnds === 0 && before.recoveryPoint === null
          if (gone && before.state !== 'completed' && !failedAlone)
            expect(each).toMatchObject({ do: 'write', write: 'release' })
          if (before?.state === 'completed' && !gone && each.do !== 'erase') expect(record).toBe(before)
        }
        const names = life.holders.map(({ id, fence }) => `${id} ${fence}`)
        expect(new Set(names).size).toBe(names.length)
      }),
      { numRuns: 3000 },
    )
  })
})
