import { apportion } from '../table/apportion.ts'
import { fill } from '../table/fill.ts'
import { countSlots, freeBeyond } from '../table/free.ts'
import { refuseHash, uint64Seed } from './checks.ts'
import { idWalks } from './id-walk.ts'
import { eligible, type Mode, type ModeSettings, type Roster, type Sliced, type Tables } from './mode.ts'
import { fillProportionally, quotaTurns } from './proportional.ts'
import { shares } from './shares.ts'

/**
 * The paper's table of all configured backends, kept as a base; while some are unavailable, only their slots have other owners.
 *
 * (a) A slot whose base owner is available belongs to it: a backend that fails or comes back moves no key between others that
 *     are up, except keys that were away from their base owner already.
 * (b) The table depends on the configured and the available set alone, not on how they came about.
 * (c) The slots given away even the load out: each available backend comes as near to its share as (a) allows.
 *
 * Source of the idea: Rebuild of dgryski/go-maglev.
 */
export function stable({ size, seed }: ModeSettings): Mode {
  return {
    check: refuseHash,
    rank: () => 0n,
    walk: idWalks(size, uint64Seed(seed)),
    *build(roster, lastBase) {
      const everyone = {
        ...roster,
        available: new Uint8Array(roster.members.length).fill(1),
        ramps: undefined,
      }
      const base = lastBase ?? (yield* fillProportionally(everyone, size))
      return yield* reassign(roster, base)
    },
  }
}

/**
 * Gives the slots of unavailable members, and those that ramping ones do not have yet, to the others: the fewer slots one has of
 * its share, the more of them. A ramping member keeps the first of its slots, so that each step of a ramp only adds to what it
 * has; it gets more only where all are ramping.
 */
function* reassign(roster: Roster, base: Tables['base']): Sliced<Tables> {
  const { available, ramps } = roster
  if (ramps === undefined && available.every((flag) => flag === 1)) return { base, current: base }
  const counts = yield* countSlots(base, roster.members.length)
  const limits = counts.map((count, index) =>
    available[index] === 1 ? Math.ceil(count * (ramps?.[index] ?? 1)) : 0,
  )
  const { owners, free } = yield* freeBeyond(base, limits)
  yield
  const members = eligible(roster)
  const all = shares(roster, members)
  const whole = all.map((weight, i) => ((ramps?.[members[i] ?? 0] ?? 1) < 1 ? 0 : weight))
  const weights = whole.some((weight) => weight > 0) ? whole : all
  if (free > 0 && weights.some((weight) => weight > 0)) {
    const held = members.map((index) => limits[index] ?? 0)
    const quotas = apportion(base.length, weights, held)
    yield
    const turns = quotaTurns(
      members,
      quotas.map((quota, i) => quota - (held[i] ?? 0)),
    )
    yield
    yield* fill(owners, free, roster.members, turns)
  }
  return { base, current: owners }
}
