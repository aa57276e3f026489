import { expect, test } from 'vitest'
import { check } from '../../src/graph/check.ts'
import { parseModel } from '../../src/index.ts'
import { typeSystem } from '../../src/model/type-system.ts'
import type { Snapshot } from '../../src/store/snapshot.ts'
import type { Tuple } from '../../src/tuple/tuple.ts'

const types = typeSystem(
  parseModel(
    'model\n  schema 1.1\ntype user\ntype group\n  relations\n    define member: [user, group#member]\n',
  ),
  () => {
    throw new Error('no conditions')
  },
)
const wide: readonly Tuple[] = Array.from({ length: 1_000_000 }, (_, at) => ({
  user: `group:${at}#member`,
  relation: 'member',
  object: 'group:wide',
}))

/** A group of a million empty groups, and how often it is read. */
function counted(): { readonly snapshot: Snapshot; reads: number } {
  const counts = { reads: 0 }
  const snapshot: Snapshot = {
    revision: 1,
    at: (read) => {
      counts.reads++
      return read.kind === 'usersets' && read.object === 'group:wide' ? wide : []
    },
    fetch: () => Promise.reject(new Error('all is at hand')),
    release: () => undefined,
  }
  return Object.assign(counts, { snapshot })
}

const key = { user: 'user:nobody', relation: 'member', object: 'group:wide' }
/** Two for each group: that of the user itself, and those of its groups. Of some 2 ms, in steps of which each group takes several. */
const readsOfTurn = 2 * 1500

test('a question of a million groups does little between two turns, and ends in the turn after its abort', async () => {
  const counts = counted()
  const controller = new AbortController()
  const scope = {
    types,
    snapshot: counts.snapshot,
    depthLimit: Number.POSITIVE_INFINITY,
    maxConditionCost: 100,
  }
  const asked = check(scope, key, controller.signal)
  expect(asked).toBeInstanceOf(Promise)
  let most = 0
  for (let turn = 0; turn < 100; turn++) {
    const before = counts.reads
    await new Promise(setImmediate)
    most = Math.max(most, counts.reads - before)
  }
  // The two loops go on by turns: at most one part of the work comes between two looks, but for the order in which they begin.
  expect(most).toBeGreaterThan(100)
  expect(most).toBeLessThanOrEqual(2 * readsOfTurn)
  const aborted = counts.reads
  controller.abort(new Error('enough'))
  await expect(asked).rejects.toMatchObject({ code: 'cancelled', cause: new Error('enough') })
  expect(counts.reads - aborted).toBeLessThanOrEqual(readsOfTurn)
  const rejected = counts.reads
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  expect(counts.reads).toBe(rejected)
})

test('neither does one that looks along a recursion of a hundred thousand by levels', async () => {
  const many = wide.slice(0, 100_000)
  const counts = { reads: 0 }
  const snapshot: Snapshot = {
    revision: 1,
    at: (read) => {
      counts.reads++
      if (read.kind === 'objects') return [{ user: read.user, relation: 'member', object: 'group:apart' }]
      return read.kind === 'usersets' && read.object === 'group:wide' ? many : []
    },
    fetch: () => Promise.reject(new Error('all is at hand')),
    release: () => undefined,
  }
  const scope = { types, snapshot, depthLimit: 3, maxConditionCost: 100 }
  const asked = Promise.resolve(check(scope, key))
  let most = 0
  // Step by step, and then by levels.
  while (counts.reads < 2 * many.length) {
    const before = counts.reads
    await new Promise(setImmediate)
    most = Math.max(most, counts.reads - before)
  }
  expect(await asked).toMatchObject({ allowed: false, error: undefined })
  expect(most).toBeLessThanOrEqual(2 * readsOfTurn)
})
