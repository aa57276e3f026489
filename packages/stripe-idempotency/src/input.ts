import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import { IdempotencyError } from './errors.ts'

/** What is kept of an input. */
export interface InputContent {
  /** SHA-256; the same for inputs whose members stand in another order. */
  readonly fingerprint: Uint8Array
  /** As `{"value": …}`: an input that is undefined has none. */
  readonly json: Uint8Array
}

/** @throws IdempotencyError `input_invalid` where it cannot be written as JSON */
export function contentOf(input: unknown): InputContent {
  try {
    const json = Buffer.from(JSON.stringify({ value: input }))
    return { json, fingerprint: digest(input) }
  } catch (cause) {
    throw invalid(cause)
  }
}

/** @throws as {@link contentOf} */
export function fingerprintOf(input: unknown): Uint8Array {
  try {
    return digest(input)
  } catch (cause) {
    throw invalid(cause)
  }
}

function digest(input: unknown): Uint8Array {
  // By way of a text, since such a Buffer shares its memory with others, where a hash of its own has 200 bytes around it.
  return Buffer.from(hash('sha256', JSON.stringify(inOrder(input, '')) ?? 'undefined', 'latin1'), 'latin1')
}

/** The value with the members of its objects by name; itself where they are, and as far as `JSON.stringify` goes. */
function inOrder(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return value
  if ('toJSON' in value && typeof value.toJSON === 'function') return inOrder(value.toJSON(name), name)
  if (Array.isArray(value)) {
    const items = value.map((item, at) => inOrder(item, String(at)))
    return items.some((item, at) => item !== value[at]) ? items : value
  }
  return membersInOrder(value)
}

function membersInOrder(value: object): object {
  const names = Object.keys(value)
  let changed = sortFew(names)
  const ordered: Record<string, unknown> = {}
  for (const each of names) {
    const member: unknown = Reflect.get(value, each)
    const own = typeof member === 'object' ? inOrder(member, each) : member
    changed ||= own !== member
    // Assigned, it would be the prototype.
    if (each === '__proto__') Object.defineProperty(ordered, each, { value: own, enumerable: true })
    else ordered[each] = own
  }
  return changed ? ordered : value
}

/** In place; whether anything was out of order. Objects have few members, for which `sort` is slow. */
function sortFew(names: string[]): boolean {
  let changed = false
  for (let at = 1; at < names.length; at++) {
    const name = names[at] ?? ''
    if ((names[at - 1] ?? '') <= name) continue
    if (names.length > 32) {
      names.sort()
      return true
    }
    changed = true
    let place = at
    for (; place > 0 && (names[place - 1] ?? '') > name; place--) names[place] = names[place - 1] ?? ''
    names[place] = name
  }
  return changed
}

function invalid(cause: unknown): IdempotencyError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new IdempotencyError('input_invalid', `the input cannot be kept as JSON: ${reason}`, { cause })
}
