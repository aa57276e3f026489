import { type Cursor, isBlankOrEnd, isBreakOrEnd, isSpaceOrEnd, restOfLine } from './cursor.ts'
import { type Mark, yamlError } from './errors.ts'
import type { Directive, TagReference, Token } from './token.ts'

const word = /[0-9A-Za-z_-]*/y
const digits = /[0-9]*/y
const uriPart = /[0-9A-Za-z\-;/?:@&=+$,_.!~*'()[\]]*/y

/** Reads `&name` or `*name`. */
export function scanAnchor(cursor: Cursor): Token {
  const start = cursor.mark()
  const type = cursor.peek() === '*' ? 'alias' : 'anchor'
  cursor.forward()
  const name = cursor.take(word)
  const next = cursor.peek()
  if (name === '' || !(isBlankOrEnd(next) || '?:,]}%@`'.includes(next)))
    throw unexpected(cursor, `an ${type}`)
  return { type, name, start, end: cursor.mark() }
}

/** Reads `!`, `!suffix`, `!handle!suffix` or `!<uri>`. */
export function scanTag(cursor: Cursor): Token {
  const start = cursor.mark()
  const tag = scanTagReference(cursor)
  if (!isSpaceOrEnd(cursor.peek())) throw unexpected(cursor, 'a tag')
  return { type: 'tag', tag, start, end: cursor.mark() }
}

function scanTagReference(cursor: Cursor): TagReference {
  if (cursor.peek(1) === '<') {
    cursor.forward(2)
    const suffix = scanUri(cursor)
    if (cursor.peek() !== '>') throw unexpected(cursor, 'a tag')
    cursor.forward()
    return { suffix }
  }
  if (isBlankOrEnd(cursor.peek(1))) {
    cursor.forward()
    return { suffix: '!' }
  }
  let length = 1
  while (!isSpaceOrEnd(cursor.peek(length)) && cursor.peek(length) !== '!') length++
  if (cursor.peek(length) === '!') {
    const handle = scanTagHandle(cursor)
    return { handle, suffix: scanUri(cursor) }
  }
  cursor.forward()
  return { handle: '!', suffix: scanUri(cursor) }
}

function scanTagHandle(cursor: Cursor): string {
  if (cursor.peek() !== '!') throw unexpected(cursor, 'the handle of a tag')
  cursor.forward()
  if (cursor.peek() === ' ') {
    // PyYAML takes the space itself as the end of the handle.
    cursor.forward()
    return '! '
  }
  const name = cursor.take(word)
  if (cursor.peek() !== '!') throw unexpected(cursor, 'the handle of a tag')
  cursor.forward()
  return `!${name}!`
}

function scanUri(cursor: Cursor): string {
  let uri = ''
  for (;;) {
    uri += cursor.take(uriPart)
    if (cursor.peek() !== '%') break
    uri += scanUriEscapes(cursor)
  }
  if (uri === '') throw unexpected(cursor, 'a tag')
  return uri
}

function scanUriEscapes(cursor: Cursor): string {
  const start = cursor.mark()
  const bytes: number[] = []
  while (cursor.peek() === '%') {
    const code = cursor.peek(1) + cursor.peek(2)
    if (!/^[0-9A-Fa-f]{2}$/.test(code)) throw unexpected(cursor, 'an escape of a tag')
    bytes.push(Number.parseInt(code, 16))
    cursor.forward(3)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes))
  } catch {
    throw yamlError('ScannerError', 'the escapes of a tag are not UTF-8', start)
  }
}

/** Reads a line that starts with `%`. */
export function scanDirective(cursor: Cursor): Token {
  const start = cursor.mark()
  cursor.forward()
  const name = cursor.take(word)
  if (name === '' || !isSpaceOrEnd(cursor.peek())) throw unexpected(cursor, 'a directive')
  const directive = scanDirectiveValue(cursor, name)
  const end: Mark = cursor.mark()
  cursor.skipSpaces()
  cursor.skipComment()
  if (!isBreakOrEnd(cursor.peek())) throw unexpected(cursor, 'a directive')
  cursor.takeBreak()
  return { type: 'directive', directive, start, end }
}

function scanDirectiveValue(cursor: Cursor, name: string): Directive {
  if (name === 'YAML') {
    cursor.skipSpaces()
    const major = cursor.take(digits)
    if (major === '' || cursor.peek() !== '.') throw unexpected(cursor, 'a YAML directive')
    cursor.forward()
    const minor = cursor.take(digits)
    if (minor === '' || !isSpaceOrEnd(cursor.peek())) throw unexpected(cursor, 'a YAML directive')
    return { name, major: BigInt(major) }
  }
  if (name === 'TAG') {
    cursor.skipSpaces()
    const handle = scanTagHandle(cursor)
    if (cursor.peek() !== ' ') throw unexpected(cursor, 'a TAG directive')
    cursor.skipSpaces()
    const prefix = scanUri(cursor)
    if (!isSpaceOrEnd(cursor.peek())) throw unexpected(cursor, 'a TAG directive')
    return { name, handle, prefix }
  }
  cursor.take(restOfLine)
  return { name: 'other' }
}

function unexpected(cursor: Cursor, what: string): Error {
  const found = cursor.peek() === '\0' ? 'the end' : JSON.stringify(cursor.peek())
  return yamlError('ScannerError', `${found} cannot stand in ${what}`, cursor.mark())
}
