import { MaglevError } from './errors.ts'
import { fingerprintSecret } from './key-hash.ts'
import type { Sliced } from './mode/mode.ts'
import type { KeyHashName } from './options.ts'
import type { NamedTable } from './plan.ts'
import { noOwner } from './table/owners.ts'

/**
 * A table in shared memory, as a worker thread receives it; an opaque value for `attach`.
 *
 * Two buffers take turns: version v of the table is in buffer v mod 2. `control` holds [0] the version that serves and [1] the
 * version last begun. The writer announces v + 1 in [1], writes what differs into the idle buffer, and then sets [0]. So what a
 * reader took from version v's buffer is good if, after the reading, no version beyond v + 1 was begun.
 */
export interface SharedHandle {
  readonly kind: 'loadbearing:maglev:shared:1'
  readonly size: number
  readonly hash: KeyHashName
  readonly keySeed: bigint
  /** Tells a wrong secret from the right one, and nothing else about it. */
  readonly secretFingerprint: string | undefined
  readonly control: Int32Array<SharedArrayBuffer>
  /** Owners by slot: two buffers. */
  readonly owners: readonly [SharedOwners, SharedOwners]
  /** Ids by owner, each with its length in front (uint32, little-endian), after the number of ids: two buffers that grow. */
  readonly ids: readonly [SharedArrayBuffer, SharedArrayBuffer]
}

export type SharedOwners = Uint16Array<SharedArrayBuffer>

export const servingVersion = 0
export const begunVersion = 1
/** Of the list of ids: changes when the list does, so that readers decode it no more often. */
export const idsVersions = 2
export const controlLength = 4

const backendsMax = 0xfffe
const idsBytesMax = 2 ** 26
const nobody = 0xffff
const sliceSlots = 4096

/** The writing side: publishes tables into shared memory. */
export class SharedTable {
  readonly #control: Int32Array<SharedArrayBuffer> = new Int32Array(new SharedArrayBuffer(4 * controlLength))
  readonly #owners: readonly [SharedOwners, SharedOwners]
  readonly #ids: readonly [SharedArrayBuffer, SharedArrayBuffer]
  /** The list that each buffer of ids holds. */
  readonly #written: [readonly string[] | undefined, readonly string[] | undefined] = [undefined, undefined]
  #lists = 0

  constructor(size: number) {
    const owners = (): SharedOwners => new Uint16Array(new SharedArrayBuffer(size * 2)).fill(nobody)
    this.#owners = [owners(), owners()]
    const ids = (): SharedArrayBuffer => new SharedArrayBuffer(4, { maxByteLength: idsBytesMax })
    this.#ids = [ids(), ids()]
  }

  /**
   * Throws where `ids` cannot be published; then nothing has changed.
   *
   * @throws MaglevError `SHARED_TABLE_FULL`
   */
  check(ids: readonly string[]): void {
    const bytes = ids.reduce((sum, id) => sum + 4 + Buffer.byteLength(id), 4)
    if (ids.length <= backendsMax && bytes <= idsBytesMax) return
    throw new MaglevError(
      'SHARED_TABLE_FULL',
      `A shared table holds ${backendsMax} backends with ids of ${idsBytesMax} bytes in all, not ${ids.length} with ${bytes}`,
    )
  }

  /**
   * Writes the next table where nobody reads yet; `publish` makes it serve. It may be given up at any slice: the next one writes
   * over it.
   */
  *write({ ids, tables: { current } }: NamedTable): Sliced<void> {
    const version = Atomics.load(this.#control, servingVersion) + 1
    const side = version & 1 ? 1 : 0
    Atomics.store(this.#control, begunVersion, version)
    const owners = this.#owners[side]
    const none = noOwner(current)
    for (let slot = 0; slot < owners.length; slot++) {
      if (slot % sliceSlots === sliceSlots - 1) yield
      const owner = current[slot] ?? none
      const stored = owner === none ? nobody : owner
      // Atomic, so that no reader sees it before the announcement above; few slots differ from two versions ago.
      if (owners[slot] !== stored) Atomics.store(owners, slot, stored)
    }
    // Before the first version nobody reads: both buffers can be filled, and the second version is a small change as well.
    if (version === 1) this.#owners[0].set(owners)
    this.#writeIds(side, ids)
  }

  publish(): void {
    Atomics.add(this.#control, servingVersion, 1)
  }

  #writeIds(side: 0 | 1, ids: readonly string[]): void {
    const last = this.#written[side]
    if (last !== undefined && last.length === ids.length && ids.every((id, i) => id === last[i])) return
    const bytes = encodeIds(ids)
    const buffer = this.#ids[side]
    if (buffer.byteLength < bytes.length) buffer.grow(bytes.length)
    const shared = new Uint8Array(buffer)
    for (const [at, byte] of bytes.entries()) {
      if (shared[at] !== byte) Atomics.store(shared, at, byte)
    }
    this.#written[side] = ids
    const other = this.#written[1 - side]
    const same = other !== undefined && other.length === ids.length && ids.every((id, i) => id === other[i])
    const list = same ? Atomics.load(this.#control, idsVersions + (1 - side)) : ++this.#lists
    Atomics.store(this.#control, idsVersions + side, list)
  }

  handle(given: { hash: KeyHashName; keySeed: bigint; secret: Uint8Array | undefined }): SharedHandle {
    return {
      kind: 'loadbearing:maglev:shared:1',
      size: this.#owners[0].length,
      hash: given.hash,
      keySeed: given.keySeed,
      secretFingerprint: given.secret && fingerprintSecret(given.secret),
      control: this.#control,
      owners: this.#owners,
      ids: this.#ids,
    }
  }
}

function encodeIds(ids: readonly string[]): Uint8Array {
  const encoded = ids.map((id) => Buffer.from(id))
  const bytes = Buffer.alloc(encoded.reduce((sum, id) => sum + 4 + id.length, 4))
  bytes.writeUInt32LE(ids.length, 0)
  let at = 4
  for (const id of encoded) {
    bytes.writeUInt32LE(id.length, at)
    id.copy(bytes, at + 4)
    at += 4 + id.length
  }
  return bytes
}
