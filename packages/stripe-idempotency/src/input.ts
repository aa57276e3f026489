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

/** A value as it is kept. @throws IdempotencyError `value_invalid` where it cannot be written as JSON */
export function textOf(value: unknown): string {
  try {
    return JSON.stringify({ value })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new IdempotencyError('value_invalid', `what it came to cannot be kept as JSON: ${reason}`, {
      cause,
    })
  }
}

function digest(input: unknown): Uint8Array {
  // By way of a text, since such a Buffer shares its memory with others, where a hash of its own has 200 bytes around it.
  return Buffer.from(hash('sha256', JSON.stringify(inOrder(input, '')) ?? 'undefined', 'latin1'), 'latin1')
}

/** The value with the members of its objects by name; itself where they are, and as far as `JSON.stringify` goes. */
function inOrder(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { toJSON }: { toJSON?: unknown } = value
  if (typeof toJSON === 'function') return inOrder(toJSON.call(value, name), name)
  if (Array.isArray(value)) {
    const items = value.map((item, at) => inOrder(item, String(at)))
    return items.some((item, at) => item !== value[at]) ? items : value
  }
  return membersInOrder(value)
}

function membersInOrder(value: object): object {
  const names = Object.keys(value)
  if (names.length === 0) requireMembers(value)
  const members: unknown[] = Object.values(value)
  let changed: Record<string, unknown> | undefined
  for (let at = 0; at < names.length; at++) {
    const member = members[at]
    if (typeof member !== 'object' || member === null) continue
    const name = names[at] ?? ''
    const own = inOrder(member, name)
    if (own === member) continue
    members[at] = own
    // With a member of this name already, so that `__proto__` is one like any other.
    changed ??= { ...value }
    changed[name] = own
  }
  return sortFew(names, members) ? objectOf(names, members) : (changed ?? value)
}

/** JSON makes `{}` of a Map, a Set and the like, whatever is in them: two inputs would be one. */
function requireMembers(value: object): void {
  const kind = Object.prototype.toString.call(value)
  if (kind === '[object Object]' || ArrayBuffer.isView(value)) return
  throw new TypeError(`JSON has nothing for a ${kind.slice('[object '.length, -1)}`)
}

function objectOf(names: readonly string[], members: readonly unknown[]): object {
  const made: Record<string, unknown> = {}
  for (let at = 0; at < names.length; at++) {
    const name = names[at] ?? ''
    // Assigned, it would be the prototype.
    if (name === '__proto__') Object.defineProperty(made, name, { value: members[at], enumerable: true })
    else made[name] = members[at]
  }
  return made
}

/** Names and what they name, in place; whether anything was out of order. Objects have few members, for which `sort` is slow. */
function sortFew(names: string[], members: unknown[]): boolean {
  let changed = false
  for (let at = 1; at < names.length; at++) {
    const name = names[at] ?? ''
    if (!precedes(name, names[at - 1] ?? '')) continue
    if (names.length > 32) {
      sortMany(names, members)
      return true
    }
    changed = true
    const member = members[at]
    let place = at
    for (; place > 0 && precedes(name, names[place - 1] ?? ''); place--) {
      names[place] = names[place - 1] ?? ''
      members[place] = members[place - 1]
    }
    names[place] = name
    members[place] = member
  }
  return changed
}

/** As `a < b`, which is slower where the first characters tell. */
function precedes(a: string, b: string): boolean {
  const difference = a.charCodeAt(0) - b.charCodeAt(0)
  return difference < 0 || (!(difference > 0) && a < b)
}

function sortMany(names: string[], members: unknown[]): void {
  const sorted = names
    .map((name, at) => [name, members[at]] as const)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  for (const [at, [name, member]] of sorted.entries()) {
    names[at] = name
    members[at] = member
  }
}

function invalid(cause: unknown): IdempotencyError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new IdempotencyError('input_invalid', `the input cannot be kept as JSON: ${reason}`, { cause })
}
