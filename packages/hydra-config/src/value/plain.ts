import { HydraConfigError } from '../errors.ts'
import { scalarString } from './python-string.ts'
import { hasSecret, redact } from './secret.ts'
import type { MapValue, Scalar, Value } from './value.ts'

/**
 * The value as JavaScript has it: frozen objects and arrays; integers as numbers where that loses nothing, else as
 * bigints. Keys are texts (`1`, `True`), `__proto__` is a key like any other. What holds a secret shows `***` for it
 * when it is inspected or made JSON.
 * @throws {HydraConfigError} `CONFIG_INVALID` where two keys of a map are one as text
 */
export function plainView(value: Value): unknown {
  return plainOf(value, true)
}

/** As {@link plainView}, to be changed. */
export function plainCopy(value: Value): unknown {
  return plainOf(value, false)
}

function plainOf(value: Value, frozen: boolean): unknown {
  if (value.kind === 'scalar') return plainScalar(value.value)
  const made =
    value.kind === 'list' ? value.items.map((item) => plainOf(item, frozen)) : plainObject(value, frozen)
  if (hasSecret(value)) showRedacted(made, () => plainView(redact(value)))
  return frozen ? Object.freeze(made) : made
}

/** Lets inspection and JSON show of `target` what `redacted` gives. */
export function showRedacted(target: object, redacted: () => unknown): void {
  Object.defineProperties(target, {
    toJSON: { value: redacted },
    [Symbol.for('nodejs.util.inspect.custom')]: { value: redacted },
  })
}

function plainObject({ entries }: MapValue, frozen: boolean): object {
  const made = {}
  for (const [key, item] of entries) {
    const name = scalarString(key)
    if (Object.hasOwn(made, name)) {
      throw new HydraConfigError(
        'CONFIG_INVALID',
        `two keys of a map are '${name}' as text: rename one, or read them from the tree`,
      )
    }
    // An assignment to `__proto__` would set the prototype.
    Object.defineProperty(made, name, {
      value: plainOf(item, frozen),
      enumerable: true,
      configurable: !frozen,
      writable: !frozen,
    })
  }
  return made
}

function plainScalar(value: Scalar): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  return value instanceof Uint8Array ? value.slice() : value
}
