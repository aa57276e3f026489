import { ledByOne, type Read, type Snapshot, type Wanted } from '../store/snapshot.ts'
import { typeOf } from '../tuple/object.ts'
import type { TupleKey } from '../tuple/tuple.ts'
import { Check } from './check.ts'
import type { ListObjectsRequest } from './list-objects.ts'
import { ReverseExpansion } from './reverse-expansion.ts'
import type { Scope } from './tuple-reader.ts'

// What questions ask for first, so that a store gives it together with the moment. What is wrong with a question it says
// itself, when it is asked: here it asks for nothing.

/** A check, once there is a moment to ask it of. */
export type CheckToCome = (snapshot: Snapshot) => { readonly scope: Scope; readonly key: TupleKey }

const nothing: Wanted = { reads: [] }

/** How much of one check is walked for this. */
const steps = 1_500

export function firstOfChecks(index: Scope['index'], checks: readonly CheckToCome[]): Wanted {
  const [only, ...others] = checks
  const blank = noMoment(index)
  if (only !== undefined && others.length === 0) return firstOfCheck(only, blank)
  const reads = new Map<string, Read>()
  let onward: Wanted['onward']
  for (const each of checks) {
    const wanted = firstOfCheck(each, blank)
    for (const read of wanted.reads) reads.set(JSON.stringify(read), read)
    onward ??= wanted.onward
  }
  return { reads: [...reads.values()], onward: ledByOne(onward) }
}

function firstOfCheck(toCome: CheckToCome, blank: Snapshot): Wanted {
  try {
    const { scope, key } = toCome(blank)
    const relation = scope.types.relation(typeOf(key.object), key.relation)
    if (relation === undefined) return nothing
    const progress = new Check(scope, relation, key).advance(steps)
    return progress.state === 'waiting' ? progress : nothing
  } catch {
    return nothing
  }
}

export function firstOfList(
  index: Scope['index'],
  toCome: (snapshot: Snapshot) => Scope,
  { user, type, relation: name }: ListObjectsRequest,
): Wanted {
  try {
    const scope = toCome(noMoment(index))
    const relation = scope.types.relation(type, name)
    return relation === undefined ? nothing : new ReverseExpansion(scope, user, relation).first()
  } catch {
    return nothing
  }
}

/** Nothing is at hand of it. */
function noMoment(index: Scope['index']): Snapshot {
  return {
    revision: index?.revision ?? 0,
    at: () => undefined,
    fetch: async () => {},
    release: () => {},
  }
}
