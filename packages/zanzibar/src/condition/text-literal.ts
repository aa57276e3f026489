/** What a string or bytes literal says, or why it says nothing. */
export type Unquoted<T> = { readonly value: T } | { readonly problem: string }

const simpleEscapes: ReadonlyMap<string, string> = new Map([
  ['a', '\u0007'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
])

const hexadecimalLengths: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['X', 2],
  ['u', 4],
  ['U', 8],
])

/** Reads a token of the lexer with its quotes. Newlines in it count as `\n`, however they are written. */
export function unquoteString(token: string): Unquoted<string> {
  const { content, isRaw } = contentOf(token)
  if (isRaw || !content.includes('\\')) return { value: content }
  let text = ''
  for (const part of parts(content)) {
    if (typeof part === 'string') text += part
    else if (part.code > 0x10ffff || (part.code >= 0xd800 && part.code <= 0xdfff))
      return { problem: 'invalid unicode code point' }
    else text += String.fromCodePoint(part.code)
  }
  return { value: text }
}

/** As {@link unquoteString}, where `\x` and octal escapes are bytes. */
export function unquoteBytes(token: string): Unquoted<Uint8Array> {
  const { content, isRaw } = contentOf(token.slice(1))
  const encoder = new TextEncoder()
  if (isRaw) return { value: encoder.encode(content) }
  const bytes: number[] = []
  for (const part of parts(content)) {
    if (typeof part === 'string') bytes.push(...encoder.encode(part))
    else if (part.isUnicode) return { problem: 'unable to unescape string' }
    else bytes.push(part.code)
  }
  return { value: Uint8Array.from(bytes) }
}

function contentOf(token: string): { content: string; isRaw: boolean } {
  const isRaw = token[0] === 'r' || token[0] === 'R'
  const quoted = (isRaw ? token.slice(1) : token).replace(/\r\n?/g, '\n')
  const mark = quoted.charAt(0)
  const width = quoted.length >= 6 && quoted.startsWith(mark.repeat(3)) ? 3 : 1
  return { content: quoted.slice(width, -width), isRaw }
}

/** Stretches of plain text, and escapes that are numbers. */
function* parts(content: string): Generator<string | { code: number; isUnicode: boolean }> {
  let at = 0
  while (at < content.length) {
    const backslash = content.indexOf('\\', at)
    if (backslash !== at) {
      const end = backslash < 0 ? content.length : backslash
      yield content.slice(at, end)
      at = end
      continue
    }
    const letter = content.charAt(at + 1)
    const length = hexadecimalLengths.get(letter)
    if (length !== undefined) {
      const code = Number.parseInt(content.slice(at + 2, at + 2 + length), 16)
      yield { code, isUnicode: length > 2 }
      at += 2 + length
    } else if (letter >= '0' && letter <= '3') {
      yield { code: Number.parseInt(content.slice(at + 1, at + 4), 8), isUnicode: false }
      at += 4
    } else {
      yield simpleEscapes.get(letter) ?? letter
      at += 2
    }
  }
}
