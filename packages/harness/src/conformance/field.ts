import { HarnessError } from '../errors.ts'

/** Inclusive bounds. */
export interface Range {
  readonly min?: number
  readonly max?: number
}

/**
 * Reads the field `name` of a command. Nothing is checked until one of the readers is called; each returns the
 * value with its type or throws a {@link HarnessError} of code `BAD_COMMAND` that names the field by its path, such
 * as `backends[3].weight`.
 *
 * @example
 * const size = field(command, 'size').integer({ min: 1 })
 * const backends = field(command, 'backends').list((backend) => ({
 *   id: backend.field('id').string(),
 *   weight: backend.field('weight').optional((weight) => weight.number({ min: 0 })),
 * }))
 */
export function field(command: object, name: string): Field {
  return new Field(name, own(command, name))
}

/** One value of a command, with the path that leads to it. Made by {@link field}. */
export class Field {
  /** Where the value stands in the command. */
  readonly path: string
  /** The value as it was parsed, `undefined` where the command has no such field. */
  readonly value: unknown

  /** @internal */
  constructor(path: string, value: unknown) {
    this.path = path
    this.value = value
  }

  /** `undefined` where the field is absent, else what `read` makes of it. A `null` is not absent. */
  optional<T>(read: (field: Field) => T): T | undefined {
    return this.value === undefined ? undefined : read(this)
  }

  string(): string {
    return typeof this.value === 'string' ? this.value : this.refuse('a string')
  }

  boolean(): boolean {
    return typeof this.value === 'boolean' ? this.value : this.refuse('true or false')
  }

  /** A finite number. */
  number(range: Range = {}): number {
    const { value } = this
    if (typeof value !== 'number' || !Number.isFinite(value) || !within(value, range)) {
      return this.refuse(`a finite number${bounds(range)}`)
    }
    return value
  }

  /** An integer that a double holds exactly. */
  integer(range: Range = {}): number {
    const { value } = this
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || !within(value, range)) {
      return this.refuse(`an integer${bounds(range)}`)
    }
    return value
  }

  /** An unsigned 64-bit integer: a decimal string, or a number where a double holds it exactly. */
  uint64(): bigint {
    const { value } = this
    if (typeof value === 'string' && /^\d{1,20}$/.test(value)) {
      const parsed = BigInt(value)
      if (parsed <= 0xffff_ffff_ffff_ffffn) return parsed
    }
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value)
    return this.refuse('an unsigned 64-bit integer as a decimal string')
  }

  /** Bytes, written as an even number of hexadecimal digits. */
  bytes(): Uint8Array {
    const { value } = this
    if (typeof value !== 'string' || value.length % 2 !== 0 || !/^[\da-f]*$/i.test(value)) {
      return this.refuse('an even number of hexadecimal digits')
    }
    return Uint8Array.from(Buffer.from(value, 'hex'))
  }

  oneOf<const T extends string>(allowed: readonly T[]): T {
    const found = allowed.find((one) => one === this.value)
    return found ?? this.refuse(`one of ${allowed.map((one) => JSON.stringify(one)).join(', ')}`)
  }

  /** An array; `length` bounds the number of its elements. */
  list<T>(read: (element: Field) => T, length: Range = {}): T[] {
    const { value } = this
    if (!Array.isArray(value) || !within(value.length, length)) {
      return this.refuse(`an array${bounds(length, ' elements')}`)
    }
    return Array.from(value, (element: unknown, index) => read(new Field(`${this.path}[${index}]`, element)))
  }

  /** An object of any keys. All of them, `__proto__` too, become own properties of the result. */
  record<T>(read: (entry: Field, key: string) => T): Record<string, T> {
    return Object.fromEntries(
      Object.entries(this.object()).map(([key, entry]) => [key, read(this.child(key, entry), key)]),
    )
  }

  /** A field of this value, which must be an object. */
  field(name: string): Field {
    return this.child(name, own(this.object(), name))
  }

  /** Says that the value is not what was asked for: `expected` completes the sentence "must be …". */
  refuse(expected: string): never {
    const received = this.value === undefined ? 'it is missing' : `received ${show(this.value)}`
    throw new HarnessError('BAD_COMMAND', `${this.path} must be ${expected}; ${received}`)
  }

  private object(): object {
    const { value } = this
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? value
      : this.refuse('an object')
  }

  private child(name: string, value: unknown): Field {
    const step = /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`
    return new Field(`${this.path}${step}`, value)
  }
}

function own(object: object, name: string): unknown {
  return Object.hasOwn(object, name) ? Reflect.get(object, name) : undefined
}

function within(value: number, { min = -Infinity, max = Infinity }: Range): boolean {
  return value >= min && value <= max
}

function bounds({ min, max }: Range, unit = ''): string {
  if (min !== undefined && max !== undefined) return ` of ${min} to ${max}${unit}`
  if (min !== undefined) return ` of at least ${min}${unit}`
  return max === undefined ? '' : ` of at most ${max}${unit}`
}

// A whole array or object in a message could be megabytes, and too deep to print.
function show(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(value) ?? String(value)
  return text.length <= 80 ? text : `${text.slice(0, 80)}…`
}
