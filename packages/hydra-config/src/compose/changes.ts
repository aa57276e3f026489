import { plainView } from '../value/plain.ts'
import { redact } from '../value/secret.ts'
import type { Origin, Scalar, Value } from '../value/value.ts'
import { childAt, childPath, keysOf, keyTexts, valueAt } from '../value/value-path.ts'
import type { ConfigNode } from './config-node.ts'

/** One difference between two configurations, at the highest path where they differ. */
export type Change =
  | { readonly op: 'added'; readonly path: string; readonly after: ChangeSide }
  | { readonly op: 'removed'; readonly path: string; readonly before: ChangeSide }
  | { readonly op: 'changed'; readonly path: string; readonly before: ChangeSide; readonly after: ChangeSide }

export interface ChangeSide {
  /** With interpolations resolved, `***` for a secret. */
  readonly value: unknown
  /** Where it was written; undefined where the program made it. */
  readonly origin: Origin | undefined
}

/**
 * What is different in `after`, interpolations resolved. The order of keys makes no difference, the order of items
 * does; 1 and 1.0 are two values. Secrets are compared and not shown.
 */
export function changesBetween(before: ConfigNode, after: ConfigNode): readonly Change[] {
  const changes: Change[] = []
  compare(before.resolved(), after.resolved(), '')
  return changes

  function compare(old: Value, value: Value, path: string): void {
    if (old === value) return
    if (old.kind === 'scalar' || old.kind !== value.kind) {
      if (value.kind === 'scalar' && old.kind === 'scalar' && sameScalar(old.value, value.value)) return
      changes.push({
        op: 'changed',
        path,
        before: sideOf(before, path, old),
        after: sideOf(after, path, value),
      })
      return
    }
    for (const key of keyTexts(old)) {
      const [left, right] = [childAt(old, key), childAt(value, key)]
      const at = childPath(path, key, old)
      if (left !== undefined && right !== undefined) compare(left, right, at)
      else if (left !== undefined) changes.push({ op: 'removed', path: at, before: sideOf(before, at, left) })
    }
    for (const key of keyTexts(value)) {
      const right = childAt(value, key)
      if (right === undefined || childAt(old, key) !== undefined) continue
      const at = childPath(path, key, value)
      changes.push({ op: 'added', path: at, after: sideOf(after, at, right) })
    }
  }
}

/** Of an interpolation the origin is where it stands, not where what it leads to does. */
function sideOf(tree: ConfigNode, path: string, value: Value): ChangeSide {
  const written = valueAt(tree.raw, keysOf(path)) ?? value
  return { value: plainView(redact(value)), origin: written.origin }
}

function sameScalar(a: Scalar, b: Scalar): boolean {
  if (a instanceof Uint8Array) {
    return b instanceof Uint8Array && a.length === b.length && a.every((byte, index) => byte === b[index])
  }
  return Object.is(a, b)
}
