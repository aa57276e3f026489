import { ZanzibarError } from '../../errors.ts'

/** Nesting that Go's JSON takes. */
const maxNesting = 10_000

/**
 * The first value of `text`, which Go's `encoding/json` reads before its fields are looked at.
 *
 * @throws ZanzibarError `validation_error`, in Go's words, where its syntax is wrong
 */
export function firstValue(text: string): string {
  const scan = scanner(text)
  const problem = problemOf(scan)
  if (problem !== undefined) throw new ZanzibarError('validation_error', problem)
  return text.slice(0, scan.at())
}

function problemOf(scan: Scanner): string | undefined {
  const open: ('{' | '[')[] = []
  for (;;) {
    const problem = valueStart(scan, open)
    if (problem === 'opened') continue
    if (problem !== undefined) return problem
    for (;;) {
      const around = open.at(-1)
      if (around === undefined) return undefined
      const after = afterValue(scan, around)
      if (after === 'next') break
      if (after !== 'closed') return after
      open.pop()
    }
  }
}

/** Whether `text` has nothing but white space, which is a body without fields. */
export function isBlank(text: string): boolean {
  return /^[ \t\r\n]*$/.test(text)
}

interface Scanner {
  /** The next character, white space left out; undefined at the end. */
  solid(): string | undefined
  /** The next character as it is. */
  take(): string | undefined
  back(): void
  at(): number
}

function scanner(text: string): Scanner {
  let at = 0
  return {
    take: () => text[at++],
    solid: () => {
      while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at++
      return text[at++]
    },
    back: () => {
      at--
    },
    at: () => at,
  }
}

const literals: Readonly<Record<string, string>> = { t: 'true', f: 'false', n: 'null' }
const cut = 'malformed JSON'

function valueStart(scan: Scanner, open: ('{' | '[')[]): string | undefined {
  const first = scan.solid()
  if (first === '{' || first === '[') return opened(scan, open, first)
  if (first === '"') return string(scan)
  const literal = first === undefined ? undefined : literals[first]
  if (literal !== undefined) return rest(scan, literal)
  if (first === '-' || (first !== undefined && /\d/.test(first))) return numeric(scan, first)
  return wrong(first, 'looking for beginning of value')
}

/** `opened` where a value comes next, undefined where it was closed again at once. */
function opened(scan: Scanner, open: ('{' | '[')[], bracket: '{' | '['): string | undefined {
  if (open.length >= maxNesting) return wrong(bracket, 'exceeded max depth')
  const next = scan.solid()
  if (next === (bracket === '{' ? '}' : ']')) return undefined
  open.push(bracket)
  scan.back()
  return bracket === '[' ? 'opened' : (key(scan) ?? 'opened')
}

function key(scan: Scanner): string | undefined {
  const quote = scan.solid()
  if (quote !== '"') return wrong(quote, 'looking for beginning of object key string')
  const problem = string(scan)
  if (problem !== undefined) return problem
  const colon = scan.solid()
  return colon === ':' ? undefined : wrong(colon, 'after object key')
}

function afterValue(scan: Scanner, around: '{' | '['): string {
  const next = scan.solid()
  if (next === (around === '{' ? '}' : ']')) return 'closed'
  if (next === ',') return around === '[' ? 'next' : (key(scan) ?? 'next')
  return wrong(next, around === '{' ? 'after object key:value pair' : 'after array element')
}

function string(scan: Scanner): string | undefined {
  for (;;) {
    const character = scan.take()
    if (character === '"') return undefined
    if (character === undefined) return cut
    if (character < ' ') return wrong(character, 'in string literal')
    const problem = character === '\\' ? escape(scan) : undefined
    if (problem !== undefined) return problem
  }
}

function escape(scan: Scanner): string | undefined {
  const letter = scan.take()
  if (letter !== 'u')
    return letter !== undefined && '"\\/bfnrt'.includes(letter)
      ? undefined
      : wrong(letter, 'in string escape code')
  for (let place = 0; place < 4; place++) {
    const digit = scan.take()
    if (digit === undefined || !/[0-9a-fA-F]/.test(digit))
      return wrong(digit, 'in \\u hexadecimal character escape')
  }
  return undefined
}

function rest(scan: Scanner, literal: string): string | undefined {
  for (const expected of literal.slice(1)) {
    const character = scan.take()
    if (character !== expected) return wrong(character, `in literal ${literal} (expecting '${expected}')`)
  }
  return undefined
}

function numeric(scan: Scanner, first: string): string | undefined {
  let next: string | undefined = first
  if (next === '-') {
    next = scan.take()
    if (!isDigit(next)) return wrong(next, 'in numeric literal')
  }
  next = next === '0' ? scan.take() : digits(scan)
  if (next === '.') {
    next = scan.take()
    if (!isDigit(next)) return wrong(next, 'after decimal point in numeric literal')
    next = digits(scan)
  }
  if (next === 'e' || next === 'E') {
    next = scan.take()
    if (next === '+' || next === '-') next = scan.take()
    if (!isDigit(next)) return wrong(next, 'in exponent of numeric literal')
    digits(scan)
  }
  scan.back()
  return undefined
}

/** The character after the digits. */
function digits(scan: Scanner): string | undefined {
  let next = scan.take()
  while (isDigit(next)) next = scan.take()
  return next
}

const isDigit = (character: string | undefined): boolean => character !== undefined && /^\d$/.test(character)

function wrong(character: string | undefined, where: string): string {
  return character === undefined ? cut : `invalid character ${quoted(character)} ${where}`
}

const goEscapes: Readonly<Record<string, string>> = {
  "'": "\\'",
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
  '\v': '\\v',
  '\u0007': '\\a',
}

// Go looks at bytes: of what is not ASCII it shows the first byte, as Latin-1.
function quoted(character: string): string {
  const byte = Buffer.from(character, 'utf8')[0] ?? 0
  const shown = String.fromCharCode(byte)
  const hidden = byte < 32 || byte === 127
  return `'${goEscapes[shown] ?? (hidden ? `\\x${byte.toString(16).padStart(2, '0')}` : shown)}'`
}
