import { foldOrbit } from './fold.ts'
import { type Matcher, PatternFault } from './syntax.ts'
import { unicodeProperty } from './unicode.ts'

/** A set with its negation outside of case folding, as RE2 has it. */
export function folded(matches: Matcher, isFolding: boolean): Matcher {
  return isFolding ? (codePoint) => foldOrbit(codePoint).some(matches) : matches
}

export function negated(matches: Matcher): Matcher {
  return (codePoint) => !matches(codePoint)
}

export function range(low: number, high: number): Matcher {
  return (codePoint) => codePoint >= low && codePoint <= high
}

function anyOf(matchers: readonly Matcher[]): Matcher {
  return (codePoint) => matchers.some((matches) => matches(codePoint))
}

/** Ranges written as pairs of characters, `09` or `AZaz`. */
function ranges(pairs: string): Matcher {
  const made: Matcher[] = []
  for (let at = 0; at < pairs.length; at += 2)
    made.push(range(pairs.charCodeAt(at), pairs.charCodeAt(at + 1)))
  return anyOf(made)
}

const perl: ReadonlyMap<string, Matcher> = new Map([
  ['d', ranges('09')],
  ['s', ranges('\t\n\f\r  ')],
  ['w', ranges('09AZ__az')],
])

const posix: ReadonlyMap<string, Matcher> = new Map([
  ['alnum', ranges('09AZaz')],
  ['alpha', ranges('AZaz')],
  ['ascii', ranges('\u0000\u007f')],
  ['blank', ranges('\t\t  ')],
  ['cntrl', ranges('\u0000\u001f\u007f\u007f')],
  ['digit', ranges('09')],
  ['graph', ranges('!~')],
  ['lower', ranges('az')],
  ['print', ranges(' ~')],
  ['punct', ranges('!/:@[`{~')],
  ['space', ranges('\t\r  ')],
  ['upper', ranges('AZ')],
  ['word', ranges('09AZ__az')],
  ['xdigit', ranges('09AFaf')],
])

/** A set and the index behind it. */
export interface Parsed {
  readonly matches: Matcher
  readonly end: number
}

/** `\d`, `\pL` and their like at `at`; undefined where there is none. */
export function parseNamedSet(pattern: string, at: number, isFolding: boolean): Parsed | undefined {
  const letter = pattern.charAt(at + 1)
  if (letter === 'p' || letter === 'P') return parseProperty(pattern, at, isFolding)
  const known = perl.get(letter.toLowerCase())
  if (known === undefined) return undefined
  const matches = folded(known, isFolding)
  return { matches: letter === letter.toLowerCase() ? matches : negated(matches), end: at + 2 }
}

function parseProperty(pattern: string, at: number, isFolding: boolean): Parsed {
  const close = pattern.indexOf('}', at)
  const isBraced = pattern[at + 2] === '{'
  const first = pattern.codePointAt(at + 2)
  if (first === undefined || (isBraced && close < 0))
    throw new PatternFault('invalid character class range', pattern.slice(at))
  const end = isBraced ? close + 1 : at + 2 + String.fromCodePoint(first).length
  const inside = isBraced ? pattern.slice(at + 3, close) : String.fromCodePoint(first)
  const isInverse = inside.startsWith('^')
  const known = unicodeProperty(isInverse ? inside.slice(1) : inside)
  if (known === undefined) throw new PatternFault('invalid character class range', pattern.slice(at, end))
  const matches = folded(known, isFolding)
  return { matches: isInverse !== (pattern[at + 1] === 'P') ? negated(matches) : matches, end }
}

/** `[…]` at `at`. */
export function parseClass(pattern: string, at: number, isFolding: boolean): Parsed {
  const isNegated = pattern[at + 1] === '^'
  const start = at + (isNegated ? 2 : 1)
  const sets: Matcher[] = []
  let next = start
  while (pattern[next] !== ']' || next === start) {
    if (next >= pattern.length) throw new PatternFault('missing closing ]', pattern.slice(at))
    const item =
      parsePosix(pattern, next, isFolding) ??
      (pattern[next] === '\\' ? parseNamedSet(pattern, next, isFolding) : undefined) ??
      parseRange(pattern, next, at, isFolding)
    sets.push(item.matches)
    next = item.end
  }
  const matches = anyOf(sets)
  return { matches: isNegated ? negated(matches) : matches, end: next + 1 }
}

