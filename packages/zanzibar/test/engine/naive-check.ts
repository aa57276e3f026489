import type { AuthorizationModel, RelationReference, Userset } from '../../src/model/authorization-model.ts'
import type { Semantics } from '../../src/model/type-system.ts'
import type { Context, Tuple } from '../../src/tuple/tuple.ts'
import { breadthFirst, readAlone } from './naive-weights.ts'

/** What a branch comes to: `cycle` is a false that came from a cycle, `failed` an error of a condition, `deep` of the depth. */
export type Naive = 'yes' | 'no' | 'cycle' | 'failed' | 'deep'

export interface NaiveCase {
  readonly model: AuthorizationModel
  readonly tuples: readonly Tuple[]
  readonly contextualTuples: readonly Tuple[]
  readonly context: Context
  readonly depthLimit: number
  /** Of v2 only what users come to that are no usersets. Default: `openfga-v1`. */
  readonly semantics?: Semantics
  /** Which counts where a false and a cycle race each other, each time that they do. Default: the false. */
  readonly raced?: () => 'no' | 'cycle'
}

/** It would take too long. */
export class TooLong extends Error {}

const maxSteps = 4_000

/**
 * A check as it is defined, by recursion and without any memory. `x` is the parameter of every condition.
 *
 * @throws TooLong for a case with too many ways
 */
