import { Buffer } from 'node:buffer'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { claim, completed, erased, type IdempotencyRecord, uncertain } from '../record/record.ts'
import { isPackedAt, pack, unpack } from './packed-record.ts'

const bytes = fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each))
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 20 }), fc.constant('__proto__'))
const time = fc.oneof(
  { weight: 9, arbitrary: fc.maxSafeNat().map((each) => each % 2 ** 48) },
  { weight: 1, arbitrary: fc.constantFrom(0, 2 ** 48 - 1, 2 ** 32, 1_790_000_000_000) },
)

const record: fc.Arbitrary<IdempotencyRecord> = fc
  .record({
    id: text,
    scope: text,
    key: text,
    endpoint: text,
    fingerprint: bytes,
    owner: text,
    answer: bytes,
  })
  .chain(({ answer, ...request }) =>
    fc.tuple(time, time, time, fc.nat(), fc.boolean()).map(([now, expiresAt, leaseEnds, fence, same]) => {
      const asked = { ...request, lease: 1, ttl: 1, onAbandoned: 'rerun' as const, operation: null }
      const { record: claimed } = claim(undefined, { ...asked, owner: same ? asked.id : asked.owner }, now)
      return { ...completed(claimed, answer, now), expiresAt, leaseEnds, fence }
    }),
  )

const plain = ({ fingerprint, response, ...rest }: IdempotencyRecord): unknown => ({
  ...rest,
  fingerprint: Buffer.from(fingerprint).toString('hex'),
  response: response && Buffer.from(response).toString('hex'),
})

test('what is packed comes out as it was, and is found by its scope and key alone', () => {
  let packed = 0
  fc.assert(
    fc.property(record, text, text, (each, scope, key) => {
      const kept = pack(each)
      if (kept === undefined) return
      packed++
      expect(plain(unpack(kept))).toEqual(plain(each))
      expect(isPackedAt(kept, each)).toBe(true)
      expect(isPackedAt(kept, { scope, key })).toBe(scope === each.scope && key === each.key)
      expect(isPackedAt(kept, { scope: `${each.scope}x`, key: each.key.slice(1) })).toBe(false)
    }),
    { numRuns: 3000 },
  )
  expect(packed).toBeGreaterThan(500)
})

test('what has more to it than an answer is not packed', () => {
  const request = { scope: 's', key: 'k', endpoint: 'e', fingerprint: Buffer.alloc(32), id: 'i', owner: 'o' }
  const { record: claimed } = claim(
    undefined,
    { ...request, lease: 1, ttl: 1, onAbandoned: 'rerun', operation: null },
    0,
  )
  const done = completed(claimed, Buffer.alloc(5), 0)
  expect(pack(done)).toBeDefined()
  const others: readonly IdempotencyRecord[] = [
    claimed,
    uncertain(claimed, 'lost'),
    erased(done),
    completed(claimed, Buffer.alloc(20_000), 0),
    { ...done, endpoint: 'POST /é' },
    { ...done, scope: '💰' },
    { ...done, operation: { name: 'pay', input: Buffer.alloc(1) } },
    { ...done, createdAt: 0.5 },
    { ...done, leaseEnds: -1 },
    { ...done, expiresAt: 2 ** 48 },
    { ...done, fence: Number.NaN },
    { ...done, recoveryPoint: 'paid', journal: new Map([['paid', Buffer.alloc(1)]]) },
  ]
  expect(others.map(pack)).toEqual(others.map(() => undefined))
})
