import fc from 'fast-check'
import { expect, test } from 'vitest'
import { closureOf } from './closure.ts'
import { Closures } from './closures.ts'
import { type Edge, UsersetGraph } from './userset-graph.ts'

const count = 8
const node = fc.nat(count - 1)

interface Change extends Edge {
  readonly isRemoval: boolean
  readonly isLoose: boolean
}

const changes = fc.array(
  fc.array(
    fc.record({
      from: node,
      to: node,
      via: fc.nat(2),
      isRemoval: fc.integer({ min: 0, max: 2 }).map((n) => n === 0),
      isLoose: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    }),
    { maxLength: 8 },
  ),
  { maxLength: 10 },
)

/** By recursion over a list of edges: what is reached, whether by all certain edges, and the longest way. */
function plainly(edges: readonly (Edge & { isLoose: boolean })[], start: number): object {
  const reached = new Set([start])
  let isOpen = false
  for (const at of reached) {
    for (const { from, to, isLoose } of edges) {
      if (from !== at) continue
      if (isLoose) isOpen = true
      else reached.add(to)
    }
  }
  const height = (at: number, way: readonly number[]): number =>
    way.includes(at)
      ? Number.POSITIVE_INFINITY
      : Math.max(
          0,
          ...edges
            .filter(({ from, isLoose }) => from === at && !isLoose)
            .map(({ to }) => 1 + height(to, [...way, at])),
        )
  return { reached: [...reached].toSorted((a, b) => a - b), isOpen, height: height(start, []) }
}

test('closures are what is reached, after whatever changes and however few are kept', () => {
  fc.assert(
    fc.property(changes, fc.constantFrom(1000, 1000, 12), (batches, room) => {
      let graph = new UsersetGraph(7)
      // Numbers are given in the order of coming.
      for (let each = 0; each < count; each++) graph.intern(1, `group:${each}`)
      let closures = new Closures(graph, room)
      let edges: (Edge & { isLoose: boolean })[] = []
      for (const [at, batch] of batches.entries()) {
        const changed = new Set<number>()
        for (const { isRemoval, isLoose, ...edge } of batch as readonly Change[]) {
          changed.add(edge.from)
          const isOther = (each: Edge): boolean =>
            each.from !== edge.from || each.to !== edge.to || each.via !== edge.via
          if (isRemoval) {
            graph.remove(edge)
            edges = edges.filter(isOther)
          } else {
            graph.add(edge, isLoose)
            edges.push({ ...edge, isLoose })
          }
        }
        closures.drop(changed)
        if (at === 4) {
          const compacted = graph.compacted(3)
          expect(compacted.dead).toBe(0)
          const number = Array.from({ length: count }, (_, each) => compacted.intern(1, `group:${each}`))
          edges = edges.map(({ from, to, ...rest }) => ({
            ...rest,
            from: number[from] ?? -1,
            to: number[to] ?? -1,
          }))
          graph = compacted
          closures = new Closures(graph, room)
        }
        for (let start = 0; start < count; start++) {
          const closure = closures.of(start)
          const reached = Array.from({ length: count }, (_, each) => each).filter((each) =>
            closure?.hasNode(each),
          )
          expect({ reached, isOpen: closure?.isOpen, height: closure?.height }).toEqual(plainly(edges, start))
          expect([...(closure?.objects(1) ?? [])]).toHaveLength(reached.length)
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('a ring has one closure, and a chain of 100,000 none that is too large', () => {
  const graph = new UsersetGraph(7)
  const ring = 10_000
  for (let at = 0; at < ring; at++) {
    const from = graph.intern(0, `group:${at}`)
    graph.add({ from, to: graph.intern(0, `group:${(at + 1) % ring}`), via: 0 }, false)
  }
  const closures = new Closures(graph, 100_000)
  expect(closures.of(0)).toBe(closures.of(ring - 1))
  expect(closures.of(0)).toMatchObject({ size: ring, height: Number.POSITIVE_INFINITY, isOpen: false })
  const chain = new UsersetGraph(7)
  for (let at = 0; at < 100_000; at++) {
    const from = chain.intern(0, `group:${at}`)
    chain.add({ from, to: chain.intern(0, `group:${at + 1}`), via: 0 }, false)
  }
  expect(closureOf(chain, 0, 32_768)).toBeUndefined()
  expect(closureOf(chain, 0, 200_000)).toMatchObject({ size: 100_001, height: 100_000 })
})