export function naiveCheck(
  given: NaiveCase,
  key: { readonly user: string; readonly relation: string; readonly object: string },
): Naive {
  const all = [...given.contextualTuples, ...given.tuples]
  const [userObject = '', userRelation = ''] = key.user.split('#')
  const userType = typeOf(userObject)

  const definition = (type: string) => given.model.type_definitions.find((each) => each.type === type)
  const rewriteOf = (type: string, relation: string): Userset | undefined =>
    definition(type)?.relations?.[relation]
  const restrictionsOf = (type: string, relation: string): readonly RelationReference[] =>
    definition(type)?.metadata?.relations?.[relation]?.directly_related_user_types ?? []

  const holds = (tuple: Tuple): Naive => {
    if (tuple.condition === undefined) return 'yes'
    const x = tuple.condition.context?.['x'] ?? given.context['x']
    if (x === undefined) return 'failed'
    return tuple.condition.name === 'holds' ? 'yes' : 'no'
  }
  const first = (tuples: readonly Tuple[]): Naive => {
    const [tuple] = tuples
    return tuple === undefined ? 'no' : holds(tuple)
  }
  /** The usable ones, or the failure that nothing usable hides. */
  const usable = (
    tuples: readonly Tuple[],
  ): { readonly tuples: readonly Tuple[]; readonly hidden: Naive } => {
    const good = tuples.filter((tuple) => holds(tuple) === 'yes')
    const isFailed = good.length === 0 && tuples.some((tuple) => holds(tuple) === 'failed')
    return { tuples: good, hidden: isFailed ? 'failed' : 'no' }
  }

  const reached = reachable(given.model, key.user)
  const unnoticed = userRelation === '' ? breadthFirst(given.model, userType) : new Set<string>()
  const alone = userRelation === '' ? readAlone(given.model, userType) : new Set<string>()
  const leads = (type: string, relation: string): boolean => reached.has(`${type}#${relation}`)
  let steps = 0

  const resolve = (object: string, relation: string, depth: number, visited: ReadonlySet<string>): Naive => {
    if (++steps > maxSteps) throw new TooLong()
    if (depth >= given.depthLimit) return 'deep'
    const name = `${object}#${relation}`
    const type = typeOf(object)
    if (visited.has(name))
      return unnoticed.has(`${type}#${relation}`) || given.semantics === 'openfga-v2' ? 'no' : 'cycle'
    if (name === key.user) return 'yes'
    if (!leads(type, relation)) return 'no'
    const rewrite = rewriteOf(type, relation)
    if (rewrite === undefined) return 'no'
    const seen = new Set(visited).add(name)
    return unnoticed.has(`${type}#${relation}`) && Number.isFinite(given.depthLimit)
      ? byLevels(rewrite, object, relation, depth, seen)
      : evaluate(rewrite, object, relation, depth, seen)
  }

  /** Of a relation of which all that is led to is looked at level by level, and levels are counted. */
  const byLevels = (
    rewrite: Userset,
    start: string,
    relation: string,
    depth: number,
    visited: ReadonlySet<string>,
  ): Naive => {
    const type = typeOf(start)
    const isByUsersets = restrictionsOf(type, relation).some(
      (each) => each.type === type && each.relation === relation,
    )
    const link = isByUsersets ? relation : parentsOf(rewrite, type, relation)
    const own = (object: string, at: number): Naive => {
      if (++steps > maxSteps) throw new TooLong()
      if (object.includes('#') || typeOf(object) !== type) return 'no'
      return evaluate(rewrite, object, relation, at, visited, isByUsersets ? 'usersets' : 'parents')
    }
    const outcomes: Naive[] = [own(start, depth)]
    const onward = (object: string): readonly string[] => {
      if (object.includes('#') || typeOf(object) !== type) return []
      const tuples = all.filter((each) => each.object === object && each.relation === link)
      const { tuples: good, hidden } = usable(
        isByUsersets ? tuples.filter(({ user }) => user.includes('#')) : tuples,
      )
      outcomes.push(hidden)
      const suffix = `#${relation}`
      return good.map(({ user }) =>
        isByUsersets && user.startsWith(`${type}:`) && user.endsWith(suffix)
          ? user.slice(0, -suffix.length)
          : user,
      )
    }
    const followed = new Set<string>()
    let level = onward(start)
    if (outcomes.includes('yes') || level.length === 0) return any(outcomes)
    const anywhere = any([...new Set(all.map(({ object }) => object))].map((object) => own(object, -1)))
    if (anywhere !== 'yes') return any([...outcomes, anywhere])
    for (let at = depth + 1; ; at++) {
      outcomes.push(...level.map((object) => own(object, -1)))
      if (outcomes.includes('yes')) return 'yes'
      if (at === given.depthLimit) return 'deep'
      if (level.length === 0) return any(outcomes)
      level = level.flatMap((object) => {
        if (followed.has(object)) return []
        followed.add(object)
        return onward(object)
      })
    }
  }

  /** Along which tuples a relation leads to itself. */
  const parentsOf = (rewrite: Userset, type: string, relation: string): string | undefined => {
    if ('union' in rewrite) {
      const found = rewrite.union.child.map((child) => parentsOf(child, type, relation))
      return found.find((each) => each !== undefined)
    }
    if (!('tupleToUserset' in rewrite)) return undefined
    const { tupleset, computedUserset } = rewrite.tupleToUserset
    const isBack =
      computedUserset.relation === relation &&
      restrictionsOf(type, tupleset.relation).some((each) => each.type === type)
    return isBack ? tupleset.relation : undefined
  }

  const evaluate = (
    rewrite: Userset,
    object: string,
    relation: string,
    depth: number,
    visited: ReadonlySet<string>,
    without?: 'usersets' | 'parents',
  ): Naive => {
    if ('union' in rewrite) {
      return any(
        rewrite.union.child.map((child) => evaluate(child, object, relation, depth, visited, without)),
      )
    }
    if ('intersection' in rewrite) {
      return every(
        rewrite.intersection.child.map((child) => evaluate(child, object, relation, depth, visited, without)),
        given.raced,
      )
    }
    if ('difference' in rewrite) {
      const base = evaluate(rewrite.difference.base, object, relation, depth, visited, without)
      const subtract = evaluate(rewrite.difference.subtract, object, relation, depth, visited, without)
      return every([base, negated[subtract]], given.raced)
    }
    if ('computedUserset' in rewrite) {
      return resolve(object, rewrite.computedUserset.relation, depth, visited)
    }
    const here = all.filter((tuple) => tuple.object === object)
    if ('tupleToUserset' in rewrite) {
      const { tupleset, computedUserset } = rewrite.tupleToUserset
      const mayFail = restrictionsOf(typeOf(object), tupleset.relation).some((each) => each.condition)
      const isBack = parentsOf(rewrite, typeOf(object), relation) !== undefined
      if (without === 'parents' && (isBack || !mayFail)) return 'no'
      const parents = usable(here.filter((tuple) => tuple.relation === tupleset.relation))
      const known = parents.tuples.filter(
        ({ user }) => rewriteOf(typeOf(user), computedUserset.relation) !== undefined,
      )
      return any([
        ...known.map(({ user }) => resolve(user, computedUserset.relation, depth + 1, visited)),
        parents.hidden,
      ])
    }
    const restrictions = restrictionsOf(typeOf(object), relation)
    const mine = here.filter((tuple) => tuple.relation === relation)
    const outcomes: Naive[] = []
    if (
      restrictions.some(
        (each) =>
          each.type === userType && (each.relation ?? '') === userRelation && each.wildcard === undefined,
      )
    ) {
      outcomes.push(first(mine.filter(({ user }) => user === key.user)))
    }
    if (
      userRelation === '' &&
      restrictions.some((each) => each.type === userType && each.wildcard !== undefined)
    ) {
      const tuples = mine.filter(({ user }) => user === `${userType}:*`)
      // In v2 the contextual one, which is the first, hides the stored one.
      const everyone = usable(given.semantics === 'openfga-v2' ? tuples.slice(0, 1) : tuples)
      outcomes.push(everyone.tuples.length > 0 ? 'yes' : everyone.hidden)
    }
    if (without === 'usersets') return any(outcomes)
    // Those whose members are all assigned on the same object are read each on its own, the others as one.
    const reads = Map.groupBy(
      mine.filter(({ user }) => user.includes('#')),
      ({ user }) => {
        const edge = `${typeOf(object)}#${relation}@${typeOf(user)}#${user.split('#')[1]}`
        return alone.has(edge) ? edge : ''
      },
    )
    for (const read of reads.values()) {
      const usersets = usable(read)
      outcomes.push(
        ...usersets.tuples.map(({ user }) => {
          const [to = '', name = ''] = user.split('#')
          return resolve(to, name, depth + 1, visited)
        }),
        usersets.hidden,
      )
    }
    return any(outcomes)
  }

  return resolve(key.object, key.relation, 0, new Set())
}

