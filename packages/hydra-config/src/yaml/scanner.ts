import { Cursor, isBlankOrEnd } from './cursor.ts'
import { type Mark, yamlError } from './errors.ts'
import { scanBlock } from './scan-block.ts'
import { scanAnchor, scanDirective, scanTag } from './scan-properties.ts'
import { scanQuoted } from './scan-quoted.ts'
import type { Indicator, Token } from './token.ts'

/** A token that turns out to be a key if `:` follows on its line. */
interface SimpleKey {
  readonly tokenNumber: number
  readonly required: boolean
  readonly mark: Mark
}

// A key without `?` is of one line and at most this long (YAML 1.1, section 9.3).
const keyLengthMax = 1024

const blockPlain = /(?:[^\0 \t\r\n\x85\u2028\u2029:]|:(?![\0 \t\r\n\x85\u2028\u2029]|$))*/y
const flowPlain = /(?:[^\0 \t\r\n\x85\u2028\u2029:,?[\]{}]|:(?![\0 \t\r\n\x85\u2028\u2029,[\]{}]|$))*/y
const spaces = / */y

/** Cuts a text into tokens as PyYAML does; it looks ahead no further than the token asked for needs. */
export class Scanner {
  readonly #cursor: Cursor
  readonly #tokens: Token[] = []
  readonly #indents: number[] = []
  readonly #keys = new Map<number, SimpleKey>()
  #taken = 0
  #indent = -1
  #flowLevel = 0
  #keyAllowed = true
  #done = false

  constructor(text: string) {
    this.#cursor = new Cursor(text)
  }

  /** The next token, which stays. */
  peek(): Token {
    while (this.#needsMore()) this.#fetch()
    const token = this.#tokens[0]
    if (token === undefined) throw new RangeError('the scanner was asked for a token after the end')
    return token
  }

  /** Whether the next token is one of `types`. */
  sees(...types: readonly Token['type'][]): boolean {
    return types.includes(this.peek().type)
  }

  /** Takes the next token. */
  next(): Token {
    const token = this.peek()
    this.#tokens.shift()
    this.#taken++
    return token
  }

  #needsMore(): boolean {
    if (this.#done) return false
    if (this.#tokens.length === 0) return true
    this.#dropStaleKeys()
    for (const { tokenNumber } of this.#keys.values()) return tokenNumber === this.#taken
    return false
  }

  #fetch(): void {
    const cursor = this.#cursor
    this.#skipToToken()
    this.#dropStaleKeys()
    this.#unwind(cursor.column)
    const character = cursor.peek()
    if (character === '\0') return this.#fetchEnd()
    if (cursor.column === 0) {
      if (character === '%') return this.#fetchDirective()
      if (cursor.atDocumentMark()) return this.#fetchDocumentMark(character)
    }
    switch (character) {
      case '[':
        return this.#fetchFlowStart('flow sequence start')
      case '{':
        return this.#fetchFlowStart('flow mapping start')
      case ']':
        return this.#fetchFlowEnd('flow sequence end')
      case '}':
        return this.#fetchFlowEnd('flow mapping end')
      case ',':
        return this.#fetchFlowEntry()
      case '*':
      case '&':
        return this.#fetchKeyable(scanAnchor)
      case '!':
        return this.#fetchKeyable(scanTag)
      case "'":
      case '"':
        return this.#fetchKeyable(scanQuoted)
      default:
        return this.#fetchOther(character)
    }
  }

  #fetchOther(character: string): void {
    const cursor = this.#cursor
    const inFlow = this.#flowLevel !== 0
    const separate = isBlankOrEnd(cursor.peek(1))
    if (character === '-' && separate) return this.#fetchBlockEntry()
    if (character === '?' && (inFlow || separate)) return this.#fetchKey()
    if (character === ':' && (inFlow || separate)) return this.#fetchValue()
    if ((character === '|' || character === '>') && !inFlow) {
      this.#keyAllowed = true
      this.#dropKey()
      this.#tokens.push(scanBlock(cursor, this.#indent))
      return
    }
    if ('\t#|>%@`'.includes(character)) {
      throw yamlError(
        'ScannerError',
        `character ${JSON.stringify(character)} cannot start a value`,
        cursor.mark(),
      )
    }
    this.#saveKey()
    this.#keyAllowed = false
    this.#tokens.push(this.#scanPlain())
  }

  #skipToToken(): void {
    for (;;) {
      this.#cursor.skipSpaces()
      this.#cursor.skipComment()
      if (this.#cursor.takeBreak() === '') return
      if (this.#flowLevel === 0) this.#keyAllowed = true
    }
  }

  #dropStaleKeys(): void {
    // Deeper levels have later keys: behind one that is fresh all are.
    for (const [level, key] of this.#keys) {
      if (key.mark.line === this.#cursor.line && this.#cursor.index - key.mark.index <= keyLengthMax) return
      if (key.required) throw this.#keyWithoutValue(key)
      this.#keys.delete(level)
    }
  }

  #saveKey(): void {
    const required = this.#flowLevel === 0 && this.#indent === this.#cursor.column
    if (!this.#keyAllowed) return
    this.#dropKey()
    const tokenNumber = this.#taken + this.#tokens.length
    this.#keys.set(this.#flowLevel, { tokenNumber, required, mark: this.#cursor.mark() })
  }

  #dropKey(): void {
    const key = this.#keys.get(this.#flowLevel)
    if (key?.required) throw this.#keyWithoutValue(key)
    this.#keys.delete(this.#flowLevel)
  }

  #keyWithoutValue(key: SimpleKey): Error {
    return yamlError('ScannerError', "a key has no ':' after it", key.mark)
  }

