import { MaglevError, shown } from '../errors.ts'

/**
 * One message of protobuf's JSON form, read field by field. A field may be written in snake_case or camelCase, an integer as a
 * number or a string, an enum by name or number; null is as good as absent. What nobody has read is told by `ignored`.
 *
 * Source: protobuf.dev/programming-guides/json.
 */
export class ProtoMessage {
  readonly path: string
  readonly #fields: ReadonlyMap<string, unknown>
  readonly #read: Set<string> = new Set()
  readonly #children: Map<string, ProtoMessage> = new Map()

  constructor(value: unknown, path: string) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      throw new MaglevError(
        'INVALID_CLUSTER',
        `${path || 'The cluster'} must be an object, not ${shown(value)}`,
      )
    }
    this.path = path
    this.#fields = new Map(Object.entries(value).filter(([, field]) => field !== null && field !== undefined))
  }

  /** Paths of the fields below this message that were never asked for, as they are written. */
  ignored(): string[] {
    const here = [...this.#fields.keys()].filter((name) => !this.#read.has(name))
    return [
      ...here.map((name) => this.#at(name)),
      ...[...this.#children.values()].flatMap((child) => child.ignored()),
    ]
  }

  has(name: string): boolean {
    return this.#take(name, false) !== undefined
  }

  message(name: string): ProtoMessage | undefined {
    const value = this.#take(name)
    return value === undefined ? undefined : this.#child(value, this.#at(name))
  }

  messages(name: string): ProtoMessage[] {
    const value = this.#take(name)
    if (value === undefined) return []
    if (!Array.isArray(value)) throw this.#wrong(name, 'a list', value)
    return value.map((each: unknown, index) => this.#child(each, `${this.#at(name)}[${index}]`))
  }

  string(name: string): string | undefined {
    const value = this.#take(name)
    if (value !== undefined && typeof value !== 'string') throw this.#wrong(name, 'a string', value)
    return value
  }

  boolean(name: string): boolean | undefined {
    const value = this.#take(name)
    if (value !== undefined && typeof value !== 'boolean') throw this.#wrong(name, 'true or false', value)
    return value
  }

  integer(name: string, least: number, most: number): number | undefined {
    const value = this.#take(name)
    if (value === undefined) return undefined
    const number = typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? Number(value) : value
    if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most)
      return number
    throw this.#wrong(name, `a whole number from ${least} to ${most}`, value)
  }

  /** A `double` of `least` to `most`. */
  number(name: string, least: number, most: number): number | undefined {
    const value = this.#take(name)
    if (value === undefined) return undefined
    const number =
      typeof value === 'string' && /^-?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(value) ? Number(value) : value
    if (typeof number === 'number' && number >= least && number <= most) return number
    throw this.#wrong(name, `a number from ${least} to ${most}`, value)
  }

  /** A `google.protobuf.Duration` such as `"1.5s"`, as it is. */
  duration(name: string): string | undefined {
    const value = this.#take(name)
    if (value === undefined) return undefined
    if (typeof value === 'string' && /^\d{1,12}(\.\d{1,9})?s$/.test(value)) return value
    throw this.#wrong(name, 'a duration like "1.5s"', value)
  }

  /** `names` in the order of their numbers. */
  enumerator<Name extends string>(name: string, names: readonly Name[]): Name | undefined {
    const value = this.#take(name)
    if (value === undefined) return undefined
    const found = typeof value === 'number' ? names[value] : names.find((each) => each === value)
    if (found === undefined) throw this.#wrong(name, `one of ${names.join(', ')}`, value)
    return found
  }

  /** A value of any kind, such as one of a `google.protobuf.Struct`. */
  value(name: string): unknown {
    return this.#take(name)
  }

  /** One reader for each, so that what was read stays known when the message is asked for again. */
  #child(value: unknown, path: string): ProtoMessage {
    const known = this.#children.get(path)
    if (known !== undefined) return known
    const child = new ProtoMessage(value, path)
    this.#children.set(path, child)
    return child
  }

  #take(name: string, read = true): unknown {
    const camel = name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
    const [value, again] = [...new Set([name, camel])].flatMap((each) =>
      this.#fields.has(each) ? [this.#fields.get(each)] : [],
    )
    if (again !== undefined) {
      throw new MaglevError(
        'INVALID_CLUSTER',
        `${this.#at(name)} is there twice, also as ${camel}: leave one out`,
      )
    }
    if (read) {
      this.#read.add(name)
      this.#read.add(camel)
    }
    return value
  }

  #at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`
  }

  #wrong(name: string, wanted: string, value: unknown): MaglevError {
    return new MaglevError('INVALID_CLUSTER', `${this.#at(name)} must be ${wanted}, not ${shown(value)}`)
  }
}
