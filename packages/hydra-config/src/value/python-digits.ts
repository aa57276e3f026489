/**
 * What Python's `int()` and `float()` read of a text: without the white space around it, the digits of every script as
 * those of ASCII (Unicode category Nd).
 */
export function asciiNumberText(text: string): string {
  if (/^[!-~]*$/.test(text)) return text
  let [start, end] = [0, text.length]
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  return text.slice(start, end).replace(/\p{Nd}/gu, asciiDigit)
}

/** As `str.isspace()`: JavaScript's white space without U+FEFF, with the separators U+001C to U+001F and U+0085. */
function isBlank(code: number): boolean {
  if ((code >= 0x1c && code <= 0x1f) || code === 0x85) return true
  return code !== 0xfeff && /\s/.test(String.fromCharCode(code))
}

/** Digits stand in runs of ten, from 0 to 9. */
function asciiDigit(character: string): string {
  const code = character.codePointAt(0) ?? 0
  let before = 0
  while (/^\p{Nd}$/u.test(String.fromCodePoint(code - before - 1))) before++
  return String(before % 10)
}
