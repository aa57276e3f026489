import { CelError } from './cel-error.ts'
import type { Duration } from './duration.ts'
import type { IpAddress } from './ip-address.ts'
import type { Timestamp } from './timestamp.ts'
import { Uint } from './uint.ts'

/**
 * A value of CEL at run time: an int is a bigint, a double a number, a list an array, bytes a Uint8Array.
 * An error is a value as well, which `&&` and `||` can absorb; so is what depends on a parameter that was not given.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint
  | Uint8Array
  | Duration
  | Timestamp
  | IpAddress
  | List
  | CelMap
  | TypeValue
  | CelError
  | Unknown

export type List = readonly Value[]

/** A type as a value. */
export class TypeValue {
  readonly name: string
  constructor(name: string) {
    this.name = name
  }
}

/** Ends an evaluation, whatever would absorb an error. */
export class Aborted extends Error {}

/** Of bytes as the key of a map, which ends an evaluation of cel-go. */
export const unhashable = 'internal error: runtime error: hash of unhashable type types.Bytes'

/** Depends on a parameter that was not given. */
class Unknown {
  // Makes the type differ from every other one.
  readonly unknown = true
}

export type { Unknown }

export const unknown: Unknown = new Unknown()

export const noSuchOverload: CelError = new CelError('no such overload')

/** The list that a comprehension builds; growing it in place keeps `map` and `filter` linear. */
export class GrowingList extends Array<Value> {}

/** A map of CEL. Keys that are strings are kept apart, for speed; the others stand under a text that names their type. */
export class CelMap {
  readonly #strings = new Map<string, Value>()
  readonly #others = new Map<string, readonly [key: Value, value: Value]>()

  get size(): number {
    return this.#strings.size + this.#others.size
  }

  set(key: Value, value: Value): void {
    if (typeof key === 'string') this.#strings.set(key, value)
    else this.#others.set(keyText(key), [key, value])
  }

  /** undefined where there is none. A number finds an equal one of another type. */
  get(key: Value): Value | undefined {
    if (typeof key === 'string') return this.#strings.get(key)
    if (this.#others.size === 0) return undefined
    for (const text of keyTexts(key)) {
      const found = this.#others.get(text)
      if (found !== undefined) return found[1]
    }
    return undefined
  }

  keys(): Value[] {
    return [...this.#strings.keys(), ...Array.from(this.#others.values(), ([key]) => key)]
  }
}

function keyTexts(key: Value): readonly string[] {
  if (typeof key === 'bigint') return [keyText(key), `uint:${key}`]
  if (key instanceof Uint) return [keyText(key), `int:${key.value}`]
  if (typeof key === 'number' && Number.isInteger(key))
    return [keyText(key), `int:${BigInt(key)}`, `uint:${BigInt(key)}`]
  return [keyText(key)]
}

let identities = 0
const identity = new WeakMap<object, number>()

/** Equal for keys that are the same. Lists and maps are the same as themselves only, as in cel-go. */
function keyText(key: Value): string {
  if (typeof key === 'bigint') return `int:${key}`
  if (typeof key !== 'object' || key === null) return `${typeof key}:${String(key)}`
  if (key instanceof Uint) return `uint:${key.value}`
  if (key instanceof TypeValue) return `type:${key.name}`
  if (key instanceof Uint8Array) throw new Aborted(unhashable)
  const known = identity.get(key)
  if (known !== undefined) return `object:${known}`
  identities += 1
  identity.set(key, identities)
  return `object:${identities}`
}
