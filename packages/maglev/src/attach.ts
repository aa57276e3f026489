import { MaglevError, shown } from './errors.ts'
import { wantObject } from './given.ts'
import { fingerprintSecret, type Key, KeyHash, wantKeys } from './key-hash.ts'
import { readSecret } from './settings.ts'
import { begunVersion, controlLength, idsVersions, type SharedHandle, servingVersion } from './shared.ts'

/** A table that another thread builds. Answers come from the version that serves when they are asked for, or a newer one. */
export interface AttachedMaglev {
  readonly tableSize: number
  /** Counts the tables published; 1 is the first. */
  readonly version: number
  /** As `lookup` of `Maglev`, without retries. */
  lookup(key: Key): string | undefined
  /** As `lookupMany` of `Maglev`: all answers from one table. */
  lookupMany(keys: readonly Key[] | Uint32Array | Float64Array): (string | undefined)[]
}

/**
 * Opens, in a worker thread, the table that `share()` gave on another one. Looking up takes no lock and waits for nobody.
 *
 * @throws MaglevError `INVALID_OPTION` for something else than a handle; `SECRET_MISMATCH` where the table has a secret and this
 * is not it.
 */
export function attach(handle: SharedHandle, options: { secret?: Uint8Array | string } = {}): AttachedMaglev {
  if (!isHandle(handle)) {
    throw new MaglevError('INVALID_OPTION', `attach needs what share() returned, not ${shown(handle)}`)
  }
  wantObject('options', options)
  const secret = options.secret === undefined ? undefined : readSecret(options.secret)
  if ((secret && fingerprintSecret(secret)) !== handle.secretFingerprint) {
    throw new MaglevError(
      'SECRET_MISMATCH',
      secret ? 'This is not the secret of the table' : 'The table has a secret: give it to attach as well',
    )
  }
  return new Reader(handle, secret)
}

/** Another thread may be sent anything: what only calls itself a handle would be read as a table without owners. */
function isHandle(value: unknown): value is SharedHandle {
  if (typeof value !== 'object' || value === null) return false
  const given: { readonly [Name in keyof SharedHandle]?: unknown } = value
  const { kind, size, hash, keySeed, secretFingerprint, control, owners, ids } = given
  return (
    kind === 'loadbearing:maglev:shared:1' &&
    Number.isSafeInteger(size) &&
    (hash === 'xxh32' || hash === 'xxh64' || hash === 'siphash') &&
    typeof keySeed === 'bigint' &&
    (secretFingerprint === undefined || typeof secretFingerprint === 'string') &&
    control instanceof Int32Array &&
    isShared(control.buffer) &&
    control.length === controlLength &&
    isPair(owners, (each) => each instanceof Uint16Array && isShared(each.buffer) && each.length === size) &&
    isPair(ids, (each) => isShared(each) && each.byteLength >= 4)
  )
}

function isPair(value: unknown, is: (each: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(is)
}

function isShared(value: unknown): value is SharedArrayBuffer {
  return value instanceof SharedArrayBuffer
}

class Reader implements AttachedMaglev {
  readonly #handle: SharedHandle
  readonly #keyHash: KeyHash
  #ids: readonly string[] = []
  #idsVersion = 0

  constructor(handle: SharedHandle, secret: Uint8Array | undefined) {
    this.#handle = handle
    this.#keyHash = new KeyHash(handle.hash, handle.keySeed, secret)
  }

  get tableSize(): number {
    return this.#handle.size
  }

  get version(): number {
    return Atomics.load(this.#handle.control, servingVersion)
  }

  lookup(key: Key): string | undefined {
    const { control, owners, size } = this.#handle
    const slot = this.#keyHash.slot(key, size)
    // Ends: each further round means that two more tables were published meanwhile.
    for (;;) {
      const version = Atomics.load(control, servingVersion)
      const side = version & 1 ? 1 : 0
      const ids = this.#idsOf(side, version)
      const owner = Atomics.load(owners[side], slot)
      if (this.#isGood(version)) return ids[owner]
    }
  }

  lookupMany(keys: readonly Key[] | Uint32Array | Float64Array): (string | undefined)[] {
    wantKeys(keys)
    const { control, owners, size } = this.#handle
    const slots = Uint32Array.from(keys as readonly Key[], (key) => this.#keyHash.slot(key, size))
    for (;;) {
      const version = Atomics.load(control, servingVersion)
      const side = version & 1 ? 1 : 0
      const ids = this.#idsOf(side, version)
      const found = Array.from(slots, (slot) => ids[Atomics.load(owners[side], slot)])
      if (this.#isGood(version)) return found
    }
  }

  /** Whether what was read from `version`'s buffers since it served cannot have been written over. */
  #isGood(version: number): boolean {
    return Atomics.load(this.#handle.control, begunVersion) - version < 2
  }

  #idsOf(side: 0 | 1, version: number): readonly string[] {
    const list = Atomics.load(this.#handle.control, idsVersions + side)
    if (list === this.#idsVersion) return this.#ids
    const ids = decodeIds(this.#handle.ids[side])
    // Of a list that was written over while it was read, nothing is kept.
    if (!this.#isGood(version)) return []
    this.#ids = ids
    this.#idsVersion = list
    return ids
  }
}

/** Reads what `encodeIds` wrote; what is half written over gives some list or other, never an error. */
function decodeIds(buffer: SharedArrayBuffer): string[] {
  const shared = new Uint8Array(buffer)
  const bytes = Buffer.alloc(shared.length)
  for (let at = 0; at < bytes.length; at++) bytes[at] = Atomics.load(shared, at)
  const count = bytes.readUInt32LE(0)
  const ids: string[] = []
  for (let at = 4; ids.length < count && at + 4 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at)
    ids.push(bytes.toString('utf8', at + 4, at + 4 + length))
    at += 4 + length
  }
  return ids
}
