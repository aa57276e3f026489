import type { Tuple, TupleKey } from '../../tuple/tuple.ts'
import type { Scope } from '../tuple-reader.ts'
import { findBlocking, without } from './blocking.ts'
import { waysBack, waysTo, withTuples } from './missing.ts'
import { needed } from './needed.ts'
import { isAllowed } from './prover.ts'

/** What is missing, and what would take it away. */
export interface Both {
  readonly blocking: readonly Tuple[]
  readonly missing: readonly TupleKey[]
}

type Part = { readonly blocking: Tuple } | { readonly missing: TupleKey }

/** For who has nothing that could be taken away, and would have it taken away: blocked beforehand. */
export async function findBoth(
  scope: Scope,
  key: TupleKey,
  signal: AbortSignal | undefined,
): Promise<Both | undefined> {
  const holds = (parts: readonly Part[]): Promise<boolean> => {
    const { missing, blocking } = sorted(parts)
    return isAllowed(withTuples(without(scope, blocking), missing), key, signal)
  }
  for await (const way of waysTo(scope, key, waysBack, signal)) {
    const inTheWay = await findBlocking(withTuples(scope, way), key, signal)
    if (inTheWay.length === 0 || inTheWay.some((each) => way.some((one) => isSame(one, each)))) continue
    let parts: readonly Part[] = [
      ...way.map((missing) => ({ missing })),
      ...inTheWay.map((blocking) => ({ blocking })),
    ]
    // What one takes away may be the way to the user for another: what is left out makes others needless.
    for (let before = parts.length + 1; parts.length < before; ) {
      before = parts.length
      parts = await needed(parts, holds)
    }
    return sorted(parts)
  }
  return undefined
}

function sorted(parts: readonly Part[]): Both {
  return {
    blocking: parts.flatMap((part) => ('blocking' in part ? [part.blocking] : [])),
    missing: parts.flatMap((part) => ('missing' in part ? [part.missing] : [])),
  }
}

function isSame(a: TupleKey, b: TupleKey): boolean {
  return a.object === b.object && a.relation === b.relation && a.user === b.user
}
