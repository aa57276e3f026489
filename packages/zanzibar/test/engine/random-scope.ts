import type { Scope } from '../../src/graph/tuple-reader.ts'
import { type TypeSystemCondition, typeSystem } from '../../src/model/type-system.ts'
import type { RandomCase } from '../random/random-model.ts'
import { arraySnapshot } from './array-snapshot.ts'

/** The conditions of random models, without CEL. */
export function condition(name: string): TypeSystemCondition {
  return {
    evaluate: (contexts) => {
      const isGiven = contexts.some((each) => 'x' in each)
      return { met: isGiven && name === 'holds', missing: isGiven ? [] : ['x'] }
    },
    contextProblem: () => undefined,
  }
}

/** A random case as the engine is asked of it. */
export function scopeOf(given: RandomCase, depthLimit: number): Scope {
  return {
    types: typeSystem(given.model, ({ name }) => condition(name)),
    snapshot: arraySnapshot(given.tuples),
    context: given.context,
    contextualTuples: given.contextualTuples,
    depthLimit,
    maxConditionCost: 100,
  }
}
