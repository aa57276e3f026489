import type { Relation, Rewrite } from '../model/type-system.ts'
import type { Above, Upward } from '../store/snapshot.ts'

/** A step from objects of `to` to objects of `from`. */
export interface Way {
  readonly from: Relation
  readonly to: Relation
  readonly kind: 'computed' | 'direct' | 'from'
  readonly tupleset: Relation
  readonly isCertain: boolean
}

/** How many steps are told at most: where a model has more, a list is told level by level. */
const maxSteps = 256

/** Where a list of objects leads on to by these ways, and from what relations are assigned; undefined where it does not. */
export function upwardOf(assigned: readonly Relation[], ways: readonly Way[]): Upward | undefined {
  const told = stepsUp(assigned, ways, [])
  if (told === undefined || told.steps.length === 0) return undefined
  return { way: 'up', lists: told.lists, steps: told.steps }
}

/**
 * From list to list by `ways`; those of `last` are no steps, what they lead from is told. Undefined where it is more than can
 * be told.
 */
export function stepsUp(
  assigned: readonly Relation[],
  ways: readonly Way[],
  last: readonly Way[],
): Pick<Above, 'lists' | 'steps' | 'last'> | undefined {
  const tuplesets = new Map<Relation, number>()
  const placeOf = (tupleset: Relation): number => {
    const place = tuplesets.get(tupleset) ?? tuplesets.size
    tuplesets.set(tupleset, place)
    return place
  }
  const steps = new Map<string, Upward['steps'][number]>()
  const ends = new Map<string, Above['last'][number]>()
  const tuples = ways.filter(({ kind }) => kind !== 'computed')
  const found = [...assigned.map((relation) => ({ from: relation, tupleset: relation })), ...tuples]
  for (const { from: of, tupleset } of found) {
    for (const relation of computedFrom(of, ways)) {
      const suffix = (way: Way): string => (way.kind === 'direct' ? `#${relation.name}` : '')
      for (const way of tuples) {
        if (way.to !== relation) continue
        const step = { from: placeOf(tupleset), suffix: suffix(way), to: placeOf(way.tupleset) }
        steps.set(JSON.stringify(step), step)
      }
      for (const way of last) {
        if (way.to !== relation) continue
        const end = { from: placeOf(tupleset), suffix: suffix(way) }
        ends.set(JSON.stringify(end), end)
      }
      if (steps.size + ends.size > maxSteps) return undefined
    }
  }
  const lists = [...tuplesets.keys()].map(({ type, name }) => ({ type, relation: name }))
  return { lists, steps: [...steps.values()], last: [...ends.values()] }
}

/** A relation, and what its objects have by being computed from it. */
function computedFrom(relation: Relation, ways: readonly Way[]): ReadonlySet<Relation> {
  const all = new Set([relation])
  // What is added is looked at in its turn.
  for (const each of all) {
    for (const { kind, from, to } of ways) if (kind === 'computed' && to === each) all.add(from)
  }
  return all
}

/**
 * The steps that a rewrite of a relation is made of.
 *
 * @param isWhole whether operands are walked each on their own; else only what gives candidates
 */
export function waysOf(rewrite: Rewrite, relation: Relation, isWhole: boolean, isCertain = true): Way[] {
  const step = (to: Relation, kind: Way['kind'], tupleset: Relation): Way => ({
    from: relation,
    to,
    kind,
    tupleset,
    isCertain,
  })
  switch (rewrite.kind) {
    case 'direct':
      return [...new Set(relation.usersets)].map((to) => step(to, 'direct', relation))
    case 'computed':
      return [step(rewrite.relation, 'computed', relation)]
    case 'from':
      return [...rewrite.computed.values()].map((to) => step(to, 'from', rewrite.tupleset))
    case 'union':
      return rewrite.children.flatMap((child) => waysOf(child, relation, isWhole, isCertain))
    case 'intersection':
      return (isWhole ? rewrite.children : rewrite.children.slice(0, 1)).flatMap((child) =>
        waysOf(child, relation, isWhole, false),
      )
    case 'exclusion':
  }
  const base = waysOf(rewrite.base, relation, isWhole, false)
  return isWhole ? [...base, ...waysOf(rewrite.subtract, relation, isWhole, false)] : base
}