function parsePosix(pattern: string, at: number, isFolding: boolean): Parsed | undefined {
  const close = pattern.startsWith('[:', at) ? pattern.indexOf(':]', at + 2) : -1
  if (close < 0) return undefined
  const name = pattern.slice(at + 2, close)
  const known = posix.get(name.replace(/^\^/, ''))
  if (known === undefined)
    throw new PatternFault('invalid character class range', pattern.slice(at, close + 2))
  const matches = folded(known, isFolding)
  return { matches: name.startsWith('^') ? negated(matches) : matches, end: close + 2 }
}

function parseRange(pattern: string, at: number, start: number, isFolding: boolean): Parsed {
  const low = parseCharacter(pattern, at, start)
  const isRange = pattern[low.end] === '-' && low.end + 1 < pattern.length && pattern[low.end + 1] !== ']'
  const high = isRange ? parseCharacter(pattern, low.end + 1, start) : low
  if (high.codePoint < low.codePoint)
    throw new PatternFault('invalid character class range', pattern.slice(at, high.end))
  return { matches: folded(range(low.codePoint, high.codePoint), isFolding), end: high.end }
}

interface Character {
  readonly codePoint: number
  readonly end: number
}

/** `start` is where the class begins that the character stands in. */
function parseCharacter(pattern: string, at: number, start: number): Character {
  if (pattern[at] === '\\') return parseEscape(pattern, at)
  const codePoint = pattern.codePointAt(at)
  if (codePoint === undefined) throw new PatternFault('missing closing ]', pattern.slice(start))
  return { codePoint, end: at + (codePoint > 0xffff ? 2 : 1) }
}

const controls: ReadonlyMap<string, number> = new Map([
  ['a', 7],
  ['f', 12],
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['v', 11],
])

/** An escape that stands for one character. */
export function parseEscape(pattern: string, at: number): Character {
  const codePoint = pattern.codePointAt(at + 1)
  if (codePoint === undefined) throw new PatternFault('trailing backslash at end of expression', '')
  const letter = String.fromCodePoint(codePoint)
  const end = at + 1 + letter.length
  const control = controls.get(letter)
  if (control !== undefined) return { codePoint: control, end }
  if (letter === 'x') return parseHexadecimal(pattern, at)
  const isOctal = letter === '0' || (letter >= '1' && letter <= '7' && isOctalDigit(pattern[end]))
  if (isOctal) return parseOctal(pattern, at)
  if (codePoint < 0x80 && !/[0-9A-Za-z]/.test(letter)) return { codePoint, end }
  return invalidEscape(pattern, at, end)
}

function isOctalDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '7'
}

function parseOctal(pattern: string, at: number): Character {
  let end = at + 2
  while (end < at + 4 && isOctalDigit(pattern[end])) end++
  return { codePoint: Number.parseInt(pattern.slice(at + 1, end), 8), end }
}

/** `\\x41` or `\\x{1F600}` */
function parseHexadecimal(pattern: string, at: number): Character {
  const isBraced = pattern[at + 2] === '{'
  const start = isBraced ? at + 3 : at + 2
  let [codePoint, end] = [0, start]
  while (isBraced ? pattern[end] !== '}' : end < start + 2) {
    const digit = Number.parseInt(pattern.charAt(end), 16)
    codePoint = codePoint * 16 + digit
    end += 1
    if (Number.isNaN(digit) || codePoint > 0x10ffff) return invalidEscape(pattern, at, end)
  }
  if (end === start) return invalidEscape(pattern, at, end + 1)
  return { codePoint, end: isBraced ? end + 1 : end }
}

function invalidEscape(pattern: string, at: number, end: number): never {
  throw new PatternFault('invalid escape sequence', pattern.slice(at, Math.min(end, pattern.length)))
}
