import { refuse as refuseOverride } from '../compose/refuse.ts'
import { HydraConfigError } from '../errors.ts'
import type { ListFunction } from '../override/override.ts'
import { type ListValue, list, sameKey, type Value } from '../value/value.ts'

/** A change of a list that keeps the rest of it. */
type ListEdit =
  | { readonly kind: 'append' | 'prepend' | 'remove'; readonly items: readonly Value[] }
  /** At the index before which the items go; negative ones count from the end. */
  | { readonly kind: 'insert'; readonly index: number; readonly items: readonly Value[] }
  /** The item at the index goes; negative ones count from the end. */
  | { readonly kind: 'pop'; readonly index: number }
  | { readonly kind: 'clear' }

/** How lists are edited where a map or an override says so. */
export interface ListEditing {
  /** See {@link listEditsOf}. */
  editsOf(value: Value): readonly ListEdit[] | undefined
  /** Whether an edit of a list stands anywhere in `value`. */
  isIn(value: Value): boolean
  /** See {@link editedList}. */
  edited(value: ListValue, edits: readonly ListEdit[]): ListValue
  /**
   * The list at the key of an override, edited by it.
   * @throws {HydraConfigError} `COMPOSITION` where there is none
   */
  byOverride(
    value: Value | undefined,
    edit: ListFunction,
    items: Value,
    override: { readonly key: string; readonly text: string },
  ): ListValue
}

export const listEditing: ListEditing = {
  editsOf: listEditsOf,
  isIn: holdsListEdit,
  edited: editedList,
  byOverride: (value, edit, items, { key, text }) => {
    if (value?.kind === 'list') return editedList(value, [ofOverride(edit, items)])
    const found = value?.kind === 'map' ? 'a mapping' : 'a scalar'
    return refuseOverride(`could not apply the override '${text}': '${key}' is no list but ${found}`)
  },
}

const keys: ReadonlyMap<unknown, 'append' | 'prepend' | 'remove'> = new Map([
  ['_append_', 'append'],
  ['_prepend_', 'prepend'],
  ['_remove_', 'remove'],
])

/**
 * The edits that stand in place of a list, as `{_append_: [a], _prepend_: [b], _remove_: [c]}`, in their order;
 * undefined where `value` is something else.
 * @throws {HydraConfigError} `MERGE` for an edit beside other keys, or without a list of items
 */
function listEditsOf(value: Value): readonly ListEdit[] | undefined {
  if (value.kind !== 'map' || !value.entries.keys().some((key) => keys.has(key))) return undefined
  return Array.from(value.entries, ([key, items]) => {
    const kind = keys.get(key)
    if (kind === undefined) {
      return refuse(
        `'${String(key)}' stands beside an edit of a list; there are ${[...keys.keys()].join(', ')}`,
      )
    }
    if (items.kind !== 'list') return refuse(`${String(key)} takes a list of items`)
    return { kind, items: items.items }
  })
}

/** Whether an edit of a list stands anywhere in `value`. */
function holdsListEdit(value: Value): boolean {
  const waiting = [value]
  for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
    if (each.kind === 'scalar') continue
    if (each.kind === 'map' && each.entries.keys().some((key) => keys.has(key))) return true
    for (const inner of each.kind === 'map' ? each.entries.values() : each.items) waiting.push(inner)
  }
  return false
}

/**
 * The list with the edits made, one after the other.
 * @throws {HydraConfigError} `MERGE` for an item or index that is not there
 */
function editedList(value: ListValue, edits: readonly ListEdit[]): ListValue {
  let items = value.items
  for (const edit of edits) items = edited(items, edit)
  return list(items, value.origin)
}

function ofOverride({ name, index }: ListFunction, value: Value): ListEdit {
  const items = value.kind === 'list' ? value.items : []
  if (name === 'insert') return { kind: name, index, items }
  if (name === 'pop') return { kind: name, index }
  return name === 'clear' ? { kind: name } : { kind: name, items }
}

function edited(items: readonly Value[], edit: ListEdit): readonly Value[] {
  switch (edit.kind) {
    case 'append':
      return [...items, ...edit.items]
    case 'prepend':
      return [...edit.items, ...items]
    case 'insert':
      return items.toSpliced(edit.index, 0, ...edit.items)
    case 'pop': {
      const index = edit.index < 0 ? items.length + edit.index : edit.index
      if (items[index] === undefined)
        refuse(`the list has no item ${edit.index}; it has ${items.length} items`)
      return items.toSpliced(index, 1)
    }
    case 'remove':
      return edit.items.reduce(withoutFirst, items)
    case 'clear':
    default:
      return []
  }
}

function withoutFirst(items: readonly Value[], item: Value): readonly Value[] {
  const index = items.findIndex((each) => equal(each, item))
  if (index === -1) refuse('the list has no such item to remove')
  return items.toSpliced(index, 1)
}

/** As Python compares: 1, 1.0 and true are equal. */
function equal(a: Value, b: Value): boolean {
  if (a.kind === 'list' && b.kind === 'list') {
    return a.items.length === b.items.length && a.items.every((item, at) => both(item, b.items[at]))
  }
  if (a.kind === 'map' && b.kind === 'map') {
    return (
      a.entries.size === b.entries.size &&
      a.entries.entries().every(([key, item]) => {
        const other = sameKey(b.entries, key)
        return other !== undefined && both(item, b.entries.get(other))
      })
    )
  }
  if (a.kind !== 'scalar' || b.kind !== 'scalar') return false
  return sameKey(new Map([[a.value, undefined]]), b.value) !== undefined
}

function both(a: Value, b: Value | undefined): boolean {
  return b !== undefined && equal(a, b)
}

function refuse(message: string): never {
  throw new HydraConfigError('MERGE', message, { class: 'ConfigCompositionException' })
}
