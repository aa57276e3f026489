import type { Roster } from './mode.ts'

/** What shares depend on. */
export interface Weighed extends Pick<Roster, 'ramps' | 'zones'> {
  readonly members: readonly { readonly weight: number; readonly zone?: string | undefined }[]
}

/**
 * Weight of each of `indexes` where zones have weights (Envoy's locality weights): a zone's part of the zones that have members,
 * available or not, divided among those in `indexes` by their own weights. Every double is computed in Envoy's order of
 * operations, because its tables depend on the last bit. Without zones there is one zone of weight 1.
 */
export function normalizedShares({ members, ramps, zones }: Weighed, indexes: Uint32Array): Float64Array {
  const zoneOf = (index: number): string | undefined => (zones ? members[index]?.zone : undefined)
  const weightOf = (index: number): number => (members[index]?.weight ?? 0) * (ramps?.[index] ?? 1)
  const sums = new Map<string | undefined, number>()
  // Zone by zone would be as right and, with one zone and a thousand members, slow.
  let [zone, sum]: [string | undefined, number] = [undefined, 0]
  for (let i = 0; i < indexes.length; i++) {
    const index = indexes[i] ?? 0
    const next = zoneOf(index)
    if (next !== zone) {
      sums.set(zone, sum)
      zone = next
      sum = sums.get(zone) ?? 0
    }
    sum += weightOf(index)
  }
  sums.set(zone, sum)
  let zonesSum = 0
  if (zones)
    for (const each of new Set(members.map((member) => member.zone))) zonesSum += zones.get(each ?? '') ?? 0
  const normalized = new Float64Array(indexes.length)
  for (let i = 0; i < indexes.length; i++) {
    const index = indexes[i] ?? 0
    const part = zones ? (zones.get(zoneOf(index) ?? '') ?? 0) / zonesSum : 1
    normalized[i] = (weightOf(index) * part) / (sums.get(zoneOf(index)) ?? 1)
  }
  return normalized
}

/** As they stand where zones have no weights: nothing is lost to rounding. */
export function shares(roster: Roster, indexes: Uint32Array): Float64Array {
  if (roster.zones) return normalizedShares(roster, indexes)
  const { members, ramps } = roster
  const weights = new Float64Array(indexes.length)
  for (let i = 0; i < indexes.length; i++) {
    const index = indexes[i] ?? 0
    weights[i] = (members[index]?.weight ?? 0) * (ramps?.[index] ?? 1)
  }
  return weights
}

export function allEqual(weights: Float64Array): boolean {
  return weights.every((weight) => weight === weights[0])
}
