import type { EnumType, Typing } from './typing.ts'

/** A value without parts: an integer is a bigint and a float a number, so that 1 and 1.0 stay what they are. */
export type Scalar = null | boolean | bigint | number | string | Uint8Array

/** Keys keep their types: 1 and '1' are two; but as in Python 1, 1.0 and true are one, spelt as first given. */
export type MapKey = Scalar

/** Where a value was written. */
export type Origin =
  | FileOrigin
  | OverrideOrigin
  /** An environment variable that `oc.env` read. */
  | { readonly kind: 'env'; readonly name: string }
  /** A default of the schema. */
  | { readonly kind: 'schema-default' }
  /** The program, or what Hydra adds to its own node at run time. */
  | { readonly kind: 'code' }

export interface FileOrigin extends ConfigFile {
  readonly kind: 'file'
  /** From 1. */
  readonly line: number
  /** From 1, in UTF-16 units, as editors count. */
  readonly column: number
}

/** One file of a search path. */
export interface ConfigFile {
  /** The path of its source, such as `file:///srv/app/conf` or `memory://`. */
  readonly source: string
  /** From the root of the source, without `.yaml`. */
  readonly config: string
}

export interface OverrideOrigin {
  readonly kind: 'override'
  /** Its place among the overrides, from 0. */
  readonly index: number
  /** Where the value begins in `text`, in UTF-16 units. */
  readonly start: number
  /** Where the value ends in `text`: behind its last unit. */
  readonly end: number
  /** The whole override. */
  readonly text: string
}

export interface ScalarValue {
  readonly kind: 'scalar'
  /** `???` and strings with `${` stand here as they were written. */
  readonly value: Scalar
  readonly origin?: Origin | undefined
  /** Present where the value must not be shown; see `secret`. Carried by merges, overrides and interpolation. */
  readonly secret?: true
  /** What stands in the place of a secret where it would be shown. */
  readonly shown?: string
  /** Present where the text is the name of a member of an enum, or a path. */
  readonly as?: EnumType | 'path' | undefined
  readonly typing?: Typing | undefined
}

export interface ListValue {
  readonly kind: 'list'
  readonly items: readonly Value[]
  readonly origin?: Origin | undefined
  readonly typing?: Typing | undefined
}

export interface MapValue {
  readonly kind: 'map'
  readonly entries: ReadonlyMap<MapKey, Value>
  readonly origin?: Origin | undefined
  /** Absent where anything may stand here, as in a configuration without a structured config. */
  readonly typing?: Typing | undefined
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
  const same = sameKeys(made)
  for (const [key, value] of entries) made.set(same(key) ?? key, value)
  return { kind: 'map', entries: made, origin }
}

/** Copies the entries of a map, for its own to be changed. */
export type CopyEntries = (entries: ReadonlyMap<MapKey, Value>) => Map<MapKey, Value>

/** The key of `entries` that Python holds equal to `key`; undefined where there is none. */
export function sameKey(entries: ReadonlyMap<MapKey, unknown>, key: MapKey): MapKey | undefined {
  if (entries.has(key)) return key
  if (key === null || typeof key === 'string') return undefined
  if (key instanceof Uint8Array) return sameKeys(entries)(key)
  if (typeof key === 'number' && !Number.isInteger(key)) return undefined
  const whole = BigInt(key)
  // Every other way to write it: few, so that it is looked up and not looked for.
  return [whole, Number(whole), whole === 1n].find(
    (other) =>
      typeof other !== typeof key && entries.has(other) && Number(other) <= whole && Number(other) >= whole,
  )
}

/**
 * As {@link sameKey}, for keys that are put into `entries` one after the other: bytes, which a Map does not find, are
 * looked for among all of its keys once.
 */
export function sameKeys(entries: ReadonlyMap<MapKey, unknown>): (key: MapKey) => MapKey | undefined {
  // Under `false` what is not bytes, which nobody asks for.
  let bytes: Map<string | false, MapKey> | undefined
  return (key) => {
    if (!(key instanceof Uint8Array)) return sameKey(entries, key)
    bytes ??= new Map([...entries.keys()].map((each) => [each instanceof Uint8Array && each.join(), each]))
    const text = key.join()
    const same = bytes.get(text)
    bytes.set(text, same ?? key)
    return same
  }
}
