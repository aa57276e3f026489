import { MaglevError, shown } from '../errors.ts'
import { siphash24 } from '../hash/siphash.ts'
import { encoded, encodeKey, viewOf } from '../hash/utf8.ts'
import { type Word64, word64 } from '../hash/word64.ts'
import type { Key } from '../key-hash.ts'

/** Room for a flow's own bytes; a pair of IPv6 addresses with ports, as text, takes 95. */
const keyBytes = 128
/** Stands for the length of a flow that is an integer, which no text of eight bytes shall be taken for. */
const integerLength = 0xff
const none = -1

/**
 * Remembers which backend a flow went to, so that it stays there when the table moves. Source: the connection tracking table of
 * the Maglev paper, section 3.3.
 *
 * All memory is taken at the start. A flow is found by its hash and then by its own bytes, and forgotten when it has not been
 * asked for during `ttl`. Nobody is evicted before: when the table is full a new flow is not remembered, nor is ever one of more
 * than 128 bytes, and the table of slots answers for them. The hash is keyed, so that nobody can choose flows that collide.
 *
 * Pure: time is an argument, in milliseconds of a clock that never goes back.
 */
export class FlowTracker {
  readonly capacity: number
  readonly #ttl: number
  readonly #secret: Uint32Array
  /** Open addressing with linear probing, at most half full: the entry plus 1, 0 for none. */
  readonly #slots: Uint32Array
  readonly #hashes: Uint32Array
  readonly #keys: Uint8Array
  readonly #lengths: Uint8Array
  readonly #ids: (string | undefined)[]
  readonly #until: Float64Array
  /** Entries in the order of their last use, which is the order in which they expire; unused ones are linked by `newer`. */
  readonly #older: Int32Array
  readonly #newer: Int32Array
  #oldest: number = none
  #newest: number = none
  #unused = 0
  #size = 0
  readonly #flows: Map<string, number> = new Map()
  readonly #word: Word64 = word64()

