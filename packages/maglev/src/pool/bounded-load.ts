import type { Word64 } from '../hash/word64.ts'
import { Mt19937 } from './mt19937.ts'

/** What the hosts of a pool are doing, by index. */
export interface BoundedLoad {
  /** How many times its share of the load a host may have, 1 or more: 1.25 for a quarter above it. */
  readonly factor: number
  /** Active requests of all hosts. */
  readonly total: number
  readonly active: ArrayLike<number>
  /** Share of each host; all of them sum to 1. */
  readonly weights: ArrayLike<number>
}

/**
 * How many requests a host may have at once, the one that asks included: `ceil(factor * (total + 1) * weight)`, 1 at least. They
 * come to `total + 1` or more, so one of all hosts has room. Source: Mirrokni, Thorup and Zadimoghaddam, "Consistent hashing
 * with bounded loads" (2018), section 2.
 */
export function capacity({ factor, total, weights }: BoundedLoad, host: number): number {
  return Math.max(1, Math.ceil(factor * (total + 1) * (weights[host] ?? 0)))
}

/**
 * The first of `hosts` that has room, in their order; where none has, the one with the least load for its capacity; undefined
 * only for no hosts. `hosts` is read no further than to the answer.
 */
export function withinBound(load: BoundedLoad, hosts: Iterable<number>): number | undefined {
  let least: number | undefined
  let leastOverload = Number.POSITIVE_INFINITY
  for (const host of hosts) {
    const active = load.active[host] ?? 0
    const slots = capacity(load, host)
    if (active < slots) return host
    if (active / slots < leastOverload) {
      least = host
      leastOverload = active / slots
    }
  }
  return least
}

/**
 * Envoy's choice: `primary` while it is not overloaded, else the first that is not on a walk of its own for each hash, else the
 * least overloaded. It counts in whole percents and lets a host come to one above its slots. `load` lists the hosts in Envoy's
 * order. Source: envoyproxy/envoy, thread_aware_lb_impl.cc, `BoundedLoadHashingLoadBalancer`.
 */
export function envoyBound(load: BoundedLoad, primary: number, hash: Word64): number {
  const percent = Math.round(100 * load.factor)
  const slots = Math.floor(((load.total + 1) * percent + 99) / 100)
  const overload = (host: number): number =>
    (load.active[host] ?? 0) / Math.max(1, Math.ceil(slots * (load.weights[host] ?? 0)))
  let least = primary
  let leastOverload = overload(primary)
  if (leastOverload <= 1) return primary
  for (const host of shuffled(hash[0] ?? 0, load.weights.length)) {
    const found = overload(host)
    if (found <= 1) return host
    if (found < leastOverload) {
      least = host
      leastOverload = found
    }
  }
  return least
}

/** The order in which Envoy looks at `hosts` hosts for a hash of that low half: a Fisher-Yates shuffle by the Mersenne Twister. */
export function envoyWalk(seed: number, hosts: number): number[] {
  return [...shuffled(seed, hosts)]
}

function* shuffled(seed: number, hosts: number): Generator<number, void, undefined> {
  const random = new Mt19937(seed)
  const order = Uint32Array.from({ length: hosts }, (_, index) => index)
  for (let at = 0; at < hosts; at++) {
    const other = at + below(random, hosts - at)
    const host = order[other] ?? 0
    order[other] = order[at] ?? 0
    order[at] = host
    yield host
  }
}

/** Evenly one of 0 to `limit - 1`: what the division leaves over is drawn again. */
function below(random: Mt19937, limit: number): number {
  const width = Math.floor(2 ** 32 / limit)
  for (;;) {
    const drawn = Math.floor(random.next() / width)
    if (drawn < limit) return drawn
  }
}
