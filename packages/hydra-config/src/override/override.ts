/** A quoted string of an override: always a string, whatever it looks like. */
export interface QuotedString {
  readonly kind: 'quoted'
  readonly text: string
  readonly quote: "'" | '"'
}

/** `{key: value}` of an override, in order. Keys that Python holds for equal (`1`, `1.0`, `true`) are one. */
export interface Dict {
  readonly kind: 'dict'
  readonly pairs: readonly (readonly [DictKey, Element])[]
}

export type DictKey = null | boolean | bigint | number | string

/** `a,b` (the simple form) or `choice(a,b)`. */
export interface ChoiceSweep {
  readonly kind: 'choice'
  readonly list: readonly Element[]
  readonly simple: boolean
  readonly shuffle: boolean
  readonly tags: readonly string[]
}

/** `range(start,stop,step)`: all values of `start + i * step` before `stop`. */
export interface RangeSweep {
  readonly kind: 'range'
  readonly start: RangeNumber
  readonly stop: RangeNumber
  readonly step: RangeNumber
  readonly shuffle: boolean
  readonly tags: readonly string[]
}

/** A number of a range; Python takes a boolean for 0 or 1. */
export type RangeNumber = boolean | bigint | number

/** `interval(start,end)`: start <= x < end, for sweepers that sample. */
export interface IntervalSweep {
  readonly kind: 'interval'
  readonly start: bigint | number
  readonly end: bigint | number
  readonly tags: readonly string[]
}

/** `glob(include,exclude)`: the options of a config group whose names match. */
export interface Glob {
  readonly kind: 'glob'
  readonly include: readonly Element[]
  readonly exclude: readonly Element[]
}

export type Sweep = ChoiceSweep | RangeSweep | IntervalSweep

/** Any value of an override; integers are bigint, floats are number. */
export type Element =
  | null
  | boolean
  | bigint
  | number
  | string
  | QuotedString
  | readonly Element[]
  | Dict
  | Sweep
  | Glob

/** `k=v`, `+k=v`, `++k=v` and `~k`, in Hydra's words. */
export type OverrideType = 'CHANGE' | 'ADD' | 'FORCE_ADD' | 'DEL'

/** One parsed override. */
export interface Override {
  /** As it was given; where it sets something secret, with `***` for its value. */
  readonly text: string
  /** As it was given, where that is not to be shown. */
  readonly secretText?: string | undefined
  readonly type: OverrideType
  /** A config group (`db/engine`) or a path (`db.port`); which of them, only the configs can tell. */
  readonly key: string
  /** What follows `@`; undefined without one. */
  readonly package: string | undefined
  /** null for `~key` alone, '' for `key=`. */
  readonly value: Element
  /** Whether there was an `=`. */
  readonly hasValue: boolean
  /** By strict semantics, how the list at the key is edited; `value` then holds the items. */
  readonly edit?: ListFunction | undefined
}

/** `append(a,b)` and its like, which edit the list at the key. */
export interface ListFunction {
  readonly name: 'append' | 'prepend' | 'insert' | 'remove' | 'pop' | 'clear'
  /** Of `insert` and `pop`, else 0; negative ones count from the end. */
  readonly index: number
  readonly items: readonly Element[]
}

export function isSweep(value: Element): value is Sweep {
  return isObject(value) && (value.kind === 'choice' || value.kind === 'range' || value.kind === 'interval')
}

/** Whether `value` is to be swept over: a sweep or a glob. */
export function isSwept(value: Element): value is Sweep | Glob {
  return isSweep(value) || isGlob(value)
}

export function isGlob(value: Element): value is Glob {
  return isObject(value) && value.kind === 'glob'
}

export function isDict(value: Element): value is Dict {
  return isObject(value) && value.kind === 'dict'
}

export function isQuoted(value: Element): value is QuotedString {
  return isObject(value) && value.kind === 'quoted'
}

export function isList(value: Element): value is readonly Element[] {
  return Array.isArray(value)
}

function isObject(value: Element): value is QuotedString | Dict | Sweep | Glob {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
