import { fill } from '../table/fill.ts'
import { freeOwners } from '../table/owners.ts'
import { roundRobin, weightedRounds } from '../table/turns.ts'
import { refuseHash, refuseSeed } from './checks.ts'
import { idWalks } from './id-walk.ts'
import { eligible, type Mode, type ModeSettings } from './mode.ts'
import { allEqual, normalizedShares } from './shares.ts'

/**
 * Envoy's table, slot for slot; the id is Envoy's hash key (metadata `envoy.lb/hash_key`, the hostname, or `ip:port`). Where
 * Envoy keeps a one-entry table for a single host, this one has all slots: every lookup agrees.
 *
 * Source: envoyproxy/envoy, load_balancing_policies/maglev/maglev_lb.cc and common/thread_aware_lb_impl.cc.
 */
export function envoy({ size, seed }: ModeSettings): Mode {
  refuseSeed('envoy', seed)
  return {
    check: refuseHash,
    rank: () => 0n,
    walk: idWalks(size, 0n),
    *build(roster) {
      const owners = freeOwners(size, roster.members.length)
      const hosts = eligible(roster)
      const hostShares = normalizedShares(roster, hosts)
      const members = hosts.filter((_, i) => (hostShares[i] ?? 0) > 0)
      const weights = hostShares.filter((share) => share > 0)
      if (members.length > 0) {
        const turns = allEqual(weights) ? roundRobin(members) : weightedRounds(members, weights, 0)
        yield* fill(owners, size, roster.members, turns)
      }
      return { base: owners, current: owners }
    },
  }
}
