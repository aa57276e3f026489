import { type Cursor, isBreak } from './cursor.ts'
import { type Mark, yamlError } from './errors.ts'
import type { Token } from './token.ts'

const ordinary = /[^'"\\\0 \t\r\n\x85\u2028\u2029]*/y
const blanks = /[ \t]*/y

const replacements: ReadonlyMap<string, string> = new Map([
  ['0', '\0'],
  ['a', '\x07'],
  ['b', '\b'],
  ['t', '\t'],
  ['\t', '\t'],
  ['n', '\n'],
  ['v', '\v'],
  ['f', '\f'],
  ['r', '\r'],
  ['e', '\x1B'],
  [' ', ' '],
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
  ['N', '\x85'],
  ['_', '\xA0'],
  ['L', '\u2028'],
  ['P', '\u2029'],
])
const codeLengths: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
])

/** Reads a scalar in single or double quotes. */
export function scanQuoted(cursor: Cursor): Token {
  const start = cursor.mark()
  const quote = cursor.peek()
  const style = quote === '"' ? 'double' : 'single'
  cursor.forward()
  let text = scanNonSpaces(cursor, quote, start)
  while (cursor.peek() !== quote) {
    text += scanSpaces(cursor, start) + scanNonSpaces(cursor, quote, start)
  }
  cursor.forward()
  return { type: 'scalar', text, style, start, end: cursor.mark() }
}

function scanNonSpaces(cursor: Cursor, quote: string, start: Mark): string {
  let text = ''
  for (;;) {
    text += cursor.take(ordinary)
    const character = cursor.peek()
    if (character === quote) {
      if (quote === '"' || cursor.peek(1) !== quote) return text
      text += quote
      cursor.forward(2)
    } else if (character === '\\' && quote === '"') {
      text += scanEscape(cursor, start)
    } else if (character === '"' || character === "'" || character === '\\') {
      text += character
      cursor.forward()
    } else {
      return text
    }
  }
}

function scanEscape(cursor: Cursor, start: Mark): string {
  cursor.forward()
  const character = cursor.peek()
  const replacement = replacements.get(character)
  if (replacement !== undefined) {
    cursor.forward()
    return replacement
  }
  const length = codeLengths.get(character)
  if (length !== undefined) {
    cursor.forward()
    return scanCode(cursor, length)
  }
  if (isBreak(character)) {
    cursor.takeBreak()
    return scanBreaks(cursor, start)
  }
  throw yamlError('ScannerError', `\\${character} is no escape of a double-quoted scalar`, cursor.mark())
}

function scanCode(cursor: Cursor, length: number): string {
  let digits = ''
  for (let index = 0; index < length; index++) digits += cursor.peek(index)
  if (!/^[0-9A-Fa-f]+$/.test(digits)) {
    throw yamlError('ScannerError', `an escape needs ${length} hexadecimal digits`, cursor.mark())
  }
  const code = Number.parseInt(digits, 16)
  if (code > 0x10ffff) {
    throw yamlError(
      code > 0x7fffffff ? 'OverflowError' : 'ValueError',
      `U+${digits} is no character of Unicode`,
      cursor.mark(),
    )
  }
  cursor.forward(length)
  return String.fromCodePoint(code)
}

function scanSpaces(cursor: Cursor, start: Mark): string {
  const spaces = cursor.take(blanks)
  if (cursor.peek() === '\0') throw yamlError('ScannerError', 'a quoted scalar does not end', start)
  const lineBreak = cursor.takeBreak()
  if (lineBreak === '') return spaces
  const breaks = scanBreaks(cursor, start)
  if (lineBreak !== '\n') return lineBreak + breaks
  return breaks === '' ? ' ' : breaks
}

function scanBreaks(cursor: Cursor, start: Mark): string {
  let breaks = ''
  for (;;) {
    if (cursor.atDocumentMark()) {
      throw yamlError('ScannerError', 'a document ends inside of a quoted scalar', start)
    }
    cursor.take(blanks)
    const lineBreak = cursor.takeBreak()
    if (lineBreak === '') return breaks
    breaks += lineBreak
  }
}