  #unwind(column: number): void {
    if (this.#flowLevel !== 0) return
    while (this.#indent > column) {
      const mark = this.#cursor.mark()
      this.#indent = this.#indents.pop() ?? -1
      this.#tokens.push({ type: 'block end', start: mark, end: mark })
    }
  }

  #deepen(column: number): boolean {
    if (this.#indent >= column) return false
    this.#indents.push(this.#indent)
    this.#indent = column
    return true
  }

  #pushIndicator(type: Indicator, length: number): void {
    const start = this.#cursor.mark()
    this.#cursor.forward(length)
    this.#tokens.push({ type, start, end: this.#cursor.mark() })
  }

  #fetchEnd(): void {
    this.#unwind(-1)
    this.#dropKey()
    this.#keyAllowed = false
    this.#keys.clear()
    this.#pushIndicator('stream end', 0)
    this.#done = true
  }

  #fetchDirective(): void {
    this.#unwind(-1)
    this.#dropKey()
    this.#keyAllowed = false
    this.#tokens.push(scanDirective(this.#cursor))
  }

  #fetchDocumentMark(character: string): void {
    this.#unwind(-1)
    this.#dropKey()
    this.#keyAllowed = false
    this.#pushIndicator(character === '-' ? 'document start' : 'document end', 3)
  }

  #fetchFlowStart(type: Indicator): void {
    this.#saveKey()
    this.#flowLevel++
    this.#keyAllowed = true
    this.#pushIndicator(type, 1)
  }

  #fetchFlowEnd(type: Indicator): void {
    this.#dropKey()
    this.#flowLevel--
    this.#keyAllowed = false
    this.#pushIndicator(type, 1)
  }

  #fetchFlowEntry(): void {
    this.#keyAllowed = true
    this.#dropKey()
    this.#pushIndicator('flow entry', 1)
  }

  #fetchBlockEntry(): void {
    if (this.#flowLevel === 0) this.#openBlock('block sequence start')
    this.#keyAllowed = true
    this.#dropKey()
    this.#pushIndicator('block entry', 1)
  }

  #fetchKey(): void {
    if (this.#flowLevel === 0) this.#openBlock('block mapping start')
    this.#keyAllowed = this.#flowLevel === 0
    this.#dropKey()
    this.#pushIndicator('key', 1)
  }

  #openBlock(type: Indicator): void {
    if (!this.#keyAllowed) {
      throw yamlError('ScannerError', `no ${type.replace(' start', '')} may start here`, this.#cursor.mark())
    }
    if (this.#deepen(this.#cursor.column)) this.#pushIndicator(type, 0)
  }

  #fetchValue(): void {
    const key = this.#keys.get(this.#flowLevel)
    if (key === undefined) {
      if (this.#flowLevel === 0) this.#openBlock('block mapping start')
      this.#keyAllowed = this.#flowLevel === 0
      this.#dropKey()
    } else {
      this.#keys.delete(this.#flowLevel)
      const at = key.tokenNumber - this.#taken
      this.#tokens.splice(at, 0, { type: 'key', start: key.mark, end: key.mark })
      if (this.#flowLevel === 0 && this.#deepen(key.mark.column)) {
        this.#tokens.splice(at, 0, { type: 'block mapping start', start: key.mark, end: key.mark })
      }
      this.#keyAllowed = false
    }
    this.#pushIndicator('value', 1)
  }

  #fetchKeyable(scan: (cursor: Cursor) => Token): void {
    this.#saveKey()
    this.#keyAllowed = false
    this.#tokens.push(scan(this.#cursor))
  }

  #scanPlain(): Token {
    const cursor = this.#cursor
    const inFlow = this.#flowLevel !== 0
    const start = cursor.mark()
    let end = start
    let text = ''
    let between = ''
    while (cursor.peek() !== '#') {
      const chunk = cursor.take(inFlow ? flowPlain : blockPlain)
      if (chunk === '') break
      this.#keyAllowed = false
      text += between + chunk
      end = cursor.mark()
      between = this.#scanPlainSpaces()
      if (between === '' || (!inFlow && cursor.column <= this.#indent)) break
    }
    return { type: 'scalar', text, style: 'plain', start, end }
  }

  #scanPlainSpaces(): string {
    const cursor = this.#cursor
    const blank = cursor.take(spaces)
    const lineBreak = cursor.takeBreak()
    if (lineBreak === '') return blank
    this.#keyAllowed = true
    if (cursor.atDocumentMark()) return ''
    let breaks = ''
    for (;;) {
      cursor.skipSpaces()
      const another = cursor.takeBreak()
      if (another === '') break
      breaks += another
      if (cursor.atDocumentMark()) return ''
    }
    if (lineBreak !== '\n') return lineBreak + breaks
    return breaks === '' ? ' ' : breaks
  }
}
