import { endOfFile, type Kind, kindOf, type Token } from './tokens.ts'

/** Reads one token after another; ends with any number of `endOfFile`. Hidden tokens (comments of CEL) come too. */
export interface Lexer {
  next(): Token
}

export const comment: Kind = kindOf('CEL_COMMENT')

const whitespace = kindOf('WHITESPACE')
const newline = kindOf('NEWLINE')
const identifier = kindOf('IDENTIFIER')
const extendedIdentifier = kindOf('EXTENDED_IDENTIFIER')
const string = kindOf('STRING')
const bytes = kindOf('BYTES')
const butNot = kindOf("'but not'")
const condition = kindOf("'condition'")
const closing = kindOf("')'")

const table = (words: readonly string[]): ReadonlyMap<string, Kind> =>
  new Map(words.map((word) => [word, kindOf(`'${word}'`)]))
const words = table(
  'and or from module model schema extend type condition relations relation define with in true false null'.split(
    ' ',
  ),
)
const signs = table('== != <= >= && || # : , < > [ ] { } ( ) . - ! ? + * / %'.split(' '))
const signsOfParameters = table(['<', '>', '(', ')', ':', ','])
const wordsOfParameters: ReadonlyMap<string, Kind> = new Map([
  ...['map', 'list'].map((word) => [word, kindOf('CONDITION_PARAM_CONTAINER')] as const),
  ...'bool string int uint double duration timestamp ipaddress'
    .split(' ')
    .map((word) => [word, kindOf('CONDITION_PARAM_TYPE')] as const),
])

/** What a rule made of the text from a position: where it ended, or where nothing fitted any more. */
type Scan = { readonly kind: Kind; readonly end: number } | { readonly diedAt: number }

/** A lexer of OpenFGA's DSL. What is no token is told to `onError`, in ANTLR's words, and left out. */
export function createLexer(
  text: string,
  onError: (message: string, line: number, column: number) => void,
): Lexer {
  let position = 0
  let line = 0
  let column = 0
  // Behind `condition`, up to the next closing parenthesis, words mean types of parameters.
  let depth = 0

  const moveTo = (end: number): void => {
    for (; position < end; position++) {
      if (text.charCodeAt(position) === 10) {
        line++
        column = 0
      } else column++
    }
  }

  return {
    next(): Token {
      while (position < text.length) {
        const scan = depth > 0 ? scanParameters(text, position) : scanText(text, position)
        const at = { line, column }
        const start = position
        if ('diedAt' in scan) {
          moveTo(Math.min(scan.diedAt + 1, text.length))
          onError(`token recognition error at: '${text.slice(start, position)}'`, at.line, at.column)
          continue
        }
        moveTo(scan.end)
        if (scan.kind === condition) depth++
        else if (scan.kind === closing && depth > 0) depth--
        return { kind: scan.kind, text: text.slice(start, scan.end), ...at }
      }
      return { kind: endOfFile, text: '<EOF>', line, column }
    },
  }
}

function scanParameters(text: string, start: number): Scan {
  const end = match(/[\t \f]+/y, text, start)
  if (end > start) return { kind: whitespace, end }
  const word = match(/[A-Za-z_][A-Za-z0-9_-]*/y, text, start)
  if (word > start) return { kind: wordsOfParameters.get(text.slice(start, word)) ?? identifier, end: word }
  const kind = signsOfParameters.get(text.charAt(start))
  return kind === undefined ? { diedAt: start } : { kind, end: start + 1 }
}

/** The longest token there; of equally long ones the one that the grammar names first. */
function scanText(text: string, start: number): Scan {
  const char = text.charAt(start)
  if (/[\t \f\r\n]/.test(char)) {
    const end = match(/[\t \f\r\n]+/y, text, start)
    const broken = match(/[\t \f]*[\r\n]/y, text, start) > start
    return { kind: broken ? newline : whitespace, end }
  }
  if (/[A-Za-z_]/.test(char)) return scanWord(text, start)
  if (/[0-9]/.test(char) || (char === '.' && /[0-9]/.test(text.charAt(start + 1))))
    return scanNumber(text, start)
  if (char === '"' || char === "'") return scanString(text, start)
  if (text.startsWith('//', start)) return { kind: comment, end: match(/\/\/[^\n]*/y, text, start) }
  for (const length of [2, 1]) {
    const sign = text.slice(start, start + length)
    const kind = signs.get(sign)
    if (kind !== undefined) return { kind, end: start + sign.length }
  }
  return { diedAt: char === '=' || char === '&' || char === '|' ? start + 1 : start }
}

