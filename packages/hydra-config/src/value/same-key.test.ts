import { expect, test, vi } from 'vitest'
import { merge } from '../merge/merge.ts'
import { type MapKey, map, sameKey, scalar } from './value.ts'

const bytes = new Uint8Array([1, 2])
// Python: 1 == 1.0 == True, 2**53 == 2.0**53 != 2**53 + 1, 10**400 is no float.
const equalOnes: readonly (readonly MapKey[])[] = [
  [0n, 0, false],
  [1n, 1, true],
  [-1n, -1],
  [2n ** 53n, 2 ** 53],
  [2n ** 53n + 1n],
  [10n ** 400n],
  [Number.POSITIVE_INFINITY],
  [Number.NEGATIVE_INFINITY],
  [1.5],
  ['1'],
  [''],
  [null],
  [bytes, new Uint8Array([1, 2])],
  [new Uint8Array([1])],
]

test('keys are the same where Python holds them equal, and otherwise not', () => {
  for (const [index, group] of equalOnes.entries()) {
    for (const there of group) {
      const entries = new Map([[there, undefined]])
      for (const [other, keys] of equalOnes.entries()) {
        for (const key of keys) expect(sameKey(entries, key)).toBe(other === index ? there : undefined)
      }
    }
  }
})

test('binary keys that are merged go over those with the same bytes, which are looked for once', () => {
  const count = 2000
  const bytesOf = (at: number): Uint8Array => new Uint8Array([at >> 8, at & 0xff])
  const of = (text: string): ReturnType<typeof map> =>
    map([
      ['', scalar('text')],
      ...Array.from({ length: count }, (_, at): [MapKey, ReturnType<typeof scalar>] => [
        bytesOf(at),
        scalar(text),
      ]),
    ])
  let joined = 0
  const { join } = Uint8Array.prototype
  const [dest, src] = [of('old'), of('new')]
  vi.spyOn(Uint8Array.prototype, 'join').mockImplementation(function (this: Uint8Array) {
    joined++
    return Reflect.apply(join, this, [])
  })
  const merged = merge(dest, src)
  vi.restoreAllMocks()
  if (merged.kind !== 'map') throw new TypeError('a map is merged')
  expect([...merged.entries]).toEqual([...src.entries])
  expect(joined).toBe(2 * count)
})
