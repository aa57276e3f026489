import { isHydraConfigError } from '../errors.ts'
import { type ConfigFile, type MapKey, map, sameKey, type Value } from '../value/value.ts'
import { Bail } from './bail.ts'
import { type CheckInterpolation, keyLengthMax, LineReader } from './line-reader.ts'
import { readPlain } from './plain-scalar.ts'

const lineFeed = 0x0a
const space = 0x20
const hash = 0x23
const dash = 0x2d
const colon = 0x3a

/**
 * Tabs, carriage returns, the other line breaks of YAML, the byte order mark, what takes two UTF-16 units, such as
 * emoji, and what YAML does not allow.
 */
export const unusual: RegExp = /[^\n -~\xA0-\u2027\u202A-\uD7FF\uE000-\uFEFE\uFF00-\uFFFD]/

/** What a text of the plain kind is read with. */
interface Reading {
  readonly file?: ConfigFile | undefined
  /** Default: strings with `${` are not looked at. */
  readonly check?: CheckInterpolation | undefined
  /** Told what is in the way of reading on, and where the line begins in which that is met. */
  readonly stopped?: (error: unknown, lineStart: number) => void
}

/**
 * Reads a YAML text of the plain kind in one pass: block mappings and sequences, scalars and flow collections of one
 * line, comments. Undefined for everything else, faults too: the full reader then says what it is. What both read is
 * equal, places included.
 */
export function readBlockYaml(text: string, { file, check, stopped }: Reading): Value | undefined {
  const reader = new BlockReader(text, file, check)
  try {
    if (unusual.test(text)) throw new Bail()
    return reader.document()
  } catch (error) {
    stopped?.(error, reader.lineStart)
    if (error instanceof Bail || isHydraConfigError(error)) return undefined
    throw error
  }
}

class BlockReader extends LineReader {
  /** Where a key was looked for last, and what was found. */
  #keyStart = -1
  #colon = -1

  document(): Value {
    this.#toContent()
    if (this.text.startsWith('---', this.at) && this.#column === 0) this.#skipDocumentStart()
    else this.#ensureContent()
    if (this.at >= this.text.length) return map([])
    const value = this.#block()
    if (this.at < this.text.length) throw new Bail()
    return value
  }

  /** `---` alone on a line. */
  #skipDocumentStart(): void {
    this.at += 3
    this.skipSpaces()
    if (!this.#atLineEnd()) throw new Bail()
    this.#toNextLine()
    if (this.at >= this.text.length) throw new Bail()
  }

  get #column(): number {
    return this.at - this.lineStart
  }

