import { Buffer } from 'node:buffer'
import type { TypeSystem } from './model/type-system.ts'
import type { Clock } from './ports.ts'
import { expiryProblem } from './store/check-write.ts'
import type { TupleToWrite } from './store/tuple-store.ts'
import type { Context, Tuple } from './tuple/tuple.ts'
import { refusedContextualTuple, writeProblem } from './tuple/validity.ts'
import type { TupleOrTriple } from './zanzibar.ts'

/** A tuple that was given in either form. */
export function tupleOf(given: TupleOrTriple): TupleToWrite {
  if (!isTriple(given)) return given
  const [user, relation, object] = given
  return { user, relation, object }
}

/**
 * Contextual tuples, without those that have expired.
 *
 * @throws ZanzibarError for one that the model does not take
 */
export function contextualTuples(
  types: TypeSystem,
  given: readonly TupleOrTriple[],
  clock: Pick<Clock, 'now'>,
): readonly Tuple[] {
  return given.map(tupleOf).filter((tuple) => {
    const problem = writeProblem(types, tuple) ?? expiryProblem(tuple)
    if (problem !== undefined) throw refusedContextualTuple(tuple, problem, 'check')
    return tuple.expiresAt === undefined || tuple.expiresAt > clock.now()
  })
}

/** In bytes of JSON. */
export function sizeOf(context: Context): number {
  return Buffer.byteLength(JSON.stringify(context))
}

function isTriple(given: TupleOrTriple): given is readonly [string, string, string] {
  return Array.isArray(given)
}
