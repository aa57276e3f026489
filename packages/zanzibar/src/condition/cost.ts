import { isList } from './compare.ts'
import { CelMap, type Value } from './value.ts'

/** What a call costs with its first two arguments; cel-go's runtime cost (`google/cel-go:interpreter/runtimecost.go`). */
export type Cost = (one: Value, other: Value) => number

const traversal = 0.1
const ofPattern = 0.25

/** Of creating a list or a map that is no constant. */
export const listCost = 10
export const mapCost = 30

/** By the overload's id; a call that can only be decided at run time has none. */
export function costOf(overload: string | undefined): Cost {
  return (overload === undefined ? undefined : costs.get(overload)) ?? one
}

const one: Cost = () => 1

const ofShorter: Cost = (left, right) => Math.ceil(Math.min(sizeOf(left), sizeOf(right)) * traversal)

const ofSecond: Cost = (_left, right) => Math.ceil(sizeOf(right) * traversal)

const ofFirst: Cost = (left) => Math.ceil(sizeOf(left) * traversal)

const ofBoth: Cost = (left, right) => Math.ceil((sizeOf(left) + sizeOf(right)) * traversal)

const ofMatch: Cost = (text, pattern) =>
  Math.ceil((1 + sizeOf(text)) * traversal) * Math.ceil(sizeOf(pattern) * ofPattern)

const ofProduct: Cost = (text, part) =>
  Math.ceil(sizeOf(text) * traversal) * Math.ceil(sizeOf(part) * traversal)

const costs: ReadonlyMap<string, Cost> = new Map<string, Cost>([
  ['starts_with_string', ofSecond],
  ['ends_with_string', ofSecond],
  ['string_to_bytes', ofFirst],
  ['bytes_to_string', ofFirst],
  ['in_list', (_element, list) => sizeOf(list)],
  ...['less', 'less_equals', 'greater', 'greater_equals'].flatMap((name): [string, Cost][] => [
    [`${name}_string`, ofShorter],
    [`${name}_bytes`, ofShorter],
  ]),
  ['equals', ofShorter],
  ['not_equals', ofShorter],
  ['add_string', ofBoth],
  ['add_bytes', ofBoth],
  ['matches', ofMatch],
  ['matches_string', ofMatch],
  ['contains_string', ofProduct],
])

/** Code points, bytes, elements or entries; 1 for what has no size. */
function sizeOf(value: Value): number {
  if (typeof value === 'string') return codePoints(value)
  if (value instanceof Uint8Array || isList(value)) return value.length
  return value instanceof CelMap ? value.size : 1
}

function codePoints(text: string): number {
  let count = text.length
  for (let index = 1; index < text.length; index++) {
    const isSecond = (text.charCodeAt(index) & 0xfc00) === 0xdc00
    if (isSecond && (text.charCodeAt(index - 1) & 0xfc00) === 0xd800) count -= 1
  }
  return count
}
