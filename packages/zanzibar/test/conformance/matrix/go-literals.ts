/** A value that a Go source writes down. */
export type GoValue =
  | null
  | boolean
  | number
  | string
  | readonly GoValue[]
  | { readonly [key: string]: GoValue }

const token =
  /\s+|\/\/[^\n]*|\/\*[^]*?\*\/|(?<raw>`[^`]*`)|(?<text>"(?:[^"\\\n]|\\.)*")|(?<number>-?\d+(?:\.\d+)?)|(?<name>[A-Za-z_]\w*)|(?<sign>:=|[^\s])/gy

/**
 * Reads composite literals out of Go's source, as its tables of tests have them: keyed ones become objects, others lists.
 * Types are skipped, a call is its argument, or its lists together, and what a name stands for is looked up in the same source.
 */
export class GoSource {
  readonly #tokens: readonly string[]

  constructor(text: string) {
    const tokens: string[] = []
    for (const { groups, 0: whole } of text.matchAll(token)) {
      if (groups !== undefined && Object.values(groups).some((each) => each !== undefined)) tokens.push(whole)
    }
    this.#tokens = tokens
  }

  /**
   * What a variable is given where it is first declared with a literal.
   *
   * @throws Error where it is not
   */
  variable(name: string): GoValue {
    for (const [at, each] of this.#tokens.entries()) {
      const [before, sign, first, second] = [at - 1, at + 1, at + 2, at + 3].map(
        (place) => this.#tokens[place],
      )
      const isDeclared = sign === ':=' || (before === 'var' && sign === '=')
      const isLiteral = /^["`&[A-Z]|^map$/.test(first ?? '') || second === '{'
      if (each === name && isDeclared && isLiteral) return new Reader(this, this.#tokens, at + 2).value()
    }
    throw new Error(`no literal is given to ${name}`)
  }
}

class Reader {
  readonly #source: GoSource
  readonly #tokens: readonly string[]
  #at: number

  constructor(source: GoSource, tokens: readonly string[], at: number) {
    this.#source = source
    this.#tokens = tokens
    this.#at = at
  }

  value(): GoValue {
    const first = this.#next()
    if (first === '&') return this.value()
    if (first === '{') return this.#composite(false)
    if (first === '[' || first === 'map') {
      while (this.#next() !== '{');
      return this.#composite(first === '[')
    }
    if (first.startsWith('`')) return first.slice(1, -1)
    if (first.startsWith('"')) return String(JSON.parse(first))
    if (/^-?\d/.test(first)) return Number(first)
    let name = first
    while (this.#peek() === '.') {
      this.#at++
      name = this.#next()
    }
    return this.#named(name)
  }

  #named(name: string): GoValue {
    if (this.#peek() === '{') {
      this.#at++
      return this.#composite(false)
    }
    if (this.#peek() === '(') {
      this.#at++
      const given: GoValue[] = []
      while (this.#peek() !== ')') {
        given.push(this.value())
        this.#skip(',')
      }
      this.#at++
      const [only = null] = given
      return given.length === 1 ? only : given.flat()
    }
    if (name === 'true' || name === 'false') return name === 'true'
    return name === 'nil' ? null : this.#source.variable(name)
  }

  #composite(isList: boolean): GoValue {
    const items: GoValue[] = []
    const fields: Record<string, GoValue> = {}
    while (this.#peek() !== '}') {
      if (this.#tokens[this.#at + 1] === ':') {
        const key = this.#next()
        this.#at++
        fields[key.startsWith('"') ? String(JSON.parse(key)) : key] = this.value()
      } else items.push(this.value())
      this.#skip(',')
    }
    this.#at++
    return isList || items.length > 0 ? items : fields
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at]
  }

  #next(): string {
    const next = this.#tokens[this.#at++]
    if (next === undefined) throw new Error('the source ends in the middle of a value')
    return next
  }

  #skip(sign: string): void {
    if (this.#peek() === sign) this.#at++
  }
}
