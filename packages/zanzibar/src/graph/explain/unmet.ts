import { isZanzibarError } from '../../errors.ts'
import type { Context, Json, Tuple, TupleKey } from '../../tuple/tuple.ts'
import { type Scope, TupleReader } from '../tuple-reader.ts'
import { maxTuples } from './limits.ts'
import { needed } from './needed.ts'
import { isAllowed } from './prover.ts'

/** A tuple that is there, and does not count because its condition does not hold. */
export interface UnmetCondition {
  readonly tuple: Tuple
  /** The name of the condition. */
  readonly condition: string
  /** What it was evaluated with: the question's context, and over it the tuple's. */
  readonly parameters: Context
}

/** Tuples with which the user would be let through if their conditions held; none is among them in vain. */
export async function findUnmet(
  scope: Scope,
  key: TupleKey,
  signal: AbortSignal | undefined,
): Promise<readonly UnmetCondition[]> {
  const reader = new TupleReader(scope)
  const holds = (tuple: Tuple): boolean => {
    try {
      return reader.isMet(tuple)
    } catch (error) {
      if (isZanzibarError(error)) return false
      throw error
    }
  }
  const unmet = new Map<string, Tuple>()
  const all: Scope = {
    ...scope,
    isMet: (tuple) => {
      if (!holds(tuple)) unmet.set(textOf(tuple), tuple)
      return true
    },
  }
  if (!(await isAllowed(all, key, signal))) return []
  const found = await few([...unmet.values()], (tuples) => {
    const assumed = new Set(tuples.map(textOf))
    return isAllowed({ ...scope, isMet: (tuple) => assumed.has(textOf(tuple)) || holds(tuple) }, key, signal)
  })
  return found.map((tuple) => {
    const { name = '', context } = tuple.condition ?? {}
    return { tuple, condition: name, parameters: { ...declared(scope, name), ...context } }
  })
}

/** What the question gives of the parameters of a condition. */
function declared({ types, context = {} }: Scope, name: string): Context {
  const condition = types.condition(name)
  const isDeclared = ([key, value]: [string, Json]): boolean =>
    condition?.contextProblem({ [key]: value }) === undefined
  return Object.fromEntries(Object.entries(context).filter(isDeclared))
}

/** So many that it is not too much to leave out those that are not needed one by one. */
async function few(
  tuples: readonly Tuple[],
  holds: (tuples: readonly Tuple[]) => Promise<boolean>,
): Promise<readonly Tuple[]> {
  let kept = tuples
  // Halves first: where many ways lead there, one of them is enough.
  for (let size = Math.ceil(kept.length / 2); kept.length > maxTuples && size >= 1; ) {
    const before = kept.length
    for (let from = 0; from < kept.length && kept.length > maxTuples; ) {
      const rest = [...kept.slice(0, from), ...kept.slice(from + size)]
      if (await holds(rest)) kept = rest
      else from += size
    }
    if (kept.length === before || size > kept.length) size = Math.floor(size / 2)
  }
  return await needed(kept, holds)
}

function textOf({ object, relation, user, condition }: Tuple): string {
  return JSON.stringify([object, relation, user, condition?.name])
}
