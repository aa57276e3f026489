import type { Issue } from './source.ts'

type TokenKind = 'identifier' | 'escaped' | 'int' | 'uint' | 'float' | 'string' | 'bytes' | 'mark' | 'end'

export interface Token {
  /** Operators, brackets and the words `in`, `true`, `false` and `null` are marks. */
  readonly kind: TokenKind
  readonly text: string
  /** An index of UTF-16 units. */
  readonly at: number
}

const words: ReadonlySet<string> = new Set(['in', 'true', 'false', 'null'])
const twoMarks: ReadonlySet<string> = new Set(['==', '!=', '<=', '>=', '&&', '||'])
const oneMark = '<>[]{}().,-!?:+*/%'

/** What a token ends with, or where nothing could be recognised. */
type Scan = { readonly kind: TokenKind | 'hidden'; readonly end: number } | { readonly failedAt: number }

/** Splits a source into tokens, the last of which is its end; what is none is skipped and reported. */
export function tokenize(source: string): { tokens: readonly Token[]; issues: readonly Issue[] } {
  const tokens: Token[] = []
  const issues: Issue[] = []
  let at = 0
  while (at < source.length) {
    const scan = scanAt(source, at)
    if ('failedAt' in scan) {
      const end = scan.failedAt + characterLength(source, scan.failedAt)
      issues.push({
        at,
        message: `Syntax error: token recognition error at: '${escape(source.slice(at, end))}'`,
      })
      at = end
    } else {
      if (scan.kind !== 'hidden') tokens.push({ kind: scan.kind, text: source.slice(at, scan.end), at })
      at = scan.end
    }
  }
  tokens.push({ kind: 'end', text: '<EOF>', at: source.length })
  return { tokens, issues }
}

function escape(text: string): string {
  return text.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')
}

function characterLength(source: string, at: number): number {
  return (source.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
}

function scanAt(source: string, at: number): Scan {
  const character = source.charAt(at)
  if (' \t\r\n\f'.includes(character)) return { kind: 'hidden', end: at + 1 }
  if (source.startsWith('//', at)) {
    const newline = source.indexOf('\n', at)
    return { kind: 'hidden', end: newline < 0 ? source.length : newline }
  }
  const text = scanText(source, at)
  if (text !== undefined) return text
  if (isLetter(character)) {
    const end = endOf(source, at, isWordCharacter)
    return { kind: words.has(source.slice(at, end)) ? 'mark' : 'identifier', end }
  }
  if (isDigit(character) || (character === '.' && isDigit(source.charAt(at + 1))))
    return scanNumber(source, at)
  if (character === '`') return scanEscaped(source, at)
  if (twoMarks.has(source.slice(at, at + 2))) return { kind: 'mark', end: at + 2 }
  if (oneMark.includes(character)) return { kind: 'mark', end: at + 1 }
  // '=', '&' and '|' begin a mark that did not come.
  return { failedAt: '=&|'.includes(character) && at + 1 < source.length ? at + 1 : at }
}

function scanEscaped(source: string, at: number): Scan {
  const end = endOf(source, at + 1, (character) => isWordCharacter(character) || '.-/ '.includes(character))
  return source[end] === '`' && end > at + 1
    ? { kind: 'escaped', end: end + 1 }
    : { failedAt: Math.min(end, source.length) }
}

function scanNumber(source: string, at: number): Scan {
  if (source.startsWith('0x', at)) {
    const end = endOf(source, at + 2, isHexadecimal)
    if (end > at + 2) return withSuffix(source, end)
  }
  const whole = endOf(source, at, isDigit)
  const fraction = source[whole] === '.' ? endOf(source, whole + 1, isDigit) : whole
  const mantissa = fraction > whole + 1 ? fraction : whole
  const exponent = exponentEnd(source, mantissa)
  if (exponent > whole) return { kind: 'float', end: exponent }
  return withSuffix(source, whole)
}

function withSuffix(source: string, end: number): Scan {
  return source[end] === 'u' || source[end] === 'U' ? { kind: 'uint', end: end + 1 } : { kind: 'int', end }
}

/** `at` where no exponent stands there. */
function exponentEnd(source: string, at: number): number {
  if (source[at] !== 'e' && source[at] !== 'E') return at
  const digits = source[at + 1] === '+' || source[at + 1] === '-' ? at + 2 : at + 1
  const end = endOf(source, digits, isDigit)
  return end > digits ? end : at
}

/** A string or bytes with its prefixes; undefined where none begins. */
function scanText(source: string, at: number): Scan | undefined {
  let quote = at
  const isBytes = /[bB]/.test(source.charAt(quote))
  if (isBytes) quote += 1
  const isRaw = /[rR]/.test(source.charAt(quote))
  if (isRaw) quote += 1
  const mark = source.charAt(quote)
  if (mark !== '"' && mark !== "'") return undefined
  const kind = isBytes ? 'bytes' : 'string'
  const isTriple = source.startsWith(mark.repeat(3), quote)
  const long = isTriple ? scanQuoted(source, quote + 3, mark.repeat(3), isRaw) : undefined
  if (long !== undefined && 'end' in long) return { kind, end: long.end }
  const short = scanQuoted(source, quote + 1, mark, isRaw)
  if ('end' in short) return { kind, end: short.end }
  // What is a word without its quote is taken as one.
  return quote > at ? undefined : (long ?? short)
}

function scanQuoted(
  source: string,
  start: number,
  mark: string,
  isRaw: boolean,
): { end: number } | { failedAt: number } {
  let at = start
  while (at < source.length) {
    if (source.startsWith(mark, at)) return { end: at + mark.length }
    const character = source.charAt(at)
    if (mark.length === 1 && (character === '\n' || character === '\r')) return { failedAt: at }
    if (character === '\\' && !isRaw) {
      const end = escapeEnd(source, at)
      if (end.failedAt !== undefined) return { failedAt: end.failedAt }
      at = end.end
    } else at += 1
  }
  return { failedAt: source.length }
}

const lengths: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['X', 2],
  ['u', 4],
  ['U', 8],
])

function escapeEnd(source: string, at: number): { end: number; failedAt?: number } {
  const character = source.charAt(at + 1)
  if (character !== '' && 'abfnrtv"\'\\?`'.includes(character)) return { end: at + 2 }
  const isOctal = character >= '0' && character <= '3'
  const length = isOctal ? 2 : lengths.get(character)
  if (length === undefined) return { end: at, failedAt: Math.min(at + 1, source.length) }
  for (let index = at + 2; index < at + 2 + length; index++) {
    const digit = source.charAt(index)
    if (!(isOctal ? digit >= '0' && digit <= '7' : isHexadecimal(digit)))
      return { end: at, failedAt: Math.min(index, source.length) }
  }
  return { end: at + 2 + length }
}

function endOf(source: string, start: number, belongs: (character: string) => boolean): number {
  let end = start
  while (end < source.length && belongs(source.charAt(end))) end++
  return end
}

function isLetter(character: string): boolean {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') || character === '_'
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9'
}

function isWordCharacter(character: string): boolean {
  return isLetter(character) || isDigit(character)
}

function isHexadecimal(character: string): boolean {
  return (
    isDigit(character) || (character >= 'a' && character <= 'f') || (character >= 'A' && character <= 'F')
  )
}
