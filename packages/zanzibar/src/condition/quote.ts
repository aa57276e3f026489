const letters: ReadonlyMap<string, string> = new Map([
  ['\u0007', '\\a'],
  ['\b', '\\b'],
  ['\f', '\\f'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
  ['\v', '\\v'],
  ['\\', '\\\\'],
  ['"', '\\"'],
])

/** A text in quotes, as Go's `%q` writes it: what cannot be printed is escaped. */
export function quote(text: string): string {
  return `"${Array.from(text, escape).join('')}"`
}

function escape(character: string): string {
  const letter = letters.get(character)
  if (letter !== undefined) return letter
  if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) return character
  const codePoint = character.codePointAt(0) ?? 0
  const digits = codePoint.toString(16)
  if (codePoint < 0x80) return `\\x${digits.padStart(2, '0')}`
  return codePoint > 0xffff ? `\\U${digits.padStart(8, '0')}` : `\\u${digits.padStart(4, '0')}`
}
