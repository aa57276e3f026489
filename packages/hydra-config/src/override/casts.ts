import { stringRepr } from '../value/python-string.ts'
import { pythonFloat } from '../value/python-text.ts'
import type { Bound } from './bound.ts'
import { type ChoiceSweep, type Element, isDict, isGlob, isList, isQuoted, isSweep } from './override.ts'
import { parsePythonFloat, parsePythonInt } from './python-numbers.ts'
import { kindOf, refuse, refuseType } from './refuse.ts'

const castTypes = 'Optional[Union[str, int, float, bool, List[Any], Dict[str, Any], QuotedString, Sweep]]'

type Primitive = null | boolean | bigint | number | string
type Cast<T> = (value: Primitive) => T
type CastName = 'int' | 'float' | 'str' | 'bool'

/** `int(value, …)`: each value as Python's int() makes it of a number or a text. */
export function castInt(bound: Bound): Element {
  return cast('int', argumentOf(bound), toInt)
}

/** `float(value, …)` */
export function castFloat(bound: Bound): Element {
  return cast('float', argumentOf(bound), toFloat)
}

/** `str(value, …)`: floats as Python prints them, booleans in lower case. */
export function castStr(bound: Bound): Element {
  return cast('str', argumentOf(bound), toStr)
}

/** `bool(value, …)`: of strings only true and false, in any case. */
export function castBool(bound: Bound): Element {
  return cast('bool', argumentOf(bound), toBool)
}

/** The one argument; more than one are a simple choice. */
function argumentOf({ rest, parameters }: Bound): Element {
  const named = parameters.get('value')
  for (const [index, value] of rest.entries())
    if (isGlob(value)) refuseType(`args[${index}]`, value, castTypes)
  if (isGlob(named ?? null)) refuseType('value', named ?? null, castTypes)
  if (named !== undefined && named !== null) {
    if (rest.length > 0) refuse('cannot use both position and named arguments')
    return named
  }
  const [only, ...others] = rest
  if (only === undefined) return refuse('No positional args or value specified')
  if (others.length === 0) return only
  return simpleChoice(rest)
}

/** `a,b,c` of arguments; a sweep cannot be one of them. */
export function simpleChoice(list: readonly Element[]): ChoiceSweep {
  for (const value of list)
    if (isSweep(value) || isGlob(value))
      refuse(`${kindOf(value)} cannot be one of several values`, 'AssertionError')
  return { kind: 'choice', list, simple: true, shuffle: false, tags: [] }
}

function cast(name: CastName, value: Element, one: Cast<Element>): Element {
  if (isList(value)) return value.map((item) => cast(name, item, one))
  if (value === null || typeof value !== 'object') return one(value)
  if (isQuoted(value)) return one(value.text)
  if (isDict(value))
    return { kind: 'dict', pairs: value.pairs.map(([key, item]) => [key, cast(name, item, one)]) }
  switch (value.kind) {
    case 'choice': {
      const list = value.list.map((item) => cast(name, item, one))
      if (list.some((item) => isSweep(item)))
        refuse('a sweep cannot be a choice of another one', 'AssertionError')
      // Hydra forgets tags and shuffle here.
      return { kind: 'choice', list, simple: value.simple, shuffle: false, tags: [] }
    }
    case 'range': {
      const number = castNumber(name, 'range')
      const [start, stop, step] = [number(value.start), number(value.stop), number(value.step)]
      return { kind: 'range', start, stop, step, shuffle: false, tags: [] }
    }
    case 'interval': {
      const number = castNumber(name, 'interval')
      return { ...value, start: number(value.start), end: number(value.end) }
    }
    case 'glob':
    default:
      // Python's bool() of any object that has no other say.
      return name === 'bool' ? true : refuse('a glob cannot be cast')
  }
}

function castNumber(name: CastName, what: 'interval' | 'range'): Cast<bigint | number> {
  if (name === 'int') return toInt
  if (name === 'float') return toFloat
  const told =
    what === 'range' ? 'Range can only be cast to int or float' : `Intervals cannot be cast to ${name}`
  return refuse(told, 'ValueError')
}

function toInt(value: Primitive): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (typeof value === 'number' && Number.isFinite(value)) return BigInt(Math.trunc(value))
  const parsed = typeof value === 'string' ? parsePythonInt(value) : undefined
  if (parsed !== undefined) return parsed
  if (typeof value !== 'string') return refuse(`${shown(value)} is no integer`, 'AssertionError')
  return refuse(`invalid literal for int() with base 10: ${stringRepr(value)}`, 'ValueError')
}

/** Python's `float(value)`, which refuses integers beyond the largest float. */
export function toFloat(value: Primitive): number {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  const parsed = typeof value === 'string' ? parsePythonFloat(value) : finiteOf(value)
  if (parsed !== undefined) return parsed
  if (typeof value !== 'string') return refuse(`${shown(value)} is no float`, 'AssertionError')
  return refuse(`could not convert string to float: ${stringRepr(value)}`, 'ValueError')
}

function finiteOf(value: bigint | null): number | undefined {
  const number = Number(value)
  return value !== null && Number.isFinite(number) ? number : undefined
}

function toStr(value: Primitive): string {
  if (value === null) return refuse('null cannot be cast to str', 'AssertionError')
  return typeof value === 'number' ? pythonFloat(value) : String(value)
}

function toBool(value: Primitive): boolean {
  if (typeof value !== 'string') return Number.isNaN(value) || Boolean(value)
  const lower = value.toLowerCase()
  if (lower === 'true') return true
  return lower === 'false' ? false : refuse(`Cannot cast '${value}' to bool`, 'ValueError')
}

function shown(value: Primitive): string {
  const text = String(value)
  return `'${text.length > 60 ? `${text.slice(0, 60)}…` : text}'`
}
