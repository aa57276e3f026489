import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PriorityQueue } from './priority-queue.ts'

interface Item {
  readonly priority: number
}

test('against a sorted list: the highest first, then who came first; any one leaves', () => {
  const step = fc.record({
    do: fc.constantFrom('add', 'add', 'first', 'lowest', 'delete'),
    priority: fc.integer({ min: -2, max: 2 }),
    which: fc.nat(30),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
      const queue = new PriorityQueue<Item>()
      const all: Item[] = []
      for (const { do: what, priority, which } of steps) {
        const leaving =
          what === 'first'
            ? all.toSorted((a, b) => b.priority - a.priority)[0]
            : what === 'lowest'
              ? all.toSorted((a, b) => a.priority - b.priority)[0]
              : all[which]
        if (what === 'add') {
          all.push({ priority })
          queue.add(all.at(-1) ?? { priority })
          continue
        }
        if (what !== 'delete') expect(what === 'first' ? queue.first() : queue.firstOfLowest()).toBe(leaving)
        expect(queue.delete(leaving ?? { priority })).toBe(leaving !== undefined)
        if (leaving !== undefined) all.splice(all.indexOf(leaving), 1)
        expect(queue.size).toBe(all.length)
      }
    }),
  )
})

test('who is first is found at once where many have left, which a Set has to look through', () => {
  const items = Array.from({ length: 50_000 }, (): Item => ({ priority: 0 }))
  const cost = (
    queue: { add(item: Item): void; delete(item: Item): void },
    first: () => Item | undefined,
  ): number => {
    for (const item of items) queue.add(item)
    const before = process.cpuUsage().user
    for (let item = first(); item !== undefined; item = first()) queue.delete(item)
    return process.cpuUsage().user - before
  }
  const ours: number[] = []
  const ofSets: number[] = []
  for (let round = 0; round < 3; round++) {
    const queue = new PriorityQueue<Item>()
    ours.push(cost(queue, () => queue.first()))
    const set = new Set<Item>()
    ofSets.push(cost(set, () => set.values().next().value))
  }
  expect(3 * Math.min(...ours)).toBeLessThan(Math.min(...ofSets))
})
