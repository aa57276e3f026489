import { nextTurn } from '../ports.ts'
import type { TupleKey } from '../tuple/tuple.ts'
import { check } from './check.ts'
import type { Decision } from './decision.ts'
import { stopIfAborted } from './question.ts'
import type { Scope } from './tuple-reader.ts'

/** How many are checked before others have their turn; what these need of a store that fetches is fetched together. */
const together = 1000

/**
 * Which of these a check allows, in parts and in their order.
 *
 * @throws ZanzibarError as `check`, and what its answer is where it cannot be told
 */
export async function* checkEach<Key extends TupleKey>(
  scope: Scope,
  keys: readonly Key[],
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly Key[], void, undefined> {
  for await (const part of decideEach(scope, keys, signal)) {
    for (const { error } of part.values()) if (error !== undefined) throw error
    yield [...part].flatMap(([key, { allowed }]) => (allowed ? [key] : []))
  }
}

/**
 * What each of these comes to, in parts and in their order. Checks of OpenFGA's v2 have no limit of depth.
 *
 * @throws ZanzibarError as `check`
 */
export async function* decideEach<Key extends TupleKey>(
  scope: Scope,
  keys: readonly Key[],
  signal: AbortSignal | undefined,
): AsyncGenerator<ReadonlyMap<Key, Decision>, void, undefined> {
  const asked =
    scope.types.semantics === 'openfga-v2' ? { ...scope, depthLimit: Number.POSITIVE_INFINITY } : scope
  for (let from = 0; from < keys.length; from += together) {
    if (from > 0) await nextTurn()
    stopIfAborted(signal)
    const part = keys.slice(from, from + together)
    const decide = async (key: Key): Promise<[Key, Decision]> => [key, await check(asked, key, signal)]
    yield new Map(await Promise.all(part.map(decide)))
  }
}
