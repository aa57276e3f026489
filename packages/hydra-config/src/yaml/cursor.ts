import { type Mark, markAt, yamlError } from './errors.ts'

const unprintable = /[^\t\n\r -~\x85\xA0-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u

/** Reads a text character by character and knows the line and column; `'\0'` stands for its end. */
export class Cursor {
  readonly #text: string
  #at = 0
  #line = 0
  #lineStart = 0

  /** @throws HydraConfigError `YAML_INVALID`, where `text` has a character that YAML does not allow. */
  constructor(text: string) {
    const found = unprintable.exec(text)
    if (found !== null) {
      const code = found[0].codePointAt(0) ?? 0
      throw yamlError(
        'ReaderError',
        `character U+${code.toString(16).toUpperCase().padStart(4, '0')} is not allowed in YAML`,
        markAt(text, found.index),
      )
    }
    this.#text = text
    if (text.startsWith('\uFEFF')) this.#at = this.#lineStart = 1
  }

  get index(): number {
    return this.#at
  }

  get line(): number {
    return this.#line
  }

  get column(): number {
    return this.#at - this.#lineStart
  }

  mark(): Mark {
    return { index: this.#at, line: this.#line, column: this.column }
  }

  peek(ahead: number = 0): string {
    return this.#text[this.#at + ahead] ?? '\0'
  }

  /** Passes over `count` characters of one line. */
  forward(count: number = 1): void {
    this.#at += count
  }

  /** Takes what `pattern`, a sticky expression that ends before a line break, matches here. */
  take(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const matched = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += matched.length
    return matched
  }

  /** Takes a line break as YAML normalises it; empty where there is none. */
  takeBreak(): string {
    const character = this.peek()
    if (!isBreak(character)) return ''
    this.#at += character === '\r' && this.peek(1) === '\n' ? 2 : 1
    this.#line++
    this.#lineStart = this.#at
    return character === '\u2028' || character === '\u2029' ? character : '\n'
  }

  skipSpaces(): void {
    while (this.peek() === ' ') this.#at++
  }

  skipComment(): void {
    if (this.peek() === '#') this.take(restOfLine)
  }

  /** Whether `---` or `...` stands here, followed by a space or the end of the line. */
  atDocumentMark(): boolean {
    const first = this.peek()
    return (
      (first === '-' || first === '.') &&
      this.peek(1) === first &&
      this.peek(2) === first &&
      isBlankOrEnd(this.peek(3))
    )
  }
}

/** To the end of the line. */
export const restOfLine: RegExp = /[^\0\r\n\x85\u2028\u2029]*/y

export function isBreak(character: string): boolean {
  return (
    character === '\n' ||
    character === '\r' ||
    character === '\x85' ||
    character === '\u2028' ||
    character === '\u2029'
  )
}

/** A line break or the end of the text. */
export function isBreakOrEnd(character: string): boolean {
  return character === '\0' || isBreak(character)
}

/** A space, a tab, a line break or the end of the text. */
export function isBlankOrEnd(character: string): boolean {
  return character === ' ' || character === '\t' || isBreakOrEnd(character)
}

/** A space, a line break or the end of the text, but no tab. */
export function isSpaceOrEnd(character: string): boolean {
  return character === ' ' || isBreakOrEnd(character)
}
