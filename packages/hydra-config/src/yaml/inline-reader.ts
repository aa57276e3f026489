import { checkInterpolation } from '../interpolation/check.ts'
import { type FileOrigin, type MapKey, type Scalar, sameKey, type Value } from '../value/value.ts'
import { Bail } from './bail.ts'
import { readPlain } from './plain-scalar.ts'

const depthMax = 100
const keyLengthMax = 1000

/** What of a double-quoted scalar JSON reads as YAML does. */
const jsonString = /^"(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"$/
const plainInFlow = /(?:[^\n :,?#[\]{}]|:(?![\n ,[\]{}]|$)|(?<! )#| +(?![\n ,:#[\]{}]|$))+/y

/** A quoted scalar or a flow collection of one line. */
export interface Inline {
  readonly value: Value
  /** Index behind it. */
  readonly end: number
  /** How many values it holds, itself included. */
  readonly count: number
}

/** @param collections whether it may be a flow collection */
export function readInline(
  text: string,
  start: number,
  collections: boolean,
  originAt: (at: number) => FileOrigin | undefined = () => undefined,
): Inline {
  const reader = new InlineReader(text, start, originAt)
  const value = collections ? reader.value() : reader.quoted()
  return { value, end: reader.at, count: reader.count }
}

class InlineReader {
  readonly #text: string
  readonly #originAt: (at: number) => FileOrigin | undefined
  #depth = 0
  at: number
  count = 0

  constructor(text: string, start: number, originAt: (at: number) => FileOrigin | undefined) {
    this.#text = text
    this.at = start
    this.#originAt = originAt
  }

  value(): Value {
    if (++this.#depth > depthMax) throw new Bail()
    const value = this.#valueHere()
    this.#depth--
    return value
  }

  #valueHere(): Value {
    const first = this.#text.charAt(this.at)
    if (first === '[') return this.#sequence()
    if (first === '{') return this.#mapping()
    if (first === '"' || first === "'") return this.quoted()
    const start = this.at
    return this.#scalar(this.#plain(), start)
  }

  quoted(): Value {
    const start = this.at
    return this.#scalar(this.#text.charAt(start) === "'" ? this.#single() : this.#double(), start)
  }

  #scalar(value: Scalar, start: number): Value {
    this.count++
    if (typeof value === 'string' && value.includes('${')) checkInterpolation(value)
    return { kind: 'scalar', value, origin: this.#originAt(start) }
  }

  #single(): string {
    const start = this.at
    let end = start
    do {
      end = this.#text.indexOf("'", end + 1)
      if (end === -1) throw new Bail()
      // A doubled quote is one, and the text goes on behind it.
    } while (this.#text.charAt(end + 1) === "'" && ++end > 0)
    this.at = end + 1
    return ofOneLine(this.#text.slice(start + 1, end)).replaceAll("''", "'")
  }

  #double(): string {
    const start = this.at
    for (let at = start + 1; at < this.#text.length; at++) {
      const character = this.#text.charAt(at)
      if (character === '\\') at++
      else if (character === '\n') break
      else if (character === '"') {
        this.at = at + 1
        const source = this.#text.slice(start, this.at)
        if (!source.includes('\\')) return source.slice(1, -1)
        if (!jsonString.test(source)) break
        const read: unknown = JSON.parse(source)
        if (typeof read === 'string') return read
      }
    }
    throw new Bail()
  }

  #plain(): Scalar {
    plainInFlow.lastIndex = this.at
    const found = plainInFlow.exec(this.#text)?.[0] ?? ''
    if (found === '' || found.startsWith('-')) return this.#dashed(found)
    this.at += found.length
    return readPlain(found)
  }

  /** A dash before a blank is an indicator. */
  #dashed(found: string): Scalar {
    if (found === '' || found === '-' || found.startsWith('- ')) throw new Bail()
    this.at += found.length
    return readPlain(found)
  }

  #sequence(): Value {
    const origin = this.#originAt(this.at)
    const items: Value[] = []
    this.count++
    this.at++
    this.#skipSpaces()
    if (this.#takes(']')) return { kind: 'list', items, origin }
    for (;;) {
      items.push(this.value())
      this.#skipSpaces()
      if (this.#takes(']')) return { kind: 'list', items, origin }
      this.#takeComma()
    }
  }

  #mapping(): Value {
    const origin = this.#originAt(this.at)
    const entries = new Map<MapKey, Value>()
    this.count++
    this.at++
    this.#skipSpaces()
    if (this.#takes('}')) return { kind: 'map', entries, origin }
    for (;;) {
      const key = this.#key()
      if (typeof key === 'string' && entries.has(key)) throw new Bail()
      entries.set(sameKey(entries, key) ?? key, this.value())
      this.#skipSpaces()
      if (this.#takes('}')) return { kind: 'map', entries, origin }
      this.#takeComma()
    }
  }

  #key(): MapKey {
    const start = this.at
    const first = this.#text.charAt(start)
    const key = first === '"' ? this.#double() : first === "'" ? this.#single() : this.#plain()
    if (key === null || this.at - start > keyLengthMax) throw new Bail()
    this.#skipSpaces()
    if (!this.#takes(':')) throw new Bail()
    this.#skipSpaces()
    return key
  }

  #takeComma(): void {
    if (!this.#takes(',')) throw new Bail()
    this.#skipSpaces()
  }

  #skipSpaces(): void {
    while (this.#text.charAt(this.at) === ' ') this.at++
  }

  #takes(character: string): boolean {
    if (this.#text.charAt(this.at) !== character) return false
    this.at++
    return true
  }
}

function ofOneLine(text: string): string {
  if (text.includes('\n')) throw new Bail()
  return text
}
