import { encoded, encodeKey } from './hash/utf8.ts'
import { toBigint, word64 } from './hash/word64.ts'
import { xxh64 } from './hash/xxh64.ts'
import type { NamedTable } from './plan.ts'
import { noOwner } from './table/owners.ts'

/** XXH64, in 16 hex digits, over the XXH64 of each slot's owner's id (0 for none) in slot order. */
export function fingerprint({ ids, tables }: NamedTable): string {
  const { current } = tables
  const out = word64()
  const idHashes = ids.map((id) => {
    const length = encodeKey(id)
    xxh64(encoded, length, 0, 0, out)
    return toBigint(out)
  })
  const slots = new DataView(new ArrayBuffer(current.length * 8))
  const none = noOwner(current)
  for (let slot = 0; slot < current.length; slot++)
    slots.setBigUint64(slot * 8, idHashes[current[slot] ?? none] ?? 0n, true)
  xxh64(slots, slots.byteLength, 0, 0, out)
  return toBigint(out).toString(16).padStart(16, '0')
}
