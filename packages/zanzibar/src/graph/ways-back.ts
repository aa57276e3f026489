import type { Relation } from '../model/type-system.ts'
import { type Candidates, Found, isEmpty } from './found.ts'
import type { Progress } from './question.ts'
import type { Way } from './upward.ts'

type Steps<Result> = Generator<Progress<never>, Result, undefined>

/**
 * Whether more than `room` steps lead back from these objects, as OpenFGA counts them where it lists by walking back from the
 * user: a computed relation is one as well as a tuple is, an object is gone on from once for each way that leads to it, and what
 * is met too far away fails, also where it was met before (`openfga/openfga:pkg/server/commands/reverseexpand`). It goes on from
 * whatever it comes to first; of an object that several ways lead to, the shortest one counts here.
 */
export function* leadsTooFar(
  ways: readonly Way[],
  first: ReadonlyMap<Relation, Found>,
  room: number,
  along: (way: Way, users: Candidates, found: Found) => Steps<void>,
): Steps<boolean> {
  const met = new Map(ways.map((way) => [way, new Set<string>()]))
  let level = first
  for (let left = room; level.size > 0; left--) {
    const next = new Map<Relation, Found>()
    for (const [way, before] of met) {
      const from = level.get(way.to)
      if (from === undefined || isEmpty(from)) continue
      const found = new Found()
      yield* along(way, from.objects, found)
      if (isEmpty(found)) continue
      if (left === 0) return true
      const fresh = next.get(way.from) ?? new Found()
      for (const object of [...found.objects.certain, ...found.objects.open]) {
        if (before.has(object)) continue
        before.add(object)
        next.set(way.from, fresh)
        fresh.put(object, true)
      }
    }
    level = next
  }
  return false
}
