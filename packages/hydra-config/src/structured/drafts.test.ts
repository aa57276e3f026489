import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type MapKey, scalar, type Value } from '../value/value.ts'
import { EntryDrafts, ItemDrafts } from './drafts.ts'

/** What a draft would be of a value at its key. */
function thawed(key: MapKey, value: Value): string {
  return `${String(key)}: ${value.kind === 'scalar' ? String(value.value) : ''}`
}

const key: fc.Arbitrary<MapKey> = fc.oneof(
  fc.integer({ min: 0, max: 9 }).map(String),
  fc.bigInt({ min: 0n, max: 3n }),
)
const change = fc.record({ key, act: fc.constantFrom('get', 'set', 'delete'), to: fc.string() })

test('entries that are thawed when they are asked for are those of a map', () => {
  fc.assert(
    fc.property(fc.uniqueArray(key), fc.array(change), fc.boolean(), (keys, changes, isCleared) => {
      const from = new Map(keys.map((each, at): [MapKey, Value] => [each, scalar(BigInt(at))]))
      const drafts = new EntryDrafts(from, thawed)
      const model = new Map(Array.from(from, ([each, value]) => [each, thawed(each, value)]))
      for (const { key: at, act, to } of changes) {
        if (act === 'get') expect(drafts.get(at)).toBe(model.get(at))
        else if (act === 'delete') expect(drafts.delete(at)).toBe(model.delete(at))
        else {
          drafts.set(at, to)
          model.set(at, to)
        }
        expect([drafts.size, drafts.has(at)]).toEqual([model.size, model.has(at)])
      }
      if (isCleared) {
        drafts.clear()
        model.clear()
      }
      expect([...drafts.keys()]).toEqual([...model.keys()])
      expect([...drafts]).toEqual([...model])
      expect([...drafts.values()]).toEqual([...model.values()])
      const each: unknown[] = []
      drafts.forEach((draft, at) => each.push([at, draft]))
      expect(each).toEqual([...model])
      expect([...from.values()]).toEqual(keys.map((_, at) => scalar(BigInt(at))))
    }),
  )
})

test('items that are thawed when they are asked for are those of an array', () => {
  fc.assert(
    fc.property(fc.nat(9), fc.array(fc.record({ at: fc.nat(9), to: fc.string() })), (length, puts) => {
      const from = Array.from({ length }, (_, at) => scalar(BigInt(at)))
      const drafts = new ItemDrafts(from, thawed)
      const model = from.map((value, at) => thawed(BigInt(at), value))
      for (const { at, to } of puts) {
        const index = Math.min(at, model.length)
        expect(drafts.get(index)).toBe(model[index])
        drafts.set(index, to)
        model[index] = to
        expect(drafts.length).toBe(model.length)
      }
      expect([...drafts]).toEqual(model)
    }),
  )
})
