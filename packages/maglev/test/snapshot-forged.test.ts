import { expect, test } from 'vitest'
import xxhash from 'xxhash-wasm'
import { Maglev } from '../src/index.ts'
import { restore, toBytes } from '../src/snapshot.ts'

const { h64Raw } = await xxhash()

/** With the checksum that belongs to it: what a faulty writer, not a torn disk, leaves behind. */
function sealed(body: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(body.length + 8)
  bytes.set(body)
  bytes.writeBigUInt64LE(h64Raw(body), body.length)
  return bytes
}

const bytes = toBytes(new Maglev(['a', 'b', 'c'], { tableSize: 251 }))
const body = bytes.subarray(0, -8)
const corrupt = expect.objectContaining({ code: 'SNAPSHOT_CORRUPT' })

test('what is sealed here is what was written', () => {
  expect(Buffer.compare(sealed(body), bytes)).toBe(0)
})

test('an owner that is another one is found out even where the checksum is right', () => {
  const altered = Uint8Array.from(body)
  const at = altered.length - 2
  altered[at] = ((altered[at] ?? 0) + 1) % 3
  expect(() => restore(sealed(altered))).toThrowError(corrupt)
})

test('so is what follows the end, and what is missing before it', () => {
  expect(() => restore(sealed(Buffer.concat([body, Buffer.alloc(1)])))).toThrowError(corrupt)
  expect(() => restore(sealed(body.subarray(0, -1)))).toThrowError(corrupt)
})
