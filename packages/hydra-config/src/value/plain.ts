import { HydraConfigError } from '../errors.ts'
import { scalarString } from './python-string.ts'
import { redact, showRedacted } from './secret.ts'
import type { ListValue, MapValue, Scalar, Value } from './value.ts'
import { childPath } from './value-path.ts'

/**
 * The value as JavaScript has it: frozen objects and arrays; integers as numbers where that loses nothing, else as
 * bigints. Keys are texts (`1`, `True`), `__proto__` is a key like any other. What holds a secret shows `***` for it
 * when it is inspected or made JSON.
 * @throws {HydraConfigError} `CONFIG_INVALID` where two keys of a map are one as text
 */
export function plainView(value: Value): unknown {
  return new Plain({ frozen: true, guarded: false }).of(value)
}

/** As {@link plainView}, to be changed. */
export function plainCopy(value: Value): unknown {
  return new Plain({ frozen: false, guarded: false }).of(value)
}

/**
 * As {@link plainView}, but a missing value (`???`) is an error when it is read: `MISSING_VALUE`. Inspection and JSON
 * show it as `???`.
 */
export function guardedView(value: Value): unknown {
  return new Plain({ frozen: true, guarded: true }).of(value)
}

interface PlainOptions {
  readonly frozen: boolean
  /** Whether missing values are errors when they are read. */
  readonly guarded: boolean
}

/** A container on the way to a value, and the key that was taken in it. */
interface Step {
  readonly above: Step | undefined
  readonly container: Value
  readonly key: string
}

class Plain {
  readonly #options: PlainOptions
  /** How many values were met that are shown in another way than they are. */
  #shownApart = 0

  constructor(options: PlainOptions) {
    this.#options = options
  }

  of(value: Value, step?: Step): unknown {
    if (value.kind === 'scalar') {
      if (value.secret === true) this.#shownApart += 1
      return plainScalar(value.value)
    }
    const before = this.#shownApart
    const made = value.kind === 'list' ? this.#list(value, step) : this.#object(value, step)
    if (this.#shownApart > before) showRedacted(made, () => plainView(redact(value)))
    return this.#options.frozen ? Object.freeze(made) : made
  }

  #list(container: ListValue, above: Step | undefined): unknown[] {
    const made: unknown[] = []
    for (const item of container.items) this.#put(made, made.length, item, container, above)
    return made
  }

  #object(container: MapValue, above: Step | undefined): object {
    const made: Record<string, unknown> = {}
    let allTexts = true
    for (const [key, item] of container.entries) {
      allTexts &&= typeof key === 'string'
      const name = scalarString(key)
      if (!allTexts && Object.hasOwn(made, name)) {
        throw new HydraConfigError(
          'CONFIG_INVALID',
          `two keys of a map are '${name}' as text: rename one, or read them from the tree`,
          { path: above === undefined ? '' : pathOf(above), origin: container.origin },
        )
      }
      this.#put(made, name, item, container, above)
    }
    return made
  }

  #put<Key extends string | number>(
    target: Record<Key, unknown>,
    key: Key,
    item: Value,
    container: Value,
    above: Step | undefined,
  ): void {
    if (item.kind !== 'scalar') put(target, key, this.of(item, { above, container, key: String(key) }))
    else if (!this.#options.guarded || item.value !== '???') put(target, key, this.of(item))
    else {
      const path = pathOf({ above, container, key: String(key) })
      Object.defineProperty(target, key, { get: (): never => refuseMissing(item, path), enumerable: true })
      this.#shownApart += 1
    }
  }
}

function pathOf({ above, container, key }: Step): string {
  return childPath(above === undefined ? '' : pathOf(above), key, container)
}

/** An assignment to `__proto__` would set the prototype; elsewhere it makes the faster object. */
function put<Key extends string | number>(target: Record<Key, unknown>, key: Key, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  } else {
    target[key] = value
  }
}

function refuseMissing({ origin }: Value, path: string): never {
  throw new HydraConfigError('MISSING_VALUE', `${path} is missing (???): set it, such as ${path}=<value>`, {
    class: 'MissingMandatoryValue',
    path,
    origin,
  })
}

function plainScalar(value: Scalar): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  return value instanceof Uint8Array ? value.slice() : value
}
