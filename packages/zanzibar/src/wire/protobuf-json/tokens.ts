import { ZanzibarError } from '../../errors.ts'

/** A token of JSON; `name` is a string that names a field. */
type TokenKind =
  | 'objectOpen'
  | 'objectClose'
  | 'arrayOpen'
  | 'arrayClose'
  | 'name'
  | 'string'
  | 'number'
  | 'bool'
  | 'null'
  | 'end'

export interface Token {
  readonly kind: TokenKind
  /** As it stands in the text. */
  readonly raw: string
  /** Index in the text. */
  readonly at: number
  /** Of a string or name, without its escapes. */
  readonly text: string
}

/** Reads the tokens of a JSON text one after the other, with the messages of Go's protobuf JSON for what is wrong. */
export interface TokenReader {
  read(): Token
  /** The token that `read` gives next. */
  peek(): Token
  /** @throws ZanzibarError `validation_error` at the token, saying where it stands */
  fail(token: Token, problem: string): never
  unexpected(token: Token): never
  /** Reads over one value. */
  skip(): void
  /** Goes one message deeper; {@link leave} comes back. */
  enter(): void
  leave(): void
}

/** Messages, lists and maps within each other. Go's own limit is 10,000; nothing that a model or a context says needs more than this. */
const maxDepth = 1000

