import fc from 'fast-check'
import { expect, test } from 'vitest'
import { sharedCopyOf } from './shared-entries.ts'
import { type MapKey, scalar, type Value } from './value.ts'

const key: fc.Arbitrary<MapKey> = fc.oneof(
  fc.integer({ min: 0, max: 200 }).map(String),
  fc.bigInt({ min: 0n, max: 9n }),
)
const change = fc.record({
  /** Of which of the versions so far a copy is changed. */
  of: fc.nat(),
  key,
  to: fc.option(fc.string(), { nil: undefined }),
})

test('a copy of many entries is changed as a copy one by one is, and no other with it', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300 }), fc.array(change, { maxLength: 100 }), (size, changes) => {
      const first = Array.from({ length: size }, (_, at): [MapKey, Value] => [String(at), scalar(BigInt(at))])
      const versions: { model: ReadonlyMap<MapKey, Value>; shared: ReadonlyMap<MapKey, Value> }[] = [
        { model: new Map(first), shared: new Map(first) },
      ]
      for (const { of, key: changed, to } of changes) {
        // Mostly the last one, now and then one before it.
        const from = versions[of % 5 === 0 ? of % versions.length : versions.length - 1]
        if (from === undefined) throw new Error('there is always a version')
        const model = new Map(from.model)
        const shared = sharedCopyOf(from.shared)
        if (to === undefined) expect(shared.delete(changed)).toBe(model.delete(changed))
        else {
          const value = scalar(to)
          model.set(changed, value)
          shared.set(changed, value)
        }
        versions.push({ model, shared })
      }
      for (const { model, shared } of versions) {
        expect([...shared]).toEqual([...model])
        expect([...shared.keys()]).toEqual([...model.keys()])
        expect([...shared.values()]).toEqual([...model.values()])
        expect(shared.size).toBe(model.size)
        shared.forEach((value, each) => expect(value).toBe(model.get(each)))
        for (const [each, value] of model) expect([shared.has(each), shared.get(each)]).toEqual([true, value])
        expect([shared.has('none'), shared.get('none')]).toEqual([false, undefined])
      }
    }),
  )
})

test('entries are all taken away at once', () => {
  const shared = sharedCopyOf(new Map(Array.from({ length: 100 }, (_, at) => [String(at), scalar('')])))
  const copied = sharedCopyOf(shared)
  copied.clear()
  expect([copied.size, [...copied], shared.size]).toEqual([0, [], 100])
})
