import { create, nodes, type PeerName } from './peers.ts'

/** How even the load is, and what a failure moves: no times, only counts. */

export interface Balance {
  readonly keys: number
  readonly peakOverMean: number
  /** The peak over the mean of a fair draw of as many keys. */
  readonly fair: { readonly mean: number; readonly sigma: number }
  /** 1 + 3 sigma of the load of one node, named beforehand, in such a draw; over the mean. */
  readonly oneNode: number
}

export function balance(peer: PeerName, count: number, keys: number, size: number): Balance {
  const balancer = create(peer, nodes(count), size)
  const counts = new Map<string | undefined, number>()
  for (let i = 0; i < keys; i++) {
    const owner = balancer.find(keyOf(i))
    counts.set(owner, (counts.get(owner) ?? 0) + 1)
  }
  return {
    keys,
    peakOverMean: Math.max(...counts.values()) / (keys / count),
    fair: fairPeak(count, keys),
    oneNode: 1 + 3 * Math.sqrt((1 - 1 / count) / (keys / count)),
  }
}

/** By simulation: the loads of a multinomial draw are nearly normal and independent at these numbers. */
function fairPeak(count: number, keys: number): Balance['fair'] {
  const mean = keys / count
  const deviation = Math.sqrt(mean * (1 - 1 / count))
  const random = generator(1)
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const peaks = Array.from({ length: 1000 }, () => {
    let peak = 0
    for (let node = 0; node < count; node++) peak = Math.max(peak, mean + deviation * normal())
    return peak / mean
  })
  const middle = peaks.reduce((sum, peak) => sum + peak, 0) / peaks.length
  const variance = peaks.reduce((sum, peak) => sum + (peak - middle) ** 2, 0) / (peaks.length - 1)
  return { mean: middle, sigma: Math.sqrt(variance) }
}

/** mulberry32: the same floor in every run. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export interface Disruption {
  readonly keys: number
  /** Part of the keys that had another owner than the failed one, and moved all the same. */
  readonly collateral: number
  /** Part of the keys that moved. */
  readonly moved: number
}

/** One node in a hundred fails, at least one. */
export function disruption(peer: PeerName, count: number, keys: number, size: number): Disruption {
  const ids = nodes(count)
  const balancer = create(peer, ids, size)
  const before = Array.from({ length: keys }, (_, i) => balancer.find(keyOf(i)))
  const failed = new Set(ids.slice(0, Math.max(1, Math.round(count / 100))))
  for (const id of failed) balancer.fail(id)
  let collateral = 0
  let moved = 0
  for (const [i, owner] of before.entries()) {
    if (balancer.find(keyOf(i)) === owner) continue
    moved += 1
    if (owner !== undefined && !failed.has(owner)) collateral += 1
  }
  return { keys, collateral: collateral / keys, moved: moved / keys }
}

/** 36 bytes, like a UUID. */
export function keyOf(i: number): string {
  const digits = (Math.imul(i + 1, 0x9e3779b1) >>> 0).toString(16).padStart(8, '0')
  return `${digits}-5eed-4bad-8bad-${String(i).padStart(12, '0')}`
}
