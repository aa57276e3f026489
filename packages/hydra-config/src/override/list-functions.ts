import type { Element, ListFunction } from './override.ts'
import { isQuoted } from './override.ts'
import { kindOf, refuse } from './refuse.ts'

/** `extend_list` is what Hydra 1.4 calls append. */
const functions: ReadonlyMap<string, ListFunction['name']> = new Map([
  ['append', 'append'],
  ['prepend', 'prepend'],
  ['insert', 'insert'],
  ['remove', 'remove'],
  ['pop', 'pop'],
  ['clear', 'clear'],
  ['extend_list', 'append'],
])

/** Whether `name(…)` edits the list at the key, by strict semantics. */
export function isListFunction(name: string): boolean {
  return functions.has(name)
}

/**
 * `append(a,…)`, `prepend(a,…)`, `insert(index,a,…)`, `remove(a,…)` of the first equal item each, `pop(index)` and
 * `clear()`.
 * @throws {HydraConfigError} `OVERRIDE_PARSE`, without an offset
 */
export function listFunction(
  called: string,
  positional: readonly Element[],
  named: ReadonlyMap<string, Element>,
): ListFunction {
  const name = functions.get(called) ?? refuse(`there is no function '${called}' of lists`)
  for (const key of named.keys()) refuse(`${called} has no argument '${key}'`)
  if (name === 'clear') {
    if (positional.length > 0) refuse('clear takes no arguments')
    return { name, index: 0, items: [] }
  }
  if (name === 'append' || name === 'prepend' || name === 'remove') {
    return { name, index: 0, items: positional }
  }
  const [first = null, ...items] = positional
  if (name === 'pop' && items.length > 0) refuse('pop takes one argument, an index')
  return { name, index: indexOf(called, first), items }
}

function indexOf(called: string, value: Element): number {
  const index = typeof value === 'bigint' ? Number(value) : Number.NaN
  if (Number.isSafeInteger(index)) return index
  return refuse(
    `the first argument of ${called} is an index, not ${isQuoted(value) ? `'${value.text}'` : kindOf(value)}`,
  )
}
