import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareUtf8, encoded, encodeKey } from './utf8.ts'

/** Any UTF-16 units, lone surrogates among them. */
const text = fc
  .array(
    fc.oneof(
      fc.integer({ min: 0, max: 0xffff }),
      fc.integer({ min: 0, max: 0x7f }),
      fc.constantFrom(0xd83d, 0xde00),
    ),
    {
      maxLength: 60,
    },
  )
  .map((units) => String.fromCharCode(...units))

function bytesOf(key: string): number[] {
  const length = encodeKey(key)
  return [...new Uint8Array(encoded.buffer, encoded.byteOffset, length)]
}

test('keys are encoded as by TextEncoder, lone surrogates included', () => {
  fc.assert(
    fc.property(text, (key) => {
      expect(bytesOf(key)).toEqual([...new TextEncoder().encode(key)])
    }),
    { numRuns: 1000 },
  )
})

test('keys longer than the scratch space are encoded as well', () => {
  for (const length of [1365, 1366, 70_000]) {
    const key = '\u{1f600}é'.repeat(length)
    expect(bytesOf(key)).toEqual([...new TextEncoder().encode(key)])
  }
})

test('ids are ordered as their bytes are', () => {
  fc.assert(
    fc.property(
      text.map((key) => key.toWellFormed()),
      text.map((key) => key.toWellFormed()),
      (a, b) => {
        expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
      },
    ),
    { numRuns: 2000 },
  )
  expect(compareUtf8('\u{1f600}', '\ufffd')).toBeGreaterThan(0)
})
