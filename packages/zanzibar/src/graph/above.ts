import type { Relation } from '../model/type-system.ts'
import type { Above } from '../store/snapshot.ts'
import { typeOf } from '../tuple/object.ts'
import { assignable, isAssigned, type Plans } from './plan.ts'
import { stepsUp, type Way, waysOf } from './upward.ts'

/** How relations of other objects than the one that is asked of are come by, each for certain. */
export interface CertainWays {
  readonly assigned: readonly Assigned[]
  readonly ways: readonly Way[]
  /** The same as a store is told it; undefined where it would be too much. */
  readonly told: Pick<Above, 'lists' | 'steps' | 'last'> | undefined
  /** Whether a list on the way down was ever a wide one. Else they are not told: what is asked for nothing takes its time too. */
  isWide: boolean
}

export interface Assigned {
  readonly relation: Relation
  readonly isEveryone: boolean
}

const certainWays = new WeakMap<Plans, (CertainWays | undefined)[]>()

/** Those that a check of a relation may come to, by users that are neither usersets nor everyone. */
export function certainWaysOf(plans: Plans, relation: Relation): CertainWays {
  let known = certainWays.get(plans)
  if (known === undefined) {
    known = []
    certainWays.set(plans, known)
  }
  return (known[relation.id] ??= findWays(plans, relation))
}

/** What a store is told of the way from a user up to a relation of an object. */
export function aboveOf(plans: Plans, relation: Relation, user: string): Above | undefined {
  const { assigned, told, isWide } = certainWaysOf(plans, relation)
  if (told === undefined || !isWide) return undefined
  const first = assigned.flatMap(({ relation: { type, name }, isEveryone }) => {
    const list = told.lists.findIndex((each) => each.type === type && each.relation === name)
    return list === -1 ? [] : [{ list, user: isEveryone ? `${typeOf(user)}:*` : user }]
  })
  return { ...told, first }
}

function findWays(plans: Plans, root: Relation): CertainWays {
  const own = ledTo([root], ({ kind }) => kind === 'computed')
  const last = [...own].flatMap((relation) => waysOf(relation.rewrite, relation, true)).filter(isByTuple)
  const below = ledTo(
    last.map(({ to }) => to),
    () => true,
  )
  const ways = [...below]
    .flatMap((relation) => waysOf(relation.rewrite, relation, true))
    .filter(({ isCertain }) => isCertain)
  const assigned = [...below].flatMap((relation): Assigned[] => {
    if (!isAssigned(relation.rewrite)) return []
    const { exact, wildcard } = assignable(relation, plans.user)
    return [
      ...(exact ? [{ relation, isEveryone: false }] : []),
      ...(wildcard ? [{ relation, isEveryone: true }] : []),
    ]
  })
  const relations = new Set(assigned.map(({ relation }) => relation))
  return { assigned, ways, told: stepsUp([...relations], ways, last), isWide: false }
}

function isByTuple({ kind }: Way): boolean {
  return kind !== 'computed'
}

function ledTo(from: readonly Relation[], isStep: (way: Way) => boolean): ReadonlySet<Relation> {
  const all = new Set(from)
  // What is added is looked at in its turn.
  for (const relation of all)
    for (const way of waysOf(relation.rewrite, relation, true)) if (isStep(way)) all.add(way.to)
  return all
}
