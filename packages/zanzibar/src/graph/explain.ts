import type { Tuple, TupleKey } from '../tuple/tuple.ts'
import { check } from './check.ts'
import { findBlocking } from './explain/blocking.ts'
import { findBoth } from './explain/both.ts'
import { findFew } from './explain/few.ts'
import { findMissing } from './explain/missing.ts'
import { type Proof, Prover } from './explain/prover.ts'
import { findUnmet, type UnmetCondition } from './explain/unmet.ts'
import type { Scope } from './tuple-reader.ts'

export type { Proof, Reason } from './explain/prover.ts'
export type { UnmetCondition } from './explain/unmet.ts'

/** Why a check answers as it does. */
export type Explanation =
  | { readonly allowed: true; readonly proof: Proof }
  | {
      readonly allowed: false
      /**
       * Tuples without which it would be allowed, beside `missing` once those are there too: they stand on the far side of a
       * `but not`, or lead there. None is there in vain.
       */
      readonly blocking: readonly Tuple[]
      /** Tuples that do not count because of their conditions: if these held, it would be allowed. None is there in vain. */
      readonly unmet: readonly UnmetCondition[]
      /**
       * Tuples with which it would be allowed; beside `blocking`, it takes both. None is there in vain. Where no object that
       * is there leads to the user, they name one of the id `new`.
       */
      readonly missing: readonly TupleKey[]
    }

/**
 * Why a user has a relation to an object, or what stands in the way, or is missing. All that it names is defined in the
 * model. Asks many checks: a tool for people, not for requests.
 *
 * @throws ZanzibarError as `check`, also for what a condition leaves open
 */
export async function explain(asked: Scope, key: TupleKey, signal?: AbortSignal): Promise<Explanation> {
  const scope = { ...asked, isExplained: true }
  const { allowed, error } = await check(scope, key, signal)
  if (error !== undefined) throw error
  const proof =
    allowed && (await new Prover(scope, key.user, signal).prove(key.object, key.relation, new Set()))
  if (proof) return { allowed: true, proof }
  const blocking = await findBlocking(scope, key, signal)
  if (blocking.length > 0) return { allowed: false, blocking, unmet: [], missing: [] }
  const unmet = await findUnmet(scope, key, signal)
  const missing = await findMissing(scope, key, signal)
  if (unmet.length > 0 || missing.length > 0) return { allowed: false, blocking, unmet, missing }
  const few = await findFew(scope, key, signal)
  if (few === undefined) {
    return { allowed: false, unmet, ...((await findBoth(scope, key, signal)) ?? { blocking, missing }) }
  }
  return 'blocking' in few
    ? { allowed: false, blocking: [few.blocking], unmet, missing }
    : { allowed: false, blocking, unmet, missing: few.missing }
}
