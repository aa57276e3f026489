import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import { type Element, isDict, isList, isSweep, type Override } from '../override/override.ts'
import { scalarString } from '../value/python-string.ts'
import { redactedText, secret } from '../value/secret.ts'
import type { MapKey, Value } from '../value/value.ts'

type Pattern = readonly string[]

/** The paths whose values, and all that is in them, are secret wherever they are written. */
export class SecretPaths {
  readonly #patterns: readonly Pattern[]

  /**
   * @param patterns such as `db.password`; `*` is any one key, `**` any number of them
   * @throws {HydraConfigError} `INVALID_OPTION`
   */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map((pattern) => {
      const keys = typeof pattern === 'string' ? pattern.split('.') : []
      if (keys.length > 0 && keys.every((key) => key !== '')) return keys
      throw new HydraConfigError(
        'INVALID_OPTION',
        `secrets.paths takes paths such as 'db.password' or '**.token', not '${pattern}'`,
      )
    })
  }

  get isEmpty(): boolean {
    return this.#patterns.length === 0
  }

  /** The value with what is secret in it marked; `above` are the keys that lead to it. */
  mark(value: Value, above: readonly string[] = []): Value {
    let open = this.#patterns
    for (const key of above) {
      if (open.some(isComplete)) return marked(value)
      open = advanced(open, key)
    }
    return this.#mark(value, open)
  }

  #mark(value: Value, open: readonly Pattern[]): Value {
    if (open.length === 0) return value
    if (open.some(isComplete)) return marked(value)
    if (value.kind === 'scalar') return value
    const below = (key: MapKey, item: Value): Value => this.#mark(item, advanced(open, scalarString(key)))
    if (value.kind === 'list') {
      return { ...value, items: value.items.map((item, index) => below(BigInt(index), item)) }
    }
    const entries = value.entries.entries().map(([key, item]) => [key, below(key, item)] as const)
    return { ...value, entries: new Map(entries) }
  }

  /** An override whose text can be shown: where it sets something secret, with `***` for its value. */
  sealed(override: Override): Override {
    const { key, text, hasValue, value, secretText } = override
    if (secretText !== undefined || !hasValue || !this.#sets(key.split('.'), value)) return override
    return { ...override, text: sealedText(text), secretText: text }
  }

  /**
   * Reads an override; what sets something secret gets a text that can be shown.
   * @throws {HydraConfigError} as `read` does, of a secret without its text
   */
  read(text: string, index: number, read: () => Override): Override {
    const shown = this.shownText(text)
    return this.sealed(shown === text ? read() : sealedRead(read, shown, index))
  }

  /** The text of an override that may be no override at all, to be shown. */
  shownText(text: string): string {
    const key = /^[~+]*([^=@]*)/.exec(text)?.[1] ?? ''
    return this.#sets(key.split('.'), undefined) ? sealedText(text) : text
  }

  /** An undefined value stands for any. */
  #sets(keys: readonly string[], value: Element | undefined): boolean {
    let open = this.#patterns
    for (const key of keys) {
      if (open.some(isComplete)) return true
      open = advanced(open, key)
    }
    return reaches(open, value)
  }
}

function reaches(open: readonly Pattern[], value: Element | undefined): boolean {
  if (open.length === 0) return false
  if (open.some(isComplete) || value === undefined) return true
  if (isList(value)) return value.some((item, index) => reaches(advanced(open, String(index)), item))
  if (isDict(value)) {
    return value.pairs.some(([key, item]) => reaches(advanced(open, scalarString(key)), item))
  }
  return isSweep(value) && value.kind === 'choice' && value.list.some((item) => reaches(open, item))
}

/** What is left of the patterns behind a key. */
function advanced(open: readonly Pattern[], key: string): readonly Pattern[] {
  return open.flatMap((pattern): readonly Pattern[] => {
    const [first, ...rest] = pattern
    if (first !== '**') return first === '*' || first === key ? [rest] : []
    return [pattern, ...advanced([rest], key)]
  })
}

function isComplete(pattern: Pattern): boolean {
  return pattern.every((key) => key === '**')
}

function marked(value: Value): Value {
  // What is not there is no secret, and has to be seen as missing.
  if (value.kind === 'scalar') return value.value === null || value.value === '???' ? value : secret(value)
  if (value.kind === 'list') return { ...value, items: value.items.map(marked) }
  const entries = value.entries.entries().map(([key, item]) => [key, marked(item)] as const)
  return { ...value, entries: new Map(entries) }
}

function sealedText(text: string): string {
  const start = /=[ \t]*/.exec(text)
  return start === null ? text : text.slice(0, start.index + start[0].length) + redactedText
}

/** Reads what sets something secret: of what is wrong with it only the class and where it begins are told. */
function sealedRead(read: () => Override, shown: string, index: number): Override {
  try {
    return read()
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    const { code, class: ofClass, offset } = error
    const origin = { kind: 'override', index, start: 0, end: shown.length, text: shown } as const
    throw new HydraConfigError(code, `the override '${shown}' of a secret cannot be read`, {
      origin,
      ...(ofClass === undefined ? {} : { class: ofClass }),
      ...(offset === undefined ? {} : { offset }),
    })
  }
}
