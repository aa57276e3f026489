import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DueList } from './due-list.ts'

type Step =
  | { readonly do: 'add'; readonly due: number }
  | { readonly do: 'take'; readonly limit: number; readonly passed: number }
  | { readonly do: 'ask' }

const due = fc.oneof(fc.nat(5000), fc.nat(200_000), fc.nat(10_000_000))
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('add' as const), due }) },
  { weight: 1, arbitrary: fc.constant({ do: 'ask' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      limit: fc.nat(4),
      passed: fc.oneof(fc.nat(3000), fc.nat(100_000), fc.nat(5_000_000)),
    }),
  },
)

describe('places that are due', () => {
  test('leave as from a sorted list: the earliest second first, none before it has passed, each once, and are there until then', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const list = new DueList()
        let sorted: { readonly place: number; readonly second: number }[] = []
        let now = 0
        for (const [at, each] of steps.entries()) {
          if (each.do === 'add') {
            list.add(at, each.due)
            const added = { place: at, second: Math.floor(each.due / 1000) }
            sorted = [...sorted, added].toSorted((a, b) => a.second - b.second)
            continue
          }
          if (each.do === 'ask') {
            for (const [place, asked] of steps.slice(0, at).entries()) {
              if (asked.do !== 'add') continue
              expect(list.has(place, asked.due)).toBe(sorted.some((there) => there.place === place))
            }
            continue
          }
          now += each.passed
          const expected = sorted
            .filter(({ second }) => (second + 1) * 1000 <= now)
            .slice(0, each.limit)
            .map(({ second }) => second)
          const taken = list.take(each.limit, now)
          const found = sorted.filter(({ place }) => taken.includes(place))
          expect(new Set(taken).size).toBe(taken.length)
          expect(found.map(({ second }) => second)).toEqual(expected)
          sorted = sorted.filter(({ place }) => !taken.includes(place))
        }
        const rest = list.take(Infinity, 1e12)
        expect(rest.toSorted((a, b) => a - b)).toEqual(
          sorted.map(({ place }) => place).toSorted((a, b) => a - b),
        )
      }),
      { numRuns: 1000 },
    )
  })

  test('a month of seconds is no more than a list, after a quiet hour as well', () => {
    const list = new DueList()
    const hour = 3_600_000
    const seconds = 300_000
    list.add(-1, 0)
    for (let second = 0; second < seconds; second++) list.add(second, hour + second * 1000)
    expect(list.take(2, 2 * hour)).toEqual([-1, 0])
    expect(list.take(seconds, hour + seconds * 1000)).toHaveLength(seconds - 1)
  })

  test('a second may have any number of places', () => {
    const list = new DueList()
    for (let each = 0; each < 300_000; each++) list.add(each, 0)
    expect(new Set(list.take(300_000, 1000)).size).toBe(300_000)
  })
})