  /** `capacity` flows, `ttl` in milliseconds, `secret` of 16 bytes that nobody else knows. */
  constructor({ capacity, ttl }: { readonly capacity: number; readonly ttl: number }, secret: Uint8Array) {
    this.capacity = capacity
    this.#ttl = ttl
    const secretView = viewOf(secret)
    this.#secret = Uint32Array.from({ length: 4 }, (_, index) => secretView.getUint32(index * 4, true))
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * capacity)))
    this.#hashes = new Uint32Array(capacity)
    this.#keys = new Uint8Array(capacity * keyBytes)
    this.#lengths = new Uint8Array(capacity)
    this.#ids = Array.from({ length: capacity }, () => undefined)
    this.#until = new Float64Array(capacity)
    this.#older = new Int32Array(capacity)
    this.#newer = Int32Array.from({ length: capacity }, (_, entry) =>
      entry + 1 < capacity ? entry + 1 : none,
    )
  }

  /** Flows that are remembered; some may have expired since `expire` was called. */
  get size(): number {
    return this.#size
  }

  /** How many of them are with that backend. */
  flowsOf(id: string): number {
    return this.#flows.get(id) ?? 0
  }

  /**
   * The backend of a flow, whose time begins anew; undefined where it is not known, has expired, or its backend is not `usable`:
   * then it is forgotten.
   *
   * @throws MaglevError `INVALID_KEY`
   */
  find(flow: Key, now: number, usable: (id: string) => boolean): string | undefined {
    const slot = this.#search(readFlow(flow))
    if (slot === none) return undefined
    const entry = this.#entryAt(slot)
    const id = this.#ids[entry]
    if (id === undefined || (this.#until[entry] ?? 0) <= now || !usable(id)) {
      this.#remove(entry, slot)
      return undefined
    }
    this.#use(entry, now)
    return id
  }

  /**
   * Remembers, from now on, where a flow goes. False where there is no room.
   *
   * @throws MaglevError `INVALID_KEY`
   */
  track(flow: Key, id: string, now: number): boolean {
    const length = readFlow(flow)
    const slot = this.#search(length)
    if (slot !== none) {
      const entry = this.#entryAt(slot)
      this.#assign(entry, id)
      this.#use(entry, now)
      return true
    }
    if (length === none) return false
    if (this.#size === this.capacity && !this.#expireOldest(now)) return false
    this.#insert(length, id, now)
    return true
  }

  /** Forgets a flow, for one that has ended. Whether it was known. */
  forget(flow: Key): boolean {
    const slot = this.#search(readFlow(flow))
    if (slot === none) return false
    this.#remove(this.#entryAt(slot), slot)
    return true
  }

  /** Forgets all that has expired; how many that were. */
  expire(now: number): number {
    const before = this.#size
    while (this.#expireOldest(now));
    return before - this.#size
  }

  #expireOldest(now: number): boolean {
    const entry = this.#oldest
    if (entry === none || (this.#until[entry] ?? 0) > now) return false
    this.#remove(entry, this.#slotOf(entry))
    return true
  }

  /** Slot of the flow that was read, none where it is not known; its hash is then in `#word`. */
  #search(length: number): number {
    if (length === none) return none
    siphash24(flowBytes, bytesOf(length), this.#secret, this.#word)
    const hash = this.#word[0] ?? 0
    const mask = this.#slots.length - 1
    for (let slot = hash & mask; this.#slots[slot] !== 0; slot = (slot + 1) & mask) {
      const entry = this.#entryAt(slot)
      if (this.#hashes[entry] === hash && this.#lengths[entry] === length && this.#sameKey(entry, length)) {
        return slot
      }
    }
    return none
  }

  #sameKey(entry: number, length: number): boolean {
    const begin = entry * keyBytes
    const end = bytesOf(length)
    for (let i = 0; i < end; i++) if (this.#keys[begin + i] !== flowBytes.getUint8(i)) return false
    return true
  }

  /** Takes an unused entry for the flow that was read and searched for in vain. */
  #insert(length: number, id: string, now: number): void {
    const entry = this.#unused
    this.#unused = this.#newer[entry] ?? none
    const hash = this.#word[0] ?? 0
    this.#hashes[entry] = hash
    this.#lengths[entry] = length
    for (let i = bytesOf(length) - 1; i >= 0; i--) this.#keys[entry * keyBytes + i] = flowBytes.getUint8(i)
    const mask = this.#slots.length - 1
    let slot = hash & mask
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
    this.#slots[slot] = entry + 1
    this.#size++
    this.#assign(entry, id)
    this.#append(entry, now)
  }

  #remove(entry: number, slot: number): void {
    this.#close(slot)
    this.#detach(entry)
    this.#assign(entry, undefined)
    this.#newer[entry] = this.#unused
    this.#unused = entry
    this.#size--
  }

  /** Empties a slot and moves up the entries after it that a search would no longer come to. */
  #close(slot: number): void {
    const mask = this.#slots.length - 1
    let hole = slot
    for (let at = (slot + 1) & mask; this.#slots[at] !== 0; at = (at + 1) & mask) {
      const home = (this.#hashes[this.#entryAt(at)] ?? 0) & mask
      if (((at - home) & mask) < ((at - hole) & mask)) continue
      this.#slots[hole] = this.#slots[at] ?? 0
      hole = at
    }
    this.#slots[hole] = 0
  }

  #slotOf(entry: number): number {
    const mask = this.#slots.length - 1
    let slot = (this.#hashes[entry] ?? 0) & mask
    while (this.#slots[slot] !== entry + 1) slot = (slot + 1) & mask
    return slot
  }

  #entryAt(slot: number): number {
    return (this.#slots[slot] ?? 0) - 1
  }

  #assign(entry: number, id: string | undefined): void {
    const last = this.#ids[entry]
    if (last !== undefined) {
      const left = this.flowsOf(last) - 1
      if (left === 0) this.#flows.delete(last)
      else this.#flows.set(last, left)
    }
    if (id !== undefined) this.#flows.set(id, this.flowsOf(id) + 1)
    this.#ids[entry] = id
  }

  #use(entry: number, now: number): void {
    this.#detach(entry)
    this.#append(entry, now)
  }

  #append(entry: number, now: number): void {
    this.#until[entry] = now + this.#ttl
    this.#older[entry] = this.#newest
    this.#newer[entry] = none
    if (this.#newest === none) this.#oldest = entry
    else this.#newer[this.#newest] = entry
    this.#newest = entry
  }

  #detach(entry: number): void {
    const older = this.#older[entry] ?? none
    const newer = this.#newer[entry] ?? none
    if (older === none) this.#oldest = newer
    else this.#newer[older] = newer
    if (newer === none) this.#newest = older
    else this.#older[newer] = older
  }
}

const integer = new DataView(new ArrayBuffer(8))

/** The bytes of the flow that was read last. */
let flowBytes: DataView = integer

/** Reads a flow into `flowBytes`; its length, `none` where that is more than is kept, `integerLength` for an integer. */
function readFlow(flow: Key): number {
  if (typeof flow === 'string') {
    const length = encodeKey(flow)
    flowBytes = encoded
    return length > keyBytes ? none : length
  }
  if (flow instanceof Uint8Array) {
    flowBytes = viewOf(flow)
    return flow.length > keyBytes ? none : flow.length
  }
  const whole = typeof flow === 'number' && Number.isSafeInteger(flow) ? BigInt(flow) : flow
  if (typeof whole !== 'bigint' || BigInt.asUintN(64, whole) !== whole) {
    throw new MaglevError(
      'INVALID_KEY',
      `A flow is a string, bytes, a whole number from 0 to 2^53 - 1 or a bigint below 2^64, not ${shown(flow)}`,
    )
  }
  integer.setBigUint64(0, whole, true)
  flowBytes = integer
  return integerLength
}

function bytesOf(length: number): number {
  return length === integerLength ? 8 : length
}
