import { viewOf } from '../hash/utf8.ts'
import { toBigint, word64 } from '../hash/word64.ts'
import { xxh64 } from '../hash/xxh64.ts'
import {
  corrupt,
  formatVersion,
  type RecordedBackend,
  recordedHashes,
  recordedHealths,
  recordedModes,
  type SnapshotRecord,
} from './record.ts'

const magic = 'MGLV'
const checksumBytes = 8

/** Bits of the flags of a table, and of a backend. */
const has = { starved: 1, seed: 2, secret: 4, zones: 8, wide: 16 } as const
const backendHas = { zone: 1, hash: 2 } as const

export function encodeBytes(record: SnapshotRecord): Uint8Array {
  const { seed, secretFingerprint, zones, backends, owners } = record
  const wide = backends.length >= 0xffff
  const out = new Writer()
  for (const letter of magic) out.u8(letter.charCodeAt(0))
  out.u8(formatVersion)
  out.u8(recordedModes.indexOf(record.mode))
  out.u8(recordedHashes.indexOf(record.hash))
  out.u8(
    (record.allowStarved ? has.starved : 0) |
      (seed === undefined ? 0 : has.seed) |
      (secretFingerprint === undefined ? 0 : has.secret) |
      (zones === undefined ? 0 : has.zones) |
      (wide ? has.wide : 0),
  )
  out.u32(record.tableSize)
  if (seed !== undefined) out.text(seed)
  if (secretFingerprint !== undefined) out.text(secretFingerprint)
  if (zones !== undefined) {
    out.u32(zones.size)
    for (const [zone, weight] of zones) {
      out.text(zone)
      out.f64(weight)
    }
  }
  out.u32(backends.length)
  for (const backend of backends) writeBackend(out, backend)
  for (const owner of owners) {
    if (wide) out.u32(owner === -1 ? 0xffffffff : owner)
    else out.u16(owner === -1 ? 0xffff : owner)
  }
  out.u64(checksum(out.bytes()))
  return out.bytes()
}

export function decodeBytes(bytes: Uint8Array): SnapshotRecord {
  if (!(bytes instanceof Uint8Array) || bytes.length < magic.length + checksumBytes)
    throw corrupt('it is too short')
  const body = bytes.subarray(0, bytes.length - checksumBytes)
  if (checksum(body) !== viewOf(bytes).getBigUint64(body.length, true)) {
    throw corrupt('its checksum does not match; it was cut or altered')
  }
  const input = new Reader(body)
  for (const letter of magic) {
    if (input.u8() !== letter.charCodeAt(0)) throw corrupt(`it does not begin with ${magic}`)
  }
  const version = input.u8()
  if (version !== formatVersion) throw corrupt(`its format is version ${version}, not ${formatVersion}`)
  const mode = listed(recordedModes, input.u8(), 'mode')
  const hash = listed(recordedHashes, input.u8(), 'hash')
  const flags = input.u8()
  const tableSize = input.u32()
  const seed = flags & has.seed ? input.text() : undefined
  const secretFingerprint = flags & has.secret ? input.text() : undefined
  const zones =
    flags & has.zones ? new Map(input.times(() => [input.text(), input.f64()] as const)) : undefined
  const backends = input.times(() => readBackend(input))
  const owners = readOwners(input, tableSize, (flags & has.wide) !== 0)
  input.end()
  const allowStarved = (flags & has.starved) !== 0
  return { mode, tableSize, hash, seed, secretFingerprint, zones, allowStarved, backends, owners }
}

/** XXH64 with seed 0. */
function checksum(bytes: Uint8Array): bigint {
  const out = word64()
  xxh64(viewOf(bytes), bytes.length, 0, 0, out)
  return toBigint(out)
}

function writeBackend(out: Writer, { id, weight, zone, hash, health, ramp }: RecordedBackend): void {
  out.text(id)
  out.f64(weight)
  out.f64(ramp)
  out.u8(recordedHealths.indexOf(health))
  out.u8((zone === undefined ? 0 : backendHas.zone) | (hash === undefined ? 0 : backendHas.hash))
  if (zone !== undefined) out.text(zone)
  if (hash !== undefined) out.u64(hash)
}

function readBackend(input: Reader): RecordedBackend {
  const id = input.text()
  const weight = input.f64()
  const ramp = input.f64()
  const health = listed(recordedHealths, input.u8(), 'health')
  const flags = input.u8()
  const zone = flags & backendHas.zone ? input.text() : undefined
  const hash = flags & backendHas.hash ? input.u64() : undefined
  return { id, weight, zone, hash, health, ramp }
}

function readOwners(input: Reader, size: number, wide: boolean): Int32Array {
  if (input.left !== size * (wide ? 4 : 2)) throw corrupt(`it does not hold the owners of ${size} slots`)
  const none = wide ? 0xffffffff : 0xffff
  return Int32Array.from({ length: size }, () => {
    const owner = wide ? input.u32() : input.u16()
    return owner === none ? -1 : owner
  })
}

function listed<Item>(items: readonly Item[], index: number, what: string): Item {
  const item = items[index]
  if (item === undefined) throw corrupt(`it has an unknown ${what}`)
  return item
}

class Writer {
  #view: DataView<ArrayBuffer> = new DataView(new ArrayBuffer(65_536))
  #at = 0

  u8(value: number): void {
    const at = this.#claim(1)
    this.#view.setUint8(at, value)
  }

  u16(value: number): void {
    const at = this.#claim(2)
    this.#view.setUint16(at, value, true)
  }

  u32(value: number): void {
    const at = this.#claim(4)
    this.#view.setUint32(at, value, true)
  }

  u64(value: bigint): void {
    const at = this.#claim(8)
    this.#view.setBigUint64(at, value, true)
  }

  f64(value: number): void {
    const at = this.#claim(8)
    this.#view.setFloat64(at, value, true)
  }

  text(value: string): void {
    const bytes = Buffer.from(value)
    this.u32(bytes.length)
    const at = this.#claim(bytes.length)
    new Uint8Array(this.#view.buffer).set(bytes, at)
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.#view.buffer.slice(0, this.#at))
  }

  /** Makes room for `length` more bytes, and returns where they go; the view may be another one after it. */
  #claim(length: number): number {
    const at = this.#at
    this.#at += length
    if (this.#at > this.#view.byteLength) {
      const grown = this.#view.buffer.transfer(Math.max(this.#at, this.#view.byteLength * 2))
      this.#view = new DataView(grown)
    }
    return at
  }
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = viewOf(bytes)
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true)
  }

  f64(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  text(): string {
    const length = this.u32()
    const at = this.#take(length)
    return Buffer.from(this.#bytes.subarray(at, at + length)).toString('utf8')
  }

  /** As many items as the count in front of them. */
  times<Item>(read: () => Item): Item[] {
    const items: Item[] = []
    for (let left = this.u32(); left > 0; left--) items.push(read())
    return items
  }

  end(): void {
    if (this.left !== 0) throw corrupt(`${this.left} bytes follow its end`)
  }

  #take(length: number): number {
    if (length > this.left) throw corrupt('it ends in the middle')
    const at = this.#at
    this.#at += length
    return at
  }
}
