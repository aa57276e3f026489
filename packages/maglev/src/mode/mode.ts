import type { ConfiguredBackend } from '../backend.ts'
import type { Owners } from '../table/owners.ts'

export type ModeName = 'stable' | 'classic' | 'envoy' | 'cilium' | 'katran-v1' | 'katran-v2' | 'go-maglev'

/** A backend as the table sees it. */
export interface Member {
  readonly id: string
  readonly weight: number
  readonly zone: string | undefined
  readonly hash: bigint | undefined
  /** Members take turns by rank, those of one rank by the UTF-8 bytes of their ids. */
  readonly rank: bigint
  /** Offset and skip of its preference list; one pair, or one for each nested permutation. */
  readonly walk: Uint32Array
}

/** What a table is built from, besides the mode. */
export interface Roster {
  /** In order of turns. */
  readonly members: readonly Member[]
  /** 1 for each member that keys may go to. */
  readonly available: Uint8Array
  /** Part of its slots that each member has for now; undefined where all have all. */
  readonly ramps: Float64Array | undefined
  readonly zones: ReadonlyMap<string, number> | undefined
}

export interface Tables {
  /** Owners as if every backend were available; the array of `current` where that makes no difference. */
  readonly base: Owners
  /** Owners now. */
  readonly current: Owners
}

/** A build in slices: each `next()` works for some ten microseconds; the last one gives the result. */
export type Sliced<Result> = Generator<undefined, Result, undefined>

/** What a kind of table is made for. */
export interface ModeSettings {
  readonly size: number
  readonly seed: bigint | string | undefined
}

/** The rules of one kind of table. */
export interface Mode {
  /** Refuses a backend that this kind of table cannot weigh or place. */
  check(backend: ConfiguredBackend): void
  rank(backend: ConfiguredBackend): bigint
  walk(backend: ConfiguredBackend): Uint32Array
  /** `base` is the base of a table of the same members, where there is one. */
  build(roster: Roster, base: Owners | undefined): Sliced<Tables>
}

/** Indexes of the members that are available and have a weight. */
export function eligible({ members, available }: Roster): Uint32Array {
  const indexes: number[] = []
  for (const [index, member] of members.entries()) {
    if (available[index] === 1 && member.weight > 0) indexes.push(index)
  }
  return Uint32Array.from(indexes)
}
