import { simpleChoice } from './casts.ts'
import type { Bound } from './functions.ts'
import {
  type ChoiceSweep,
  type Element,
  isGlob,
  isList,
  isSweep,
  type RangeNumber,
  type RangeSweep,
} from './override.ts'
import { pythonOrder } from './python-order.ts'
import { kindOf, refuse } from './refuse.ts'

/** `shuffle(sweep)`, `shuffle([…])`, or values that become a simple choice. */
export function shuffle(bound: Bound): Element {
  const { rest, random } = bound
  const chosen = argumentOf('shuffle', bound)
  const value = chosen ?? (rest.length === 1 ? rest[0] : undefined)
  if (value === undefined) return { ...simpleChoice(rest), shuffle: true }
  if (isOrderable(value)) return { ...value, shuffle: true }
  return isList(value) ? shuffled(value, random) : [value]
}

/** `sort(sweep)`, `sort([…])`, or values that become a simple choice; `reverse=true` for the other way round. */
export function sort(bound: Bound): Element {
  const { rest, parameters } = bound
  const chosen = argumentOf('sort', bound)
  const reverse = parameters.get('reverse') ?? false
  if (typeof reverse !== 'boolean' || parameters.get('reverse') === null)
    return refuse('reverse must be true or false')
  const value = chosen ?? (rest.length === 1 ? rest[0] : undefined)
  if (value === undefined) {
    for (const item of rest)
      if (typeof item === 'object') refuse(`${kindOf(item)} cannot be sorted among other values`)
    if (rest.length === 0) return refuse('there is nothing to sort')
    return sortSweep(simpleChoice(rest), reverse)
  }
  if (isOrderable(value)) return sortSweep(value, reverse)
  return isList(value) ? sorted(value, reverse) : value
}

/** A copy of `list` in random order, each order as likely as any other. */
export function shuffled<T>(list: readonly T[], random: () => number): T[] {
  const left = [...list]
  const drawn: T[] = []
  for (let size = left.length; size > 0; size--) {
    const at = Math.floor(random() * size)
    drawn.push(...left.slice(at, at + 1))
    left.copyWithin(at, size - 1, size)
  }
  return drawn
}

/** The argument given by name; a list goes before a sweep. */
function argumentOf(name: string, { rest, parameters }: Bound): Element | undefined {
  for (const value of rest)
    if (value === null || isGlob(value) || (isSweep(value) && value.kind === 'interval'))
      refuse(`${name} cannot take ${kindOf(value)}`)
  const list = parameters.get('list') ?? null
  const sweep = parameters.get('sweep') ?? null
  if (list !== null && !isList(list)) refuse(`list must be a list, not ${kindOf(list)}`)
  if (sweep !== null && !isOrderable(sweep)) refuse(`sweep must be a choice or a range, not ${kindOf(sweep)}`)
  return list ?? sweep ?? undefined
}

function isOrderable(value: Element): value is ChoiceSweep | RangeSweep {
  return isSweep(value) && value.kind !== 'interval'
}

function sortSweep(sweep: ChoiceSweep | RangeSweep, reverse: boolean): Element {
  if (sweep.kind === 'choice') return { ...sweep, list: sorted(sweep.list, reverse) }
  const { start, stop, step } = sweep
  if (reverse ? !(start < stop) : !(start > stop)) return sweep
  const size = absolute(step)
  const moved = reverse ? negative(size) : size
  return { ...sweep, start: add(stop, moved), stop: add(start, moved), step: negative(step) }
}

function sorted(list: readonly Element[], reverse: boolean): Element[] {
  const order = (a: Element, b: Element): number => (pythonOrder(a, b) ? -1 : 0)
  // Python turns the list round before and after, so that equal values keep their order.
  return reverse ? list.toReversed().toSorted(order).toReversed() : list.toSorted(order)
}

function numeric(value: RangeNumber): bigint | number {
  return typeof value === 'boolean' ? BigInt(value) : value
}

function add(a: RangeNumber, b: RangeNumber): bigint | number {
  const [x, y] = [numeric(a), numeric(b)]
  return typeof x === 'bigint' && typeof y === 'bigint' ? x + y : Number(x) + Number(y)
}

function negative(value: RangeNumber): bigint | number {
  return -numeric(value)
}

function absolute(value: RangeNumber): bigint | number {
  const number = numeric(value)
  return typeof number === 'bigint' ? (number < 0n ? -number : number) : Math.abs(number)
}
