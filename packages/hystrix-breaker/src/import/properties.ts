import { ResilienceError, shown } from '../errors.ts'

/** A line of a properties file, with the number of the first line that it stands on. */
export interface Property {
  readonly key: string
  readonly value: string
  readonly line: number
}

/** Longest text that is read, in characters. */
const textMax = 1_000_000

/**
 * What java.util.Properties reads from a text: comments of `#` and `!`, continued lines, escapes, and `=`, `:` or space
 * after a key. Of a key that stands twice, both come.
 *
 * @throws ResilienceError `INVALID_CONFIG` naming the line.
 */
export function readProperties(text: string): Property[] {
  return logicalLines(text).map(({ content, line }) => {
    const split = /^((?:\\.|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*(.*)$/su.exec(content)
    const [, key = '', value = ''] = split ?? []
    return { key: unescaped(key, line), value: unescaped(value, line), line }
  })
}

/** @throws ResilienceError `INVALID_CONFIG` where it is no text, or too long. */
export function checkText(text: unknown): asserts text is string {
  if (typeof text !== 'string')
    throw new ResilienceError('INVALID_CONFIG', `What is read must be a text, not ${shown(text)}`)
  if (text.length > textMax)
    throw new ResilienceError(
      'INVALID_CONFIG',
      `What is read has ${text.length} characters, and may have ${textMax}`,
    )
}

function logicalLines(text: string): { content: string; line: number }[] {
  const lines: { content: string; line: number }[] = []
  let open: { parts: string[]; line: number } | undefined
  for (const [at, natural] of text.split(/\r\n|\n|\r/).entries()) {
    const content = natural.replace(/^[ \t\f]+/, '')
    if (open === undefined && (content === '' || content.startsWith('#') || content.startsWith('!'))) continue
    open ??= { parts: [], line: at + 1 }
    const goesOn = backslashesAtEnd(content) % 2 === 1
    open.parts.push(goesOn ? content.slice(0, -1) : content)
    if (goesOn) continue
    lines.push({ content: open.parts.join(''), line: open.line })
    open = undefined
  }
  if (open !== undefined) lines.push({ content: open.parts.join(''), line: open.line })
  return lines
}

function backslashesAtEnd(text: string): number {
  let count = 0
  while (text.at(-1 - count) === '\\') count++
  return count
}

const named: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescaped(text: string, line: number): string {
  return text.replaceAll(
    /\\(?:u([0-9a-fA-F]{4})|(.))/gsu,
    (_, unit: string | undefined, character: string) => {
      if (unit !== undefined) return String.fromCharCode(Number.parseInt(unit, 16))
      if (character === 'u')
        throw new ResilienceError(
          'INVALID_CONFIG',
          `line ${line}: \\u must be followed by four hexadecimal digits`,
        )
      return named[character] ?? character
    },
  )
}
