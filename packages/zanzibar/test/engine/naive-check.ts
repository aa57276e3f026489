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

const maxSteps = 1_000

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
    return rewrite === undefined
      ? 'no'
      : evaluate(rewrite, object, relation, depth, new Set(visited).add(name))
  }

  const evaluate = (
    rewrite: Userset,
    object: string,
    relation: string,
    depth: number,
    visited: ReadonlySet<string>,
  ): Naive => {
    if ('union' in rewrite) {
      return any(rewrite.union.child.map((child) => evaluate(child, object, relation, depth, visited)))
    }
    if ('intersection' in rewrite) {
      return every(
        rewrite.intersection.child.map((child) => evaluate(child, object, relation, depth, visited)),
        given.raced,
      )
    }
    if ('difference' in rewrite) {
      const base = evaluate(rewrite.difference.base, object, relation, depth, visited)
      const subtract = evaluate(rewrite.difference.subtract, object, relation, depth, visited)
      return every([base, negated[subtract]], given.raced)
    }
    if ('computedUserset' in rewrite) {
      return resolve(object, rewrite.computedUserset.relation, depth, visited)
    }
    const here = all.filter((tuple) => tuple.object === object)
    if ('tupleToUserset' in rewrite) {
      const { tupleset, computedUserset } = rewrite.tupleToUserset
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
      const everyone = usable(mine.filter(({ user }) => user === `${userType}:*`))
      outcomes.push(everyone.tuples.length > 0 ? 'yes' : everyone.hidden)
    }
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
