import { createHash } from 'node:crypto'

/** Where a bank dies in a request to pay: it has received it, begun with it, applied it, or kept the answer to its key. */
export type DeathPoint = 'received' | 'begun' | 'applied' | 'kept'

/** What fills the script of a bank's deaths. */
export interface Deaths {
  readonly times: number
  /** How many requests to pay it answers before: the fewest and the most. */
  readonly after: readonly [fewest: number, most: number]
  readonly at: readonly DeathPoint[]
}

/** The end of one life of the bank; undefined: it lives on. The same for the same seed and life, which count from 0. */
export function deathOf(
  deaths: Deaths | null,
  seed: number,
  life: number,
): { readonly after: number; readonly at: DeathPoint } | undefined {
  if (deaths === null || life >= deaths.times) return undefined
  const drawn = createHash('sha256').update(`death ${seed} ${life}`).digest()
  const [fewest, most] = deaths.after
  const at = deaths.at[drawn.readUInt32BE(4) % deaths.at.length]
  return at && { after: fewest + (drawn.readUInt32BE(0) % (most - fewest + 1)), at }
}
