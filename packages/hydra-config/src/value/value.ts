/** A value without parts: an integer is a bigint and a float a number, so that 1 and 1.0 stay what they are. */
export type Scalar = null | boolean | bigint | number | string | Uint8Array

/** Keys keep their types: 1 and '1' are two; but as in Python 1, 1.0 and true are one, spelt as first given. */
export type MapKey = Scalar

/** Where a value was written. */
export type Origin =
  /** `line` and `column` count from 1. */
  | { readonly kind: 'file'; readonly file: string; readonly line: number; readonly column: number }
  /** `position` counts the overrides of the command line from 0. */
  | { readonly kind: 'override'; readonly text: string; readonly position: number }

export interface ScalarValue {
  readonly kind: 'scalar'
  /** `???` and strings with `${` stand here as they were written. */
  readonly value: Scalar
  readonly origin?: Origin | undefined
  /** Present where the value must not be shown; see `secret`. Carried by merges, overrides and interpolation. */
  readonly secret?: true
  /** What stands in the place of a secret where it would be shown. */
  readonly shown?: string
}

export interface ListValue {
  readonly kind: 'list'
  readonly items: readonly Value[]
  readonly origin?: Origin | undefined
}

export interface MapValue {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<MapKey, Value>
  readonly origin?: Origin | undefined
}

/** A value of a configuration. It never changes: what merges and overrides make is new, and shares the rest. */
export type Value = ScalarValue | ListValue | MapValue

export function scalar(value: Scalar, origin?: Origin): ScalarValue {
  return { kind: 'scalar', value, origin }
}

export function list(items: readonly Value[], origin?: Origin): ListValue {
  return { kind: 'list', items, origin }
}

/** Of equal keys the last value wins, in the place of the first. */
export function map(entries: Iterable<readonly [MapKey, Value]>, origin?: Origin): MapValue {
  const made = new Map<MapKey, Value>()
  for (const [key, value] of entries) made.set(sameKey(made, key) ?? key, value)
  return { kind: 'map', entries: made, origin }
}

/** The key of `entries` that Python holds equal to `key`; undefined where there is none. */
export function sameKey(entries: ReadonlyMap<MapKey, unknown>, key: MapKey): MapKey | undefined {
  if (entries.has(key)) return key
  if (key === null || typeof key === 'string') return undefined
  for (const other of entries.keys()) if (equalKeys(other, key)) return other
  return undefined
}

function equalKeys(a: MapKey, b: MapKey): boolean {
  if (a instanceof Uint8Array) {
    return b instanceof Uint8Array && a.length === b.length && a.every((byte, index) => byte === b[index])
  }
  const left = numeric(a)
  const right = numeric(b)
  // Neither is above the other: between a bigint and a number this compares exactly, as Python does.
  return left !== undefined && right !== undefined && left <= right && left >= right
}

function numeric(key: MapKey): bigint | number | undefined {
  if (typeof key === 'boolean') return key ? 1n : 0n
  return typeof key === 'bigint' || typeof key === 'number' ? key : undefined
}
