import { HydraConfigError } from '../errors.ts'
import { scalarString } from './python-string.ts'
import { redact } from './secret.ts'
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

/** Lets inspection and JSON show of `target` what `redacted` gives. */
export function showRedacted(target: object, redacted: () => unknown): void {
  Object.defineProperties(target, {
    toJSON: { value: redacted },
    [Symbol.for('nodejs.util.inspect.custom')]: { value: redacted },
  })
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
    for (const [index, item] of container.items.entries()) {
      if (item.kind === 'scalar' && !this.#isGuarded(item)) {
        made.push(this.of(item))
        continue
      }
      const step = { above, container, key: String(index) }
      if (this.#isGuarded(item)) this.#putMissing(made, index, item, step)
      else made.push(this.of(item, step))
    }
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
      if (item.kind === 'scalar' && !this.#isGuarded(item)) {
        put(made, name, this.of(item))
        continue
      }
      const step = { above, container, key: name }
      if (this.#isGuarded(item)) this.#putMissing(made, name, item, step)
      else put(made, name, this.of(item, step))
    }
    return made
  }

  #isGuarded(item: Value): boolean {
    return this.#options.guarded && item.kind === 'scalar' && item.value === '???'
  }

  #putMissing(target: object, key: string | number, item: Value, step: Step): void {
    defineMissing(target, key, item, pathOf(step))
    this.#shownApart += 1
  }
}

function pathOf({ above, container, key }: Step): string {
  return childPath(above === undefined ? '' : pathOf(above), key, container)
}

/** An assignment to `__proto__` would set the prototype; elsewhere it makes the faster object. */
function put(target: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  } else {
    target[key] = value
  }
}

function defineMissing(target: object, key: string | number, item: Value, path: string): void {
  Object.defineProperty(target, key, { get: (): never => refuseMissing(item, path), enumerable: true })
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
