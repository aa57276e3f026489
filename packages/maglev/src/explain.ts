import { toBigint, type Word64 } from './hash/word64.ts'
import type { Tables } from './mode/mode.ts'
import { replicaMembers, type Takers } from './replicas.ts'

/** Why a key goes where it goes. */
export interface Explanation {
  /** The key's hash, 16 hex digits. */
  readonly hash: string
  readonly slot: number
  /** Where the key belongs while every backend is available (modes with a base; else as `owner`). */
  readonly baseOwner: string | undefined
  /** Where it goes now. */
  readonly owner: string | undefined
  /**
   * `base`: its base owner is available. `reassigned`: it is not, and the slot was given away. `none`: no backend is available.
   */
  readonly reason: 'base' | 'reassigned' | 'none'
  /** The backends it would go to in turn, as `replicas`, at most 16: owner first. */
  readonly preference: readonly string[]
}

const preferenceMax = 16

export function explain(given: {
  slot: number
  word: Word64
  ids: readonly string[]
  tables: Tables
  takers: Takers
}): Explanation {
  const { slot, word, ids, tables, takers } = given
  const baseOwner = ids[tables.base[slot] ?? ids.length]
  const owner = ids[tables.current[slot] ?? ids.length]
  return {
    hash: toBigint(word).toString(16).padStart(16, '0'),
    slot,
    baseOwner,
    owner,
    reason: owner === undefined ? 'none' : owner === baseOwner ? 'base' : 'reassigned',
    preference: replicaMembers(tables, takers, slot, word, preferenceMax).map((index) => ids[index] ?? ''),
  }
}
