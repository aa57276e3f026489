import type { Read, Snapshot } from '../../store/snapshot.ts'
import type { Tuple, TupleKey } from '../../tuple/tuple.ts'
import type { Scope } from '../tuple-reader.ts'
import { maxTuples } from './limits.ts'
import { needed } from './needed.ts'
import { isAllowed, Prover, type Reason } from './prover.ts'

/** Tuples of the far sides of exclusions without which the user would be let through; none is among them in vain. */
export async function findBlocking(
  scope: Scope,
  key: TupleKey,
  signal: AbortSignal | undefined,
): Promise<readonly Tuple[]> {
  for (const tupleOf of [nearestTuple, farthestTuple]) {
    const found = await takenAway(scope, key, signal, tupleOf)
    if (found.length > 0) return found
  }
  return []
}

/** Takes away, one by one, what exclusions found on their far sides, until the user is let through. */
async function takenAway(
  scope: Scope,
  key: TupleKey,
  signal: AbortSignal | undefined,
  tupleOf: (reason: Reason) => Tuple | undefined,
): Promise<readonly Tuple[]> {
  const removed: Tuple[] = []
  while (removed.length < maxTuples) {
    const left = without(scope, removed)
    if (removed.length > 0 && (await isAllowed(left, key, signal))) {
      return await needed(removed, (tuples) => isAllowed(without(scope, tuples), key, signal))
    }
    const walk = new Prover(left, key.user, signal, true)
    await walk.prove(key.object, key.relation, new Set())
    const tuple = walk.takenAway.map(tupleOf).find((each) => each !== undefined)
    if (tuple === undefined) return []
    removed.push(tuple)
  }
  return []
}

/** The tuple by which a reason comes to the user. */
function nearestTuple(reason: Reason): Tuple | undefined {
  switch (reason.kind) {
    case 'itself':
      return undefined
    case 'tuple':
      return reason.tuple
    case 'userset':
      return nearestTuple(reason.of.because) ?? reason.tuple
    case 'computed':
      return nearestTuple(reason.of.because)
    case 'all':
      return reason.of.map(nearestTuple).find((each) => each !== undefined)
    case 'butNot':
  }
  return nearestTuple(reason.base)
}

/** The tuple by which it begins, at the object: what is nearer to the user may be on the way to a yes too. */
function farthestTuple(reason: Reason): Tuple | undefined {
  switch (reason.kind) {
    case 'itself':
      return undefined
    case 'tuple':
    case 'userset':
      return reason.tuple
    case 'computed':
      return farthestTuple(reason.of.because)
    case 'all':
      return reason.of.map(farthestTuple).find((each) => each !== undefined)
    case 'butNot':
  }
  return farthestTuple(reason.base)
}

/** The scope as if these tuples were not there. */
export function without(scope: Scope, removed: readonly Tuple[]): Scope {
  const isRemoved = (tuple: Tuple): boolean =>
    removed.some(
      ({ object, relation, user }) =>
        tuple.object === object && tuple.relation === relation && tuple.user === user,
    )
  const { snapshot } = scope
  const less: Snapshot = {
    revision: snapshot.revision,
    at: (read: Read) => snapshot.at(read)?.filter((tuple) => !isRemoved(tuple)),
    fetch: (reads, given) => snapshot.fetch(reads, given),
    release: () => undefined,
  }
  const contextualTuples = scope.contextualTuples?.filter((tuple) => !isRemoved(tuple))
  return { ...scope, snapshot: less, contextualTuples }
}
