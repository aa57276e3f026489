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
  return new Plain({ frozen: true, guarded: false }).of(value, '').made
}

/** As {@link plainView}, to be changed. */
export function plainCopy(value: Value): unknown {
  return new Plain({ frozen: false, guarded: false }).of(value, '').made
}

/**
 * As {@link plainView}, but a missing value (`???`) is an error when it is read: `MISSING_VALUE`. Inspection and JSON
 * show it as `???`.
 */
export function guardedView(value: Value): unknown {
  return new Plain({ frozen: true, guarded: true }).of(value, '').made
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

/** What was made of a value, and whether it is shown in another way than it is. */
interface Made {
  readonly made: unknown
  readonly shownApart: boolean
}

class Plain {
  readonly #options: PlainOptions

  constructor(options: PlainOptions) {
    this.#options = options
  }

  of(value: Value, path: string): Made {
    if (value.kind === 'scalar') return { made: plainScalar(value.value), shownApart: value.secret === true }
    const { made, shownApart } = value.kind === 'list' ? this.#list(value, path) : this.#object(value, path)
    if (shownApart) showRedacted(made, () => plainView(redact(value)))
    return { made: this.#options.frozen ? Object.freeze(made) : made, shownApart }
  }

  #list(value: ListValue, path: string): { made: unknown[]; shownApart: boolean } {
    const made: unknown[] = []
    let shownApart = false
    for (const [index, item] of value.items.entries()) {
      const at = `${path}[${index}]`
      if (this.#isGuarded(item)) {
        defineMissing(made, index, item, at)
        shownApart = true
      } else {
        const each = this.of(item, at)
        made.push(each.made)
        shownApart = each.shownApart || shownApart
      }
    }
    return { made, shownApart }
  }

  #object(value: MapValue, path: string): { made: object; shownApart: boolean } {
    const made: Record<string, unknown> = {}
    let shownApart = false
    for (const [key, item] of value.entries) {
      const name = scalarString(key)
      if (Object.hasOwn(made, name)) {
        throw new HydraConfigError(
          'CONFIG_INVALID',
          `two keys of a map are '${name}' as text: rename one, or read them from the tree`,
          { path, origin: value.origin },
        )
      }
      shownApart = this.#put(made, name, item, childPath(path, name, value)) || shownApart
    }
    return { made, shownApart }
  }

  #isGuarded(item: Value): boolean {
    return this.#options.guarded && item.kind === 'scalar' && item.value === '???'
  }

  /** Whether it is shown in another way than it is. */
  #put(target: Record<string, unknown>, key: string, item: Value, path: string): boolean {
    if (this.#isGuarded(item)) {
      defineMissing(target, key, item, path)
      return true
    }
    const { made, shownApart } = this.of(item, path)
    // An assignment to `__proto__` would set the prototype; elsewhere it makes the faster object.
    if (key === '__proto__') {
      Object.defineProperty(target, key, {
        value: made,
        enumerable: true,
        configurable: true,
        writable: true,
      })
    } else {
      target[key] = made
    }
    return shownApart
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
