import { murmur3, siphash, xxh64 } from './hash.ts'

/**
 * The tables of the peers, brute force: every preference list is walked with `bigint` arithmetic as the paper and the
 * peers' descriptions state it. Quadratic in places, and shares no line with `src/`.
 */

export interface ModelBackend {
  readonly id: string
  readonly weight?: number
  readonly zone?: string
  readonly hash?: bigint
}

/** A backend's taste: the slot that it wants at its j-th try. */
type Preference = (j: bigint) => bigint

const utf8 = new TextEncoder()
const none = -1

/** Slots, each the index of its owner in the list of backends as given, -1 for none. */
export type Owners = number[]

class Filling {
  readonly owners: Owners
  left: number
  private readonly tried: bigint[]
  private readonly preferences: readonly Preference[]

  constructor(owners: Owners, preferences: readonly Preference[]) {
    this.owners = owners
    this.left = owners.filter((owner) => owner === none).length
    this.preferences = preferences
    this.tried = preferences.map(() => 0n)
  }

  /** Gives `backend` its next slot that is still free. */
  take(backend: number, owner: number = backend): void {
    for (;;) {
      const slot = Number(this.preferences[backend]?.(this.tried[backend]!++))
      if (this.owners[slot] === none) {
        this.owners[slot] = owner
        this.left -= 1
        return
      }
    }
  }
}

const line =
  (offset: bigint, skip: bigint, size: bigint): Preference =>
  (j) =>
    (offset + j * skip) % size

const empty = (size: number): Owners => Array.from({ length: size }, () => none)

/** Paper, section 3.4, from offsets and skips. */
export function paperTable(
  size: number,
  backends: readonly (readonly [offset: bigint, skip: bigint])[],
): Owners {
  const filling = new Filling(
    empty(size),
    backends.map(([offset, skip]) => line(offset, skip, BigInt(size))),
  )
  for (let turn = 0; filling.left > 0; turn++) filling.take(turn % backends.length)
  return filling.owners
}

/** Order of UTF-8 bytes. */
function sorted(backends: readonly ModelBackend[]): number[] {
  return backends
    .map((_, index) => index)
    .toSorted((a, b) => Buffer.compare(Buffer.from(backends[a]!.id), Buffer.from(backends[b]!.id)))
}

export function envoyTable(
  size: number,
  backends: readonly ModelBackend[],
  zones?: Readonly<Record<string, number>>,
): Owners {
  const share = envoyShares(backends, zones)
  const order = sorted(backends).filter((index) => share[index]! > 0)
  const owners = empty(size)
  if (order.length === 0) return owners
  const m = BigInt(size)
  const filling = new Filling(
    owners,
    order.map((index) => {
      const key = utf8.encode(backends[index]!.id)
      return line(xxh64(key, 0n) % m, (xxh64(key, 1n) % (m - 1n)) + 1n, m)
    }),
  )
  const max = Math.max(...order.map((index) => share[index]!))
  const target = order.map(() => 0)
  for (let iteration = 1; ; iteration++) {
    for (const [position, index] of order.entries()) {
      if (iteration * share[index]! < target[position]!) continue
      target[position]! += max
      filling.take(position, index)
      if (filling.left === 0) return owners
    }
  }
}

function envoyShares(backends: readonly ModelBackend[], zones?: Readonly<Record<string, number>>): number[] {
  const weight = (index: number): number => backends[index]!.weight ?? 1
  const members = Map.groupBy(backends.keys(), (index) =>
    zones === undefined ? '' : (backends[index]!.zone ?? ''),
  )
  const zoneWeight = (zone: string): number =>
    zones === undefined ? 1 : Object.hasOwn(zones, zone) ? zones[zone]! : 0
  // A zone that has no host is none that Envoy knows of.
  const zoneSum = [...members.keys()].reduce((sum, zone) => sum + zoneWeight(zone), 0)
  const shares = backends.map(() => 0)
  for (const [zone, indexes] of members) {
    const sum = indexes.reduce((total, index) => total + weight(index), 0)
    if (zoneWeight(zone) === 0 || sum === 0) continue
    for (const index of indexes) shares[index] = (weight(index) * (zoneWeight(zone) / zoneSum)) / sum
  }
  return shares
}