  /** Passes over blank lines and comments to the next content, the end of the text included. */
  #toContent(): void {
    const text = this.text
    for (;;) {
      this.skipSpaces()
      const code = text.charCodeAt(this.at)
      if (code === hash) {
        const end = text.indexOf('\n', this.at)
        this.at = end === -1 ? text.length : end
      } else if (code !== lineFeed) return
      if (this.at >= text.length) return
      this.at++
      this.line++
      this.lineStart = this.at
    }
  }

  /** From the end of a line, or a comment there, to the next content. */
  #toNextLine(): void {
    this.#toContent()
    this.#ensureContent()
  }

  /** Marks of a document and directives are no content. */
  #ensureContent(): void {
    if (this.#column > 0) return
    const code = this.text.charCodeAt(this.at)
    if (code === 0x25) throw new Bail()
    if (code !== dash && code !== 0x2e) return
    if (this.text.startsWith('---', this.at) || this.text.startsWith('...', this.at)) throw new Bail()
  }

  /** Whether the rest of the line is empty or a comment; the character before is a space where it is one. */
  #atLineEnd(): boolean {
    const code = this.text.charCodeAt(this.at)
    if (code === hash) return this.text.charCodeAt(this.at - 1) === space
    return code === lineFeed || this.at >= this.text.length
  }

  /** The collection that begins here. */
  #block(): Value {
    const column = this.#column
    return this.#atDash() ? this.#sequence(column, false) : this.#mapping(column)
  }

  #atDash(): boolean {
    if (this.text.charCodeAt(this.at) !== dash) return false
    const next = this.text.charCodeAt(this.at + 1)
    return next === space || next === lineFeed || this.at + 1 >= this.text.length
  }

  #sequence(column: number, indentless: boolean): Value {
    const origin = this.origin()
    this.enter()
    // Begun with one item: an empty array makes room for 17 as soon as one is put into it.
    const items = [this.#dashed(column)]
    while (this.at < this.text.length && this.#column === column) {
      if (this.#atDash()) items.push(this.#dashed(column))
      else if (indentless) break
      else throw new Bail()
    }
    this.leave()
    return { kind: 'list', items, origin }
  }

  /** A dash and its item. */
  #dashed(column: number): Value {
    this.at++
    const item = this.#item(column)
    if (this.at < this.text.length && this.#column > column) throw new Bail()
    return item
  }

  /** What stands behind a dash. */
  #item(column: number): Value {
    const { at } = this
    this.skipSpaces()
    if (this.#atLineEnd()) {
      const origin = this.origin(at)
      this.#toNextLine()
      if (this.at < this.text.length && this.#column > column) return this.#block()
      return this.scalar(null, origin)
    }
    if (this.#atDash() || this.#isKey()) return this.#block()
    return this.#value()
  }

  #mapping(column: number): Value {
    const origin = this.origin()
    const entries = new Map<MapKey, Value>()
    // While texts and integers are the only keys, the Map itself knows which are equal.
    let isSimple = true
    this.enter()
    while (this.at < this.text.length && this.#column === column) {
      if (this.#atDash()) throw new Bail()
      const key = this.#key()
      const value = this.#valueOfKey(column)
      const { size } = entries
      isSimple &&= typeof key === 'string' || typeof key === 'bigint'
      entries.set(isSimple ? key : (sameKey(entries, key) ?? key), value)
      if (typeof key === 'string' && entries.size === size) throw new Bail()
      if (this.at < this.text.length && this.#column > column) throw new Bail()
    }
    this.leave()
    return { kind: 'map', entries, origin }
  }

  /** What stands behind the colon of a key, on its line or below. */
  #valueOfKey(column: number): Value {
    const { at } = this
    this.skipSpaces()
    if (!this.#atLineEnd()) {
      if (this.#atDash()) throw new Bail()
      return this.#value()
    }
    const origin = this.origin(at)
    this.#toNextLine()
    if (this.at < this.text.length) {
      if (this.#column > column) return this.#block()
      if (this.#column === column && this.#atDash()) return this.#sequence(column, true)
    }
    return this.scalar(null, origin)
  }

  /** Where the key that begins here ends, its colon; -1 where the line is no key and value. */
  #keyEnd(): number {
    if (this.#keyStart !== this.at) {
      this.#keyStart = this.at
      this.#colon = this.#findColon()
    }
    return this.#colon
  }

  #findColon(): number {
    const { text, at: start } = this
    if (this.atQuote()) {
      this.quoted()
      this.skipSpaces()
      const { at } = this
      this.at = start
      return text.charCodeAt(at) === colon && endsKey(text, at + 1) ? at : -1
    }
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === colon) {
        if (endsKey(text, at + 1)) return at
      } else if (code === lineFeed || (code === hash && text.charCodeAt(at - 1) === space)) return -1
    }
    return -1
  }

  #isKey(): boolean {
    // Flow collections are no keys here, though a colon may stand in them.
    return !this.atFlow() && this.#keyEnd() !== -1
  }

  /** Reads a key and its colon. */
  #key(): MapKey {
    const end = this.#keyEnd()
    if (end === -1 || end - this.at > keyLengthMax) throw new Bail()
    const start = this.at
    const quoted = this.atQuote() ? this.quoted() : undefined
    this.at = end + 1
    if (quoted !== undefined) return quoted
    let last = end
    // Other blanks, such as a no-break space, belong to the key.
    while (this.text.charCodeAt(last - 1) === space) last--
    const key = readPlain(this.text.slice(start, last))
    if (key === null) throw new Bail()
    return key
  }

  /** A scalar or a flow collection that ends on its line. */
  #value(): Value {
    if (this.atQuote() || this.atFlow()) {
      const value = this.flow()
      this.skipSpaces()
      if (!this.#atLineEnd()) throw new Bail()
      this.#toNextLine()
      return value
    }
    const start = this.at
    const end = this.#plainEnd()
    const value = this.scalar(readPlain(this.text.slice(start, end)), this.origin(start))
    this.#toNextLine()
    return value
  }

  /** Goes to the end of a plain scalar's line, or to the comment there, and tells where the scalar ends. */
  #plainEnd(): number {
    const text = this.text
    let at = this.at
    let end = at
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code === lineFeed) break
      if (code === space) continue
      if (code === hash && at > end) break
      if (code === colon && endsKey(text, at + 1)) throw new Bail()
      end = at + 1
    }
    this.at = at
    return end
  }
}

/** Whether a colon before `at` ends a key. */
function endsKey(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code === space || code === lineFeed || at >= text.length
}