function any(outcomes: readonly Naive[]): Naive {
  if (outcomes.includes('yes')) return 'yes'
  return (
    outcomes.find((each) => each === 'failed' || each === 'deep') ??
    (outcomes.includes('cycle') ? 'cycle' : 'no')
  )
}

/** As what is subtracted counts. */
const negated = { yes: 'no', no: 'yes', cycle: 'cycle', failed: 'failed', deep: 'deep' } as const

function every(outcomes: readonly Naive[], raced: NaiveCase['raced']): Naive {
  if (outcomes.includes('no')) return outcomes.includes('cycle') ? (raced?.() ?? 'no') : 'no'
  if (outcomes.includes('cycle')) return 'cycle'
  return outcomes.find((each) => each === 'failed' || each === 'deep') ?? 'yes'
}

/** The relations that a user of that form can have at all, found by going on until nothing is added. */
function reachable(model: AuthorizationModel, user: string): ReadonlySet<string> {
  const [object = '', userRelation] = user.split('#')
  const type = typeOf(object)
  const found = new Set<string>(userRelation === undefined ? [] : [`${type}#${userRelation}`])
  for (let size = -1; size !== found.size; ) {
    size = found.size
    for (const definition of model.type_definitions) {
      for (const [name, rewrite] of Object.entries(definition.relations ?? {})) {
        const restrictions = definition.metadata?.relations?.[name]?.directly_related_user_types ?? []
        const leads = (userset: Userset): boolean => {
          if ('union' in userset) return userset.union.child.some(leads)
          if ('intersection' in userset) return userset.intersection.child.some(leads)
          if ('difference' in userset)
            return leads(userset.difference.base) || leads(userset.difference.subtract)
          if ('computedUserset' in userset)
            return found.has(`${definition.type}#${userset.computedUserset.relation}`)
          if ('tupleToUserset' in userset) {
            const { tupleset, computedUserset } = userset.tupleToUserset
            const parents =
              definition.metadata?.relations?.[tupleset.relation]?.directly_related_user_types ?? []
            return parents.some((each) => found.has(`${each.type}#${computedUserset.relation}`))
          }
          return restrictions.some((each) =>
            each.relation === undefined
              ? userRelation === undefined && each.type === type
              : found.has(`${each.type}#${each.relation}`),
          )
        }
        if (leads(rewrite)) found.add(`${definition.type}#${name}`)
      }
    }
  }
  return found
}

function typeOf(object: string): string {
  return object.slice(0, object.indexOf(':'))
}
