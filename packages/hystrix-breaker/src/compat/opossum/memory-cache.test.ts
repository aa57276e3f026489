import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MemoryCache } from './memory-cache.ts'

test('keeps what a list would, whatever is set, deleted and flushed', () => {
  const step = fc.record({
    do: fc.constantFrom('set', 'set', 'set', 'set', 'delete', 'flush'),
    key: fc.integer({ min: 0, max: 12 }).map(String),
  })
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 100, size: 'max' }),
      fc.integer({ min: 0, max: 5 }),
      (steps, max) => {
        const cache = new MemoryCache(max)
        let keys: string[] = []
        for (const { do: what, key } of steps) {
          if (what === 'delete') {
            cache.delete(key)
            keys = keys.filter((each) => each !== key)
          } else if (what === 'flush') {
            cache.flush()
            keys = []
          } else {
            cache.set(key, key)
            if (!keys.includes(key)) {
              if (keys.length >= max) keys.shift()
              keys.push(key)
            }
          }
          expect([...cache.cache.keys()]).toEqual(keys)
        }
      },
    ),
  )
})

test('the oldest is found at once where many have gone', () => {
  const max = 10_000
  const cost = (set: (key: string) => void): number => {
    const before = process.cpuUsage().user
    for (let key = 0; key < 3 * max; key++) set(String(key))
    return process.cpuUsage().user - before
  }
  const ours: number[] = []
  const naive: number[] = []
  for (let round = 0; round < 3; round++) {
    const cache = new MemoryCache(max)
    ours.push(cost((key) => cache.set(key, key)))
    const map = new Map<string, string>()
    naive.push(
      cost((key) => {
        const [oldest] = map.keys()
        if (map.size >= max && oldest !== undefined) map.delete(oldest)
        map.set(key, key)
      }),
    )
  }
  expect(2 * Math.min(...ours)).toBeLessThan(Math.min(...naive))
})