function scanWord(text: string, start: number): Scan {
  const plain = match(/[A-Za-z_][A-Za-z0-9_-]*/y, text, start)
  const extended = match(/[A-Za-z_](?:[/.-]?[A-Za-z0-9_])*/y, text, start)
  const literal = scanPrefixedString(text, start)
  const end = Math.max(plain, extended)
  if (literal !== undefined && literal.end > end) return literal
  if (text.startsWith('but not', start) && end < start + 7) return { kind: butNot, end: start + 7 }
  if (extended > plain) return { kind: extendedIdentifier, end: extended }
  return { kind: words.get(text.slice(start, plain)) ?? identifier, end: plain }
}

/** `r"…"`, `b"…"`, `br"…"`. */
function scanPrefixedString(text: string, start: number): { kind: Kind; end: number } | undefined {
  const prefix = /(?:[bB][rR]?|[rR])(?=["'])/y
  prefix.lastIndex = start
  const found = prefix.exec(text)?.[0]
  if (found === undefined) return undefined
  const quote = start + found.length
  const scan = /[rR]$/.test(found) ? scanRawString(text, quote) : scanString(text, quote)
  if (scan === undefined || 'diedAt' in scan) return undefined
  return { kind: /^[bB]/.test(found) ? bytes : string, end: scan.end }
}

function scanRawString(text: string, start: number): { kind: Kind; end: number } | undefined {
  const quote = text.charAt(start)
  const triple = quote.repeat(3)
  if (text.startsWith(triple, start)) {
    const end = text.indexOf(triple, start + 3)
    if (end >= 0) return { kind: string, end: end + 3 }
  }
  const end = match(quote === '"' ? /"[^"\n\r]*"/y : /'[^'\n\r]*'/y, text, start)
  return end > start ? { kind: string, end } : undefined
}

function scanString(text: string, start: number): Scan {
  const quote = text.charAt(start)
  const triple = quote.repeat(3)
  if (text.startsWith(triple, start)) {
    let at = start + 3
    while (at < text.length) {
      if (text.startsWith(triple, at)) return { kind: string, end: at + 3 }
      const escape = scanEscape(text, at)
      if (escape.died) break
      at = escape.end
    }
  }
  let at = start + 1
  while (at < text.length) {
    const char = text.charAt(at)
    if (char === quote) return { kind: string, end: at + 1 }
    if (char === '\n' || char === '\r') break
    const escape = scanEscape(text, at)
    at = escape.end
    if (escape.died) break
  }
  return { diedAt: at }
}

/** One character of a string, escaped or not; `end` is where it ends or where the escape is wrong. */
function scanEscape(text: string, start: number): { readonly end: number; readonly died: boolean } {
  if (text.charAt(start) !== '\\') return { end: start + 1, died: false }
  const char = text.charAt(start + 1)
  if (/[abfnrtv"'\\?`]/.test(char)) return { end: start + 2, died: false }
  const rest = restOfEscape(char)
  if (rest === undefined) return { end: start + 1, died: true }
  let at = start + 2
  for (let i = 0; i < rest.count; i++, at++) {
    if (!rest.digit.test(text.charAt(at))) return { end: at, died: true }
  }
  return { end: at, died: false }
}

function restOfEscape(char: string): { readonly count: number; readonly digit: RegExp } | undefined {
  const hex = /[0-9A-Fa-f]/
  if (char === 'x' || char === 'X') return { count: 2, digit: hex }
  if (char === 'u') return { count: 4, digit: hex }
  if (char === 'U') return { count: 8, digit: hex }
  return /[0-3]/.test(char) ? { count: 2, digit: /[0-7]/ } : undefined
}

const numbers: readonly (readonly [Kind, RegExp])[] = [
  [kindOf('SCHEMA_VERSION'), /[0-9]+\.[0-9]+/y],
  [
    kindOf('NUM_FLOAT'),
    /[0-9]+(?:\.[0-9]+(?:[eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)|\.[0-9]+(?:[eE][+-]?[0-9]+)?/y,
  ],
  [kindOf('NUM_INT'), /0x[0-9A-Fa-f]+|[0-9]+/y],
  [kindOf('NUM_UINT'), /0x[0-9A-Fa-f]+[uU]|[0-9]+[uU]/y],
]

function scanNumber(text: string, start: number): Scan {
  let best = { kind: endOfFile, end: start }
  for (const [kind, pattern] of numbers) {
    const end = match(pattern, text, start)
    if (end > best.end) best = { kind, end }
  }
  return best
}

/** Where a sticky pattern ends that is tried at `start`; `start` where it does not fit. */
function match(pattern: RegExp, text: string, start: number): number {
  pattern.lastIndex = start
  return pattern.test(text) ? pattern.lastIndex : start
}
