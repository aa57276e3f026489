/** The owner of each slot, as an index into the table's members; 16 bits where they do, since half the size is half the cache. */
export type Owners = Uint16Array | Uint32Array

/** A table of `size` slots that nobody owns yet. */
export function freeOwners(size: number, members: number): Owners {
  return members < 0xffff ? new Uint16Array(size).fill(0xffff) : new Uint32Array(size).fill(0xffffffff)
}

/** What stands in a slot without an owner. */
export function noOwner(owners: Owners): number {
  return owners.BYTES_PER_ELEMENT === 2 ? 0xffff : 0xffffffff
}
