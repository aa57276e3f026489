import { refuseHash, uint64Seed } from './checks.ts'
import { idWalks } from './id-walk.ts'
import type { Mode, ModeSettings } from './mode.ts'
import { fillProportionally } from './proportional.ts'

/**
 * The paper's table, built from the available backends alone: the most even one, at the price of moving some keys of healthy
 * backends on every change.
 */
export function classic({ size, seed }: ModeSettings): Mode {
  return {
    check: refuseHash,
    rank: () => 0n,
    walk: idWalks(size, uint64Seed(seed)),
    *build(roster) {
      const owners = yield* fillProportionally(roster, size)
      return { base: owners, current: owners }
    },
  }
}
