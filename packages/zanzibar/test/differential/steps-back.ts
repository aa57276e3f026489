import { compileCondition } from '../../src/condition/condition.ts'
import { isWeighted } from '../../src/graph/weighted.ts'
import { openFgaLimits } from '../../src/limits.ts'
import { type Relation, type Rewrite, typeSystem } from '../../src/model/type-system.ts'
import type { Tuple } from '../../src/tuple/tuple.ts'
import type { EngineCase, Question } from './engine-case.ts'

type List = Extract<Question, { readonly kind: 'objects' }>

/** A step: whoever has the first has the second, each as `object#relation`. */
type Step = readonly [from: string, to: string]

/**
 * Whether OpenFGA may take a list for too deep, or not, as it comes first to what several ways lead to: it walks back from the user,
 * every object is near enough by its shortest way, and there are enough of them for a longer one.
 */
export function mayLeadTooFar(given: EngineCase, asked: List, relations: readonly Relation[]): boolean {
  const isWalkedBack = /#|:\*$/.test(asked.user) || !isWeighted(typeSystem(given.model, compileCondition))
  const tuples = [...given.contextualTuples, ...given.tuples].filter(
    ({ condition }) => condition === undefined || condition.name === 'holds',
  )
  const steps = relations.flatMap((relation) => stepsTo(relation, relation.rewrite, tuples))
  const away = new Map<string, number>([[asked.user, 0]])
  for (let isGrowing = true; isGrowing; ) {
    isGrowing = false
    for (const [from, to] of steps) {
      const next = (away.get(from) ?? Number.POSITIVE_INFINITY) + 1
      if (next >= (away.get(to) ?? Number.POSITIVE_INFINITY)) continue
      away.set(to, next)
      isGrowing = true
    }
  }
  const arrivals = steps.flatMap(([from]) => [(away.get(from) ?? 0) + 1])
  const { resolveNodeLimit } = openFgaLimits
  return isWalkedBack && away.size > resolveNodeLimit && Math.max(...arrivals) <= resolveNodeLimit
}

function stepsTo(relation: Relation, rewrite: Rewrite, tuples: readonly Tuple[]): readonly Step[] {
  const { type, name } = relation
  const of = (tupleset: string): readonly Tuple[] =>
    tuples.filter((each) => each.object.startsWith(`${type}:`) && each.relation === tupleset)
  switch (rewrite.kind) {
    case 'direct':
      return of(name).map(({ object, user }) => [user, `${object}#${name}`])
    case 'computed': {
      const objects = new Set(tuples.flatMap(({ object, user }) => [object, user.split('#')[0] ?? '']))
      const own = [...objects].filter((each) => each.startsWith(`${type}:`))
      return own.map((object) => [`${object}#${rewrite.relation.name}`, `${object}#${name}`])
    }
    case 'from':
      return of(rewrite.tupleset.name).map(({ object, user }) => [
        `${user}#${rewrite.name}`,
        `${object}#${name}`,
      ])
    case 'union':
      return rewrite.children.flatMap((child) => stepsTo(relation, child, tuples))
    case 'intersection':
      return rewrite.children.slice(0, 1).flatMap((child) => stepsTo(relation, child, tuples))
    case 'exclusion':
  }
  return stepsTo(relation, rewrite.base, tuples)
}
