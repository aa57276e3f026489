import { createPool, Maglev } from '../../src/index.ts'

export interface SpoofOutcome {
  readonly size: number
  readonly capacity: number
  /** Bytes of heap and buffers held after the flood beyond those held when the tracker was full, both after a collection. */
  readonly grown: number
  /** Flows beyond the tracker's capacity that did not get their key's owner. */
  readonly wrong: number
  readonly flowsBefore: number
  /** Flows of before the flood that still have their backend after it and after a change of weights. */
  readonly keptFlows: number
}

/** `count` flows with addresses that nobody has pass a pool that tracks `capacity` of them. */
export function spoof(count: number, capacity: number, collect: () => void): SpoofOutcome {
  const ids = Array.from({ length: 100 }, (_, n) => `10.0.${n}.1:80`)
  const maglev = new Maglev(ids)
  const pool = createPool(maglev, { tracking: { capacity, ttl: '1h' } })
  const flow = (n: number): string => `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}:4711`
  const held = (): number => {
    collect()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const before = new Map<string, string>()
  for (let n = 0; n < 1000; n++) before.set(`real ${n}`, take(pool, `real ${n}`))
  for (let n = 0; n < 2 * capacity; n++) take(pool, flow(n))
  const full = held()
  let wrong = 0
  for (let n = 2 * capacity; n < count; n++) {
    const key = flow(n)
    if (take(pool, key) !== maglev.lookup(key)) wrong++
  }
  const grown = held() - full
  maglev.update({ weight: Object.fromEntries(ids.map((id, n) => [id, 1 + (n % 5)])) })
  let keptFlows = 0
  for (const [key, id] of before) if (take(pool, key) === id) keptFlows++
  const size = pool.stats().flows?.size ?? 0
  void pool[Symbol.asyncDispose]()
  return { size, capacity, grown, wrong, flowsBefore: before.size, keptFlows }
}

function take(pool: ReturnType<typeof createPool>, key: string): string {
  using lease = pool.acquire(key)
  return lease.id
}
