import {
  type ConfigFile,
  type FileOrigin,
  type MapKey,
  type Scalar,
  sameKey,
  type Value,
} from '../value/value.ts'
import { Bail } from './bail.ts'
import { readPlain } from './plain-scalar.ts'

// Deeper ones are left to the full reader, which knows what to say of them.
const depthMax = 100
const valuesMax = 1_000_000
// A key is of one line and at most 1024 characters long.
export const keyLengthMax = 1000

/** What of a double-quoted scalar JSON reads as YAML does. */
const jsonString = /^"(?:[^"\\]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"$/
const plainInFlow = /(?:[^\n :,?#[\]{}]|:(?![\n ,[\]{}]|$)|(?<! )#| +(?![\n ,:#[\]{}]|$))+/y

const space = 0x20

/** Refuses a string with `${` that is no interpolation. */
export type CheckInterpolation = (text: string, origin: FileOrigin | undefined) => void

/** Reads what begins and ends on one line: quoted scalars and flow collections, and what stands in these. */
export class LineReader {
  readonly text: string
  readonly #file: ConfigFile | undefined
  readonly #check: CheckInterpolation | undefined
  at = 0
  /** From 1. */
  line = 1
  lineStart = 0
  #depth = 0
  #count = 0

  constructor(text: string, file: ConfigFile | undefined, check: CheckInterpolation | undefined) {
    this.text = text
    this.#file = file
    this.#check = check
  }

  origin(at: number = this.at): FileOrigin | undefined {
    if (this.#file === undefined) return undefined
    const { source, config } = this.#file
    return { kind: 'file', source, config, line: this.line, column: at - this.lineStart + 1 }
  }

  scalar(value: Scalar, origin: FileOrigin | undefined): Value {
    this.#countValue()
    if (typeof value === 'string' && value.includes('${')) this.#check?.(value, origin)
    return { kind: 'scalar', value, origin }
  }

  /** Before a collection is read. */
  enter(): void {
    this.#countValue()
    if (++this.#depth > depthMax) throw new Bail()
  }

  leave(): void {
    this.#depth--
  }

  #countValue(): void {
    if (++this.#count > valuesMax) throw new Bail()
  }

  skipSpaces(): void {
    while (this.text.charCodeAt(this.at) === space) this.at++
  }

  atQuote(): boolean {
    return this.#isAt('"') || this.#isAt("'")
  }

  atFlow(): boolean {
    return this.#isAt('[') || this.#isAt('{')
  }

  /** A scalar or a flow collection. */
  flow(): Value {
    const origin = this.origin()
    if (!this.atFlow()) return this.scalar(this.#scalarInFlow(), origin)
    this.enter()
    const isList = this.#isAt('[')
    const items: Value[] = []
    const entries = new Map<MapKey, Value>()
    const close = isList ? ']' : '}'
    this.at++
    this.skipSpaces()
    for (let more = !this.#takes(close); more; more = this.#takesComma(close)) {
      if (isList) items.push(this.flow())
      else this.#entry(entries)
    }
    this.leave()
    return isList ? { kind: 'list', items, origin } : { kind: 'map', entries, origin }
  }

  #entry(entries: Map<MapKey, Value>): void {
    const start = this.at
    const key = this.#scalarInFlow()
    const isTwice = typeof key === 'string' && entries.has(key)
    if (key === null || isTwice || this.at - start > keyLengthMax) throw new Bail()
    this.skipSpaces()
    if (!this.#takes(':')) throw new Bail()
    this.skipSpaces()
    entries.set(sameKey(entries, key) ?? key, this.flow())
  }

  #scalarInFlow(): Scalar {
    if (this.atQuote()) return this.quoted()
    plainInFlow.lastIndex = this.at
    const found = plainInFlow.exec(this.text)?.[0] ?? ''
    // A dash before a blank is an indicator.
    if (found === '-' || found.startsWith('- ')) throw new Bail()
    this.at += found.length
    return readPlain(found)
  }

  quoted(): string {
    const { text, at: start } = this
    const quote = text.charAt(start)
    for (let at = start + 1; at < text.length; at++) {
      const character = text.charAt(at)
      if (character === '\n') break
      if (character === '\\' && quote === '"') at++
      // A doubled single quote is one, and the text goes on behind it.
      else if (character === quote && quote === "'" && text.charAt(at + 1) === quote) at++
      else if (character === quote) {
        this.at = at + 1
        return unquoted(text.slice(start, this.at))
      }
    }
    throw new Bail()
  }

  #isAt(character: string): boolean {
    return this.text.charAt(this.at) === character
  }

  #takes(character: string): boolean {
    if (!this.#isAt(character)) return false
    this.at++
    return true
  }

  /** False where the collection ends instead. */
  #takesComma(close: string): boolean {
    this.skipSpaces()
    if (this.#takes(close)) return false
    if (!this.#takes(',')) throw new Bail()
    this.skipSpaces()
    return true
  }
}

function unquoted(source: string): string {
  const inner = source.slice(1, -1)
  if (source.startsWith("'")) return inner.replaceAll("''", "'")
  if (!source.includes('\\')) return inner
  if (!jsonString.test(source)) throw new Bail()
  return String(JSON.parse(source))
}
