import { refuseHash, uint64Seed } from './checks.ts'
import { idWalk } from './id-walk.ts'
import type { Mode, ModeSettings } from './mode.ts'
import { fillProportionally } from './proportional.ts'

/**
 * The paper's table, built from the available backends alone: the most even one, at the price of moving some keys of healthy
 * backends on every change.
 */
export function classic({ size, seed }: ModeSettings): Mode {
  const firstSeed = uint64Seed(seed)
  return {
    check: refuseHash,
    rank: () => 0n,
    walk: ({ id }) => idWalk(id, size, firstSeed),
    *build(roster) {
      const owners = yield* fillProportionally(roster, size)
      return { base: owners, current: owners }
    },
  }
}
