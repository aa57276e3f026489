import { ZanzibarError } from '../../errors.ts'
import type { CommitLog } from './commit-log.ts'

/** Above every position of a log. */
const span = 2 ** 40

/**
 * The positions of changes as they are told. Of the commits that were compacted only a part is left: who reads them from the
 * beginning gets what makes up the store, but who had read some of them would miss the rest. So their positions are told as
 * negative numbers, of each compaction others, and every older position before the horizon is refused.
 */
export class Feed {
  readonly #log: CommitLog
  readonly #compactions: number

  /** @param compactions how many there were; of none, all changes are there */
  constructor(log: CommitLog, compactions: number) {
    this.#log = log
    this.#compactions = compactions
  }

  /** How a position in the log is told. */
  told(position: number): number {
    return position <= this.#log.archivedPositions ? position - this.#compactions * span : position
  }

  /**
   * The position in the log of one that was told.
   *
   * @throws ZanzibarError `token_expired` where changes after it, or after the revision, were forgotten
   */
  after(told: number, afterRevision: number): number {
    if (told < 0 && Math.ceil(-told / span) === this.#compactions) return told + this.#compactions * span
    const isForgotten =
      told === 0
        ? afterRevision > 0 && afterRevision < this.#log.archivedRevision
        : told < this.#log.archivedPositions
    if (!isForgotten) return told
    throw new ZanzibarError(
      'token_expired',
      'changes after that moment are no longer kept; read them from the beginning, or begin at a newer moment',
    )
  }
}