const closers: Readonly<Record<string, TokenKind>> = { '}': 'objectClose', ']': 'arrayClose' }
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const plain = /[ !#-[\]-\ud7ff\ue000-\uffff]*/y
const afterWord = /[-+._a-zA-Z0-9]/y
const hex = /[0-9a-fA-F]{4}/y
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

export function tokenReader(text: string): TokenReader {
  let at = 0
  let depth = 0
  let ahead: Token | undefined
  const open: ('objectOpen' | 'arrayOpen')[] = []
  let last: TokenKind | 'comma' | 'start' = 'start'

  const invalid = (place: number, problem: string): never => {
    throw new ZanzibarError('validation_error', `syntax error (line ${position(text, place)}): ${problem}`)
  }
  // What is wrong with the syntax is said by `syntaxProblem`, as Go looks at it before.
  const malformed = (): never => {
    throw new ZanzibarError('validation_error', 'malformed JSON')
  }

  function next(): Token {
    skipSpace()
    const place = at
    const character = text[at]
    if (character === undefined) {
      if (open.length > 0 || last === 'start') malformed()
      return token('end', place)
    }
    if (character === ',') {
      at++
      if (open.length === 0 || !isValueEnd(last)) malformed()
      last = 'comma'
      return next()
    }
    const kind = kindAt(character, place)
    last = kind.kind
    return kind
  }

  function kindAt(character: string, place: number): Token {
    const valueNext = isValueNext()
    const closer = closers[character]
    if (closer !== undefined) {
      at++
      close(closer)
      return token(closer, place)
    }
    if (character === '{' || character === '[') {
      at++
      if (!valueNext) malformed()
      const kind = character === '{' ? 'objectOpen' : 'arrayOpen'
      open.push(kind)
      return token(kind, place)
    }
    if (character === '"') return stringAt(place, valueNext)
    const scalar = scalarAt(character, place)
    if (!valueNext) malformed()
    return scalar
  }

  function close(closer: TokenKind): void {
    const opener = closer === 'objectClose' ? 'objectOpen' : 'arrayOpen'
    if (open.at(-1) !== opener || last === 'comma' || last === 'name') malformed()
    open.pop()
  }

  function scalarAt(character: string, place: number): Token {
    for (const [literal, kind] of literals) {
      if (text.startsWith(literal, at) && !matches(afterWord, at + literal.length)) {
        at += literal.length
        return token(kind, place)
      }
    }
    if (/[-0-9]/.test(character)) {
      number.lastIndex = at
      const found = number.exec(text)?.[0]
      if (found !== undefined && !matches(afterWord, at + found.length)) {
        at += found.length
        return token('number', place)
      }
    }
    return malformed()
  }

  function stringAt(place: number, valueNext: boolean): Token {
    const content = stringContent(place)
    if (valueNext) return token('string', place, content)
    const raw = text.slice(place, at)
    if (last !== 'objectOpen' && last !== 'comma') malformed()
    skipSpace()
    if (text[at] !== ':') malformed()
    at++
    return { kind: 'name', raw, at: place, text: content }
  }

  function stringContent(place: number): string {
    at++
    let content = ''
    for (;;) {
      plain.lastIndex = at
      // It matches, nothing at least.
      plain.test(text)
      content += text.slice(at, plain.lastIndex)
      at = plain.lastIndex
      const character = text[at]
      if (character === undefined) return malformed()
      if (character === '"') {
        at++
        return content
      }
      if (character === '\\') content += escaped(place)
      else if (character < ' ') malformed()
      else content += pair(place)
    }
  }

  // Two halves of a code point; a half alone stands for a byte that is not UTF-8 (see `textOf`).
  function pair(place: number): string {
    const point = String.fromCodePoint(text.codePointAt(at) ?? 0)
    if (point.length === 1) invalid(place, 'invalid UTF-8 in string')
    at += 2
    return point
  }

  function escaped(place: number): string {
    const letter = text[at + 1]
    const simple = escapes[letter ?? '']
    if (simple !== undefined) {
      at += 2
      return simple
    }
    if (letter !== 'u' || !matches(hex, at + 2)) return malformed()
    const unit = Number.parseInt(text.slice(at + 2, at + 6), 16)
    at += 6
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit)
    const low = text.slice(at, at + 6)
    if (low.length < 6) return malformed()
    const second = low.startsWith('\\u') && matches(hex, at + 2) ? Number.parseInt(low.slice(2), 16) : 0
    if (unit > 0xdbff || second < 0xdc00 || second > 0xdfff)
      return invalid(place, `invalid escape code ${JSON.stringify(low)} in string`)
    at += 6
    return String.fromCharCode(unit, second)
  }

  function skipSpace(): void {
    for (;;) {
      const unit = text.charCodeAt(at)
      if (unit !== 32 && unit !== 10 && unit !== 13 && unit !== 9) return
      at++
    }
  }

  function isValueNext(): boolean {
    const around = open.at(-1)
    if (around === undefined) return last === 'start'
    return around === 'objectOpen' ? last === 'name' : last === 'arrayOpen' || last === 'comma'
  }

  const matches = (pattern: RegExp, place: number): boolean => {
    pattern.lastIndex = place
    return pattern.test(text)
  }
  const token = (kind: TokenKind, place: number, content = ''): Token => ({
    kind,
    raw: text.slice(place, at),
    at: place,
    text: content,
  })

  const reader: TokenReader = {
    read: () => {
      const given = ahead ?? next()
      ahead = undefined
      return given
    },
    peek: () => (ahead ??= next()),
    fail: ({ at: place }, problem) => {
      throw new ZanzibarError('validation_error', `(line ${position(text, place)}): ${problem}`)
    },
    unexpected: ({ at: place, raw }) => invalid(place, `unexpected token ${raw}`),
    skip: () => skipValue(reader, maxDepth - depth),
    enter: () => {
      if (++depth > maxDepth) tooDeep()
    },
    leave: () => {
      depth--
    },
  }
  return reader
}

const literals: readonly (readonly [string, TokenKind])[] = [
  ['null', 'null'],
  ['true', 'bool'],
  ['false', 'bool'],
]

function skipValue(reader: TokenReader, limit: number): void {
  let open = 0
  do {
    const { kind } = reader.read()
    if (kind === 'objectOpen' || kind === 'arrayOpen') {
      if (++open > limit) tooDeep()
    } else if (kind === 'objectClose' || kind === 'arrayClose') open--
  } while (open > 0)
}

function tooDeep(): never {
  throw new ZanzibarError('validation_error', 'exceeded max recursion depth')
}

function isValueEnd(kind: TokenKind | 'comma' | 'start'): boolean {
  return (
    kind !== 'objectOpen' && kind !== 'arrayOpen' && kind !== 'name' && kind !== 'comma' && kind !== 'start'
  )
}

/** Line and column, both from 1, the column in code points. */
function position(text: string, at: number): string {
  const before = text.slice(0, at)
  const line = before.split('\n').length
  const column = Array.from(before.slice(before.lastIndexOf('\n') + 1)).length + 1
  return `${line}:${column}`
}
