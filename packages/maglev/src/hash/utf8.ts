const scratchBytes = 4096
const scratch: Uint8Array = new Uint8Array(scratchBytes)
const encoder = new TextEncoder()

/** The bytes of the last {@link encodeKey}; valid up to the length it returned and until it is called again. */
export let encoded: Uint8Array = scratch

/**
 * Encodes `key` as UTF-8 into {@link encoded} and returns its length in bytes. A lone surrogate becomes U+FFFD, as in
 * `TextEncoder`. Nothing is allocated for keys of up to 1,365 characters.
 */
export function encodeKey(key: string): number {
  const { length } = key
  if (length * 3 > scratchBytes) {
    encoded = encoder.encode(key)
    return encoded.length
  }
  encoded = scratch
  for (let i = 0; i < length; i++) {
    const unit = key.charCodeAt(i)
    if (unit > 0x7f) return encodeRest(key, i)
    scratch[i] = unit
  }
  return length
}

function encodeRest(key: string, from: number): number {
  let at = from
  for (let i = from; i < key.length; i++) {
    let point = key.codePointAt(i) ?? 0
    if (point > 0xffff) i++
    else if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd
    if (point < 0x80) scratch[at++] = point
    else {
      if (point < 0x800) scratch[at++] = 0xc0 | (point >> 6)
      else {
        if (point < 0x10000) scratch[at++] = 0xe0 | (point >> 12)
        else {
          scratch[at++] = 0xf0 | (point >> 18)
          scratch[at++] = 0x80 | ((point >> 12) & 0x3f)
        }
        scratch[at++] = 0x80 | ((point >> 6) & 0x3f)
      }
      scratch[at++] = 0x80 | (point & 0x3f)
    }
  }
  return at
}

/** Orders strings as their UTF-8 bytes, which is the order of code points. */
export function compareUtf8(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    // UTF-16 puts surrogates (code points from U+10000 on) below U+E000; UTF-8 puts them above all.
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x2000 : unit
}
