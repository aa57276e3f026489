import { Maglev } from '../../src/index.ts'

export interface KeyedSpread {
  /** Keys that the attacker aimed at one backend with the public hash, and that the unkeyed table sends there. */
  readonly aimed: number
  /** For each secret, how many of them the keyed table sends there, against a fair draw. */
  readonly spreads: readonly { readonly count: number; readonly mean: number; readonly sigma: number }[]
}

/** An attacker who knows the backends and the public hash crafts `keys` keys for one of ten backends, offline. */
export function keyedSpread(keys: number, secrets: number): KeyedSpread {
  const ids = Array.from({ length: 10 }, (_, n) => `10.0.0.${n}:80`)
  const target = '10.0.0.3:80'
  const offline = new Maglev(ids)
  const crafted: string[] = []
  for (let n = 0; crafted.length < keys; n++) {
    if (offline.lookup(`attack ${n}`) === target) crafted.push(`attack ${n}`)
  }
  const unkeyed = new Maglev(ids)
  const mean = keys / ids.length
  const sigma = Math.sqrt(mean * (1 - 1 / ids.length))
  return {
    aimed: crafted.filter((key) => unkeyed.lookup(key) === target).length,
    spreads: Array.from({ length: secrets }, (_, n) => {
      const secret = new Uint8Array(16).map((zero, at) => zero + 97 * n + 31 * at)
      const keyed = new Maglev(ids, { secret })
      return { count: crafted.filter((key) => keyed.lookup(key) === target).length, mean, sigma }
    }),
  }
}
