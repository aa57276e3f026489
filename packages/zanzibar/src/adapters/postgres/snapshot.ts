import { ZanzibarError } from '../../errors.ts'
import { nextTurn } from '../../ports.ts'
import { ledByOne, type Onward, type Read, type Snapshot, type Wanted } from '../../store/snapshot.ts'
import type { Tuple } from '../../tuple/tuple.ts'
import type { Row } from '../rows.ts'
import { isTooLong, type PostgresQuerier, rowsOf, type Statement } from './client.ts'
import { KnownTuples } from './known-tuples.ts'
import { orAborted } from './or-aborted.ts'
import { type Bounds, reading, readingRows } from './reading.ts'

/** Which tuples of which store are seen. */
export interface PostgresView {
  readonly store: number
  readonly revision: number
  /** Milliseconds since 1970, for what expires. */
  readonly now: number
  readonly latestModel: string | undefined
}

/** What goes to the server in one statement. */
interface Round {
  readonly reads: Map<string, Read>
  onward: Onward | undefined
  readonly done: Promise<void>
}

/** Tuples at one revision; what was fetched is at hand until the snapshot is released. */
export class PostgresSnapshot implements Snapshot {
  readonly #querier: PostgresQuerier
  readonly #view: PostgresView
  readonly #bounds: Bounds
  readonly #isExpired: () => boolean
  readonly #known: KnownTuples
  #next: Round | undefined

  constructor(
    querier: PostgresQuerier,
    view: PostgresView,
    {
      known,
      bounds,
      isExpired,
    }: { readonly known: KnownTuples; readonly bounds: Bounds; readonly isExpired: () => boolean },
  ) {
    this.#querier = querier
    this.#view = view
    this.#known = known
    this.#bounds = bounds
    this.#isExpired = isExpired
  }

  get revision(): number {
    return this.#view.revision
  }

  get latestModel(): string | undefined {
    return this.#view.latestModel
  }

  at(read: Read): readonly Tuple[] | undefined {
    return this.#known.at(read)
  }

  /** What is asked for in one turn of the event loop is fetched together, whoever asks. */
  async fetch(reads: readonly Read[], signal?: AbortSignal, onward?: Onward): Promise<void> {
    signal?.throwIfAborted()
    const missing = reads.filter((read) => this.#known.at(read) === undefined)
    if (missing.length === 0) return
    this.#next ??= this.#nextRound()
    // Of many questions one leads the way, and all of it; the others go on from there.
    this.#next.onward = this.#next.reads.size === 0 ? onward : ledByOne(this.#next.onward ?? onward)
    for (const read of missing) this.#next.reads.set(JSON.stringify(read), read)
    const { done } = this.#next
    await orAborted(done, signal)
  }

  #nextRound(): Round {
    const reads = new Map<string, Read>()
    const round: Round = { reads, onward: undefined, done: nextTurn().then(() => this.#send(round)) }
    // Who asked may have given it up.
    round.done.catch(() => {})
    return round
  }

  async #send({ reads, onward }: Round): Promise<void> {
    this.#next = undefined
    await this.#read([...reads.values()], onward)
  }

  async #read(reads: readonly Read[], onward: Onward | undefined): Promise<void> {
    await this.#take({ reads, onward }).catch((error: unknown) => {
      if (!isTooLong(error)) throw error
      return this.#take({ reads: reads.filter(({ kind }) => kind === 'tuple') })
    })
    for (const read of reads) {
      if (read.kind === 'tuple' || this.#known.at(read) !== undefined) continue
      this.#known.takeRows(read, await this.#rowsOf(readingRows(this.#view, read, this.#bounds)))
    }
  }

  async #take(wanted: Wanted): Promise<void> {
    if (wanted.reads.length === 0) return
    this.#known.take(wanted, await this.#rowsOf(reading(this.#view, wanted, this.#bounds)))
  }

  async #rowsOf(statement: Statement): Promise<readonly Row[]> {
    if (!this.#isExpired()) return await rowsOf(this.#querier, statement)
    throw new ZanzibarError(
      'token_expired',
      `revision ${this.revision} is no longer kept: it was read for longer than the history is`,
    )
  }

  release(): void {
    this.#known.clear()
  }
}
