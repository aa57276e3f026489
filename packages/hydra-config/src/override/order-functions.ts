import type { Bound } from './bound.ts'
import { simpleChoice } from './casts.ts'
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
import { kindOf, refuse, refuseType } from './refuse.ts'

const sortedTypes = 'Union[str, int, bool, float, list, dict, ChoiceSweep, RangeSweep]'

/** `shuffle(sweep)`, `shuffle([…])`, or values that become a simple choice. */
export function shuffle(bound: Bound): Element {
  const { rest, random } = bound
  const chosen = argumentOf(bound)
  const value = chosen ?? (rest.length === 1 ? rest[0] : undefined)
  if (value === undefined) return { ...simpleChoice(rest), shuffle: true }
  if (isOrderable(value)) return { ...value, shuffle: true }
  return isList(value) ? shuffled(value, random) : [value]
}

/** `sort(sweep)`, `sort([…])`, or values that become a simple choice; `reverse=true` for the other way round. */
export function sort(bound: Bound): Element {
  const { rest, parameters } = bound
  const chosen = argumentOf(bound)
  const reverse = parameters.get('reverse') ?? false
  if (typeof reverse !== 'boolean' || parameters.get('reverse') === null)
    return refuseType('reverse', reverse, 'bool')
  const value = chosen ?? (rest.length === 1 ? rest[0] : undefined)
  if (value === undefined) {
    for (const item of rest)
      if (typeof item === 'object') refuse(`${kindOf(item)} cannot be sorted among other values`)
    if (rest.length === 0) return refuse('empty sort input', 'ValueError')
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
function argumentOf({ rest, parameters }: Bound): Element | undefined {
  for (const [index, value] of rest.entries())
    if (value === null || isGlob(value) || (isSweep(value) && value.kind === 'interval'))
      refuseType(`args[${index}]`, value, sortedTypes)
  const list = parameters.get('list') ?? null
  const sweep = parameters.get('sweep') ?? null
  if (list !== null && !isList(list)) refuseType('list', list, 'Optional[List[Any]]')
  if (sweep !== null && !isOrderable(sweep)) {
    refuseType('sweep', sweep, 'Optional[Union[ChoiceSweep, RangeSweep]]')
  }
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
