import fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { WideMap } from './wide-map.ts'

test('gives what was taken in and not taken out, and nothing else', () => {
  const some = fc.array(fc.string(), { maxLength: 20 })
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 8000 }),
      some,
      fc.integer({ min: 2, max: 5 }),
      (count, more, part) => {
        const wide = new WideMap<{ readonly key: string }>()
        const keys = [...new Set([...Array.from({ length: count }, (_, at) => `group:${at}`), ...more])]
        const isThere = (key: string): boolean => wide.get(key)?.key === key
        for (const key of keys) wide.add(key, { key })
        expect(keys.filter((key) => !isThere(key))).toEqual([])
        const out = keys.filter((_, at) => at % part === 0)
        for (const key of out) wide.delete(key)
        expect(keys.filter((key) => wide.get(key) === undefined)).toEqual(out)
        expect(keys.filter((key) => !isThere(key))).toEqual(out)
      },
    ),
    { numRuns: 10 },
  )
})

test.each([
  ['counted up', (at: number) => `group:${at}`],
  ['counted in large steps', (at: number) => `document:${at * 4096}/x`],
])('moves few entries at once when it grows, for names that are %s', (_, name) => {
  const count = 60_000
  const steps = 1500
  let moved = 0
  const { set } = Map.prototype
  // The tables of V8's maps hold powers of two, of which each is moved whole.
  const spied = vi.spyOn(Map.prototype, 'set').mockImplementation(function (
    this: Map<unknown, unknown>,
    key,
    value,
  ) {
    if (this.size > 0 && (this.size & (this.size - 1)) === 0 && !this.has(key)) moved += this.size
    return set.call(this, key, value)
  })
  let most = 0
  try {
    const wide = new WideMap<object>()
    for (let at = 0; at < count; at++) {
      if (at % steps === 0) moved = 0
      wide.add(name(at), wide)
      most = Math.max(most, moved)
    }
  } finally {
    spied.mockRestore()
  }
  expect(most).toBeLessThan(10_000)
})
