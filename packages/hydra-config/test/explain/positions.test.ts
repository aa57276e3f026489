import { type Composition, compose, fromMemory, type Origin } from '@loadbearing/hydra-config'
import { assert, asyncProperty, gen } from 'fast-check'
import { expect, test } from 'vitest'
import { type ConfigTree, drawTree, finalNodes } from './config-tree.ts'
import { Draw } from './draw.ts'
import { type Place, plain } from './truth.ts'

const runs = 200

test(`every value of ${runs} random trees has the place where it was written, and all that it took the place of`, async () => {
  let leaves = 0
  let replaced = 0
  await assert(
    asyncProperty(gen(), async (generator) => {
      const tree = drawTree(new Draw(generator))
      const composition = await composed(tree)
      for (const [path, node] of finalNodes(tree)) {
        const { origin, value, history } = composition.explain(path)
        const events = tree.truth.events.get(path) ?? []
        const found = history.map((step) => ({
          op: step.op,
          place: placeOf(step.origin),
          via: step.via.map(({ config }) => config),
        }))
        expect({ path, history: found }).toEqual({ path, history: events })
        expect({ path, value }).toEqual({ path, value: plain(node) })
        if (node.kind !== 'scalar') continue
        expect({ path, origin: placeOf(origin) }).toEqual({ path, origin: node.place })
        leaves++
        replaced += events.length - 1
      }
      for (const [path, events] of tree.truth.events) {
        if (events.at(-1)?.op !== 'delete') continue
        const { value, origin } = composition.explain(path)
        expect({ path, value, origin: placeOf(origin) }).toEqual({
          path,
          value: undefined,
          origin: events.at(-1)?.place,
        })
      }
    }),
    // To shrink such a tree takes minutes; the seed replays it.
    { numRuns: runs, endOnFailure: true },
  )
  // What a run is worth: a generator that writes next to nothing would prove nothing.
  expect(leaves).toBeGreaterThan(5 * runs)
  expect(replaced).toBeGreaterThan(runs / 2)
})

function composed({ files, overrides }: ConfigTree): Promise<Composition> {
  return compose({ source: fromMemory(files), config: 'config', overrides })
}

function placeOf(origin: Origin): Place | string {
  if (origin.kind === 'file') {
    const { kind, config, line, column } = origin
    return { kind, config, line, column }
  }
  if (origin.kind !== 'override') return origin.kind
  const { kind, index, start, end } = origin
  return { kind, index, start, end }
}
