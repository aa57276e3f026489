const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
// Marked, as all that is made by more than a literal: bundles leave out what they do not use.
const codes: ReadonlyMap<string, number> = /* @__PURE__ */ codesOf(alphabet)

function codesOf(characters: string): ReadonlyMap<string, number> {
  return new Map(Array.from(characters, (character, code) => [character, code]))
}

/** Reads base64 as Python's `base64.decodebytes`: other characters are passed over; undefined where digits lack. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes: number[] = []
  let position = 0
  let padding = 0
  let left = 0
  for (const character of text) {
    if (character === '=') {
      padding++
      if (position >= 2 && position + padding >= 4) return Uint8Array.from(bytes)
      continue
    }
    const code = codes.get(character)
    if (code === undefined) continue
    padding = 0
    if (position > 0) bytes.push((((left << 6) | code) >> (6 - 2 * position)) & 0xff)
    left = code
    position = (position + 1) % 4
  }
  return position === 0 ? Uint8Array.from(bytes) : undefined
}

/** Writes base64 as Python's `base64.encodebytes`: lines of 76 characters, each with a line break. */
export function encodeBase64(bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += 3) {
    const [first = 0, second, third] = bytes.subarray(start, start + 3)
    const group = (first << 16) | ((second ?? 0) << 8) | (third ?? 0)
    text += alphabet.charAt(group >> 18) + alphabet.charAt((group >> 12) & 63)
    text += second === undefined ? '=' : alphabet.charAt((group >> 6) & 63)
    text += third === undefined ? '=' : alphabet.charAt(group & 63)
  }
  return text.replace(/.{1,76}/g, '$&\n')
}
