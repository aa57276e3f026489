const scratchBytes = 4096
const shortMax = 20
const scratch: Buffer = Buffer.allocUnsafeSlow(scratchBytes)
const scratchView = viewOf(scratch)

/** The bytes of the last {@link encodeKey}; valid up to the length it returned and until it is called again. */
export let encoded: DataView = scratchView

/** What the hashes of this folder read: V8 loads a whole word from a view. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * Puts the bytes of `key`, for a string its UTF-8, into {@link encoded} and returns their number. A lone surrogate becomes
 * U+FFFD, as in `TextEncoder`. Nothing is allocated for strings of up to 1,365 characters and up to 4,096 bytes.
 */
export function encodeKey(key: string | Uint8Array): number {
  if (typeof key === 'string') return encodeString(key)
  if (key.length > scratchBytes) encoded = viewOf(key)
  else {
    encoded = scratchView
    scratch.set(key)
  }
  return key.length
}

function encodeString(key: string): number {
  const { length } = key
  if (length * 3 > scratchBytes) {
    encoded = viewOf(Buffer.from(key))
    return encoded.byteLength
  }
  encoded = scratchView
  // Below this, reading unit by unit is faster than the call into the engine.
  if (length > shortMax) return scratch.write(key)
  for (let i = 0; i < length; i++) {
    const unit = key.charCodeAt(i)
    if (unit > 0x7f) return scratch.write(key)
    scratch[i] = unit
  }
  return length
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
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
