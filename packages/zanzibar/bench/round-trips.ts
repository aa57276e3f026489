// node --conditions=@loadbearing/source bench/round-trips.ts
// How often PostgreSQL is asked for one check (item 23): SpiceDB's DeepArrow, and a group of ever more groups.

import { openZanzibar } from '@loadbearing/zanzibar'
import { type CountedStore, openCountedStore } from '../test/stores/counted-store.ts'
import { tell } from './target.ts'
import { type Triple, type Workload, workload } from './workloads.ts'

await using counted = await openCountedStore()
for (const [how, closureIndex, most] of [
  ['', false, 31],
  [', closure index', true, 3],
] as const) {
  const trips = await mostTrips(counted, workload('DeepArrow'), closureIndex)
  tell({
    item: 23,
    what: `DeepArrow on PostgreSQL${how}: round trips of a check`,
    wanted: `<= ${most}`,
    measured: String(trips),
    isMet: trips <= most,
  })
}
for (const closureIndex of [false, true]) {
  const trips: number[] = []
  for (const width of [100, 1000, 10_000])
    trips.push(await mostTrips(counted, groupsInGroup(width), closureIndex))
  tell({
    item: 23,
    what: `100, 1000 and 10,000 groups in one group on PostgreSQL${closureIndex ? ', closure index' : ''}: round trips of a check`,
    wanted: '<= 3 of each',
    measured: trips.join(', '),
    isMet: Math.max(...trips) <= 3,
  })
}

/** The most that any question of a workload takes, in a space of its own. */
async function mostTrips(
  { store }: CountedStore,
  { model, tuples, questions }: Workload,
  closureIndex: boolean,
): Promise<number> {
  const name = `trips ${tuples.length} ${closureIndex}`
  const filling = await openZanzibar({ store, model, name })
  for (let from = 0; from < tuples.length; from += 1000)
    await filling.write({ add: tuples.slice(from, from + 1000) })
  await using zanzibar = await openZanzibar({ store, model, name, closureIndex })
  let most = 0
  for (const [user, relation, object] of questions) {
    const before = counted.trips
    const isAllowed = await zanzibar.check(user, relation, object)
    most = Math.max(most, counted.trips - before)
    if (isAllowed !== (user !== 'user:nobody')) throw new Error(`${user} ${relation} ${object}: ${isAllowed}`)
  }
  return most
}

/** The last of them has a user, and somebody has nothing. */
function groupsInGroup(width: number): Workload {
  return {
    model:
      'model\n  schema 1.1\ntype user\ntype group\n  relations\n    define member: [user, group#member]\n',
    tuples: [
      ...Array.from({ length: width }, (_, n): Triple => [`group:${n}#member`, 'member', 'group:wide']),
      ['user:anne', 'member', `group:${width - 1}`],
    ],
    questions: [
      ['user:anne', 'member', 'group:wide'],
      ['user:nobody', 'member', 'group:wide'],
    ],
  }
}