export function ciliumTable(size: number, backends: readonly ModelBackend[], seed: string): Owners {
  const order = sorted(backends)
  const owners = empty(size)
  if (order.length === 0) return owners
  const m = BigInt(size)
  const murmurSeed = BigInt(Buffer.from(seed, 'base64').readUInt32BE(0))
  const filling = new Filling(
    owners,
    order.map((index) => {
      const [h1, h2] = murmur3(utf8.encode(backends[index]!.id), murmurSeed)
      return line(h1 % m, (h2 % (m - 1n)) + 1n, m)
    }),
  )
  const weights = order.map((index) => backends[index]!.weight ?? 1)
  const sum = weights.reduce((total, weight) => total + weight, 0)
  const counter = weights.map((weight) => weight / order.length)
  const weighted = Math.floor(sum / order.length) > 1
  for (let n = 0; n < size; n++) {
    let i = n % order.length
    if (weighted) {
      while ((n + 1) * weights[i]! < Math.trunc(counter[i]!)) i = (i + 1) % order.length
      counter[i]! += sum
    }
    filling.take(i, order[i])
  }
  return owners
}

export function katranTable(version: 1 | 2, size: number, backends: readonly ModelBackend[]): Owners {
  const owners = empty(size)
  const hashes = backends.map(({ hash }) => hash ?? 0n)
  const order = backends
    .map((_, index) => index)
    .filter((index) => (backends[index]!.weight ?? 1) > 0)
    .toSorted((a, b) => (hashes[a]! < hashes[b]! ? -1 : hashes[a]! > hashes[b]! ? 1 : 0))
  if (order.length === 0) return owners
  if (order.length === 1) return owners.fill(order[0]!)
  const r = BigInt(size)
  const mixed = (hash: bigint, salt: bigint, seed: bigint): bigint => {
    const words = new DataView(new ArrayBuffer(16))
    words.setBigUint64(0, hash, true)
    words.setBigUint64(8, salt, true)
    return murmur3(new Uint8Array(words.buffer), seed)[0]
  }
  const filling = new Filling(
    owners,
    order.map((index) => {
      const offset = mixed(hashes[index]!, 42n, 0n) % r
      const skip = (mixed(hashes[index]!, 2718281828n, 2307n) % (r - 1n)) + 1n
      return (j) => BigInt.asUintN(32, offset + j * skip) % r
    }),
  )
  const weights = order.map((index) => backends[index]!.weight ?? 1)
  const max = Math.max(...weights)
  const saved = weights.map(() => 0)
  for (let round = 0; ; round++) {
    for (const [position, index] of order.entries()) {
      let turns = 1
      if (version === 1) turns = round === 0 ? weights[position]! : 1
      else {
        saved[position]! += weights[position]!
        turns = saved[position]! >= max ? 1 : 0
        saved[position]! -= turns * max
      }
      for (; turns > 0; turns--) {
        filling.take(position, index)
        if (filling.left === 0) return owners
      }
    }
  }
}

/** dgryski/go-maglev with its `Rebuild(dead)`; strength 3 is its default. */
export function goMaglevTable(
  size: number,
  backends: readonly ModelBackend[],
  dead: ReadonlySet<string> = new Set(),
  strength = 3,
): Owners {
  const owners = empty(size)
  const key = 0xdeadbeefcafebaben
  const hash = (index: number, j: bigint): bigint => siphash(key, j, utf8.encode(backends[index]!.id))
  const byBytes = sorted(backends)
  const first = backends.map((_, index) => hash(index, 0n))
  const order = byBytes.toSorted((a, b) => (first[a]! < first[b]! ? -1 : first[a]! > first[b]! ? 1 : 0))
  if (order.length === 0) return owners
  const p = BigInt(primeFrom(size))
  const preferences = order.map((index): Preference => {
    const maps = Array.from({ length: strength }, (_, j) => hash(index, BigInt(j))).map(
      (h) => [(h >> 32n) % p, ((h & 0xffff_ffffn) % (p - 1n)) + 1n] as const,
    )
    return (j) => maps.reduce((c, [offset, skip]) => (offset + skip * c) % p, j)
  })
  const filling = new Filling(owners, preferences)
  for (let turn = 0; filling.left > 0; turn++) filling.take(turn % order.length, order[turn % order.length])
  if (dead.size === 0) return owners

  const alive = order
    .keys()
    .filter((position) => !dead.has(backends[order[position]!]!.id))
    .toArray()
    .toReversed()
  const freed = new Set(backends.keys().filter((index) => dead.has(backends[index]!.id)))
  const rest = owners.map((owner) => (freed.has(owner) ? none : owner))
  if (alive.length === 0) return rest
  const refill = new Filling(rest, preferences)
  for (let turn = 0; refill.left > 0; turn++) {
    const position = alive[turn % alive.length]!
    refill.take(position, order[position])
  }
  return rest
}

function primeFrom(least: number): number {
  const prime = (n: number): boolean => {
    for (let d = 2; d * d <= n; d++) if (n % d === 0) return false
    return n > 1
  }
  // go-maglev's own test of primality takes 2 and 3 for composite.
  let n = Math.max(5, least)
  while (!prime(n)) n += 1
  return n
}
