import { ZanzibarError } from '../../errors.ts'
import { nextTurn } from '../../ports.ts'
import type { Read, Snapshot } from '../../store/snapshot.ts'
import type { Tuple } from '../../tuple/tuple.ts'
import { afterType, numberOf, tupleOf } from '../rows.ts'
import { type PostgresQuerier, rowsOf } from './client.ts'

/** Which tuples of which store are seen. */
export interface PostgresView {
  readonly store: number
  readonly revision: number
  /** Milliseconds since 1970, for what expires. */
  readonly now: number
}

const isSeen = `t.store = $1 AND t.created <= $2 AND t.removed > $2 AND (t.expires_at IS NULL OR t.expires_at > $3)`
const columns = 'k.n, t.object, t.relation, t."user", t.condition, t.context'

// Always true. PostgreSQL takes it for rare, and so an array of unknown length for one of few elements: else it would expect
// so many that it planned the statement anew each time, which takes longer than to run it.
const few = 'WHERE k.n = k.n + 0'

// One index scan for each that is asked for, in one statement: nothing is joined the other way round.
const fetching = {
  name: 'zanzibar_fetch',
  text: `
    SELECT ${columns} FROM unnest($4::int[], $5::text[], $6::text[], $7::bool[], $8::text[])
      AS k(n, object, relation, is_userset, "user")
      CROSS JOIN LATERAL (SELECT * FROM zanzibar_tuple t WHERE ${isSeen} AND t.object = k.object
        AND t.relation = k.relation AND t.is_userset = k.is_userset AND t."user" = k."user" OFFSET 0) t ${few}
    UNION ALL
    SELECT ${columns} FROM unnest($9::int[], $10::text[], $11::text[], $12::int[]) AS k(n, object, relation, rows)
      CROSS JOIN LATERAL (SELECT * FROM zanzibar_tuple t WHERE ${isSeen} AND t.object = k.object
        AND t.relation = k.relation AND t.is_userset LIMIT k.rows) t ${few}
    UNION ALL
    SELECT ${columns} FROM unnest($13::int[], $14::text[], $15::text[], $16::int[]) AS k(n, object, relation, rows)
      CROSS JOIN LATERAL (SELECT * FROM zanzibar_tuple t WHERE ${isSeen} AND t.object = k.object
        AND t.relation = k.relation LIMIT k.rows) t ${few}
    UNION ALL
    SELECT ${columns} FROM unnest($17::int[], $18::text[], $19::text[], $20::text[], $21::text[], $22::int[])
      AS k(n, "user", relation, first, after, rows)
      CROSS JOIN LATERAL (SELECT * FROM zanzibar_tuple t WHERE ${isSeen} AND t."user" = k."user"
        AND t.relation = k.relation AND t.object >= k.first AND t.object < k.after LIMIT k.rows) t ${few}`,
}

/** What goes to the server in one statement. */
interface Round {
  readonly reads: Map<string, Read>
  readonly done: Promise<void>
}

/** Tuples at one revision; what was fetched is at hand until the snapshot is released. */
export class PostgresSnapshot implements Snapshot {
  readonly #querier: PostgresQuerier
  readonly #view: PostgresView
  readonly #isExpired: () => boolean
  readonly #known = new Map<string, Tuple[]>()
  #next: Round | undefined

  constructor(querier: PostgresQuerier, view: PostgresView, isExpired: () => boolean) {
    this.#querier = querier
    this.#view = view
    this.#isExpired = isExpired
  }

  get revision(): number {
    return this.#view.revision
  }

  at(read: Read): readonly Tuple[] | undefined {
    return this.#known.get(keyOf(read))
  }

  /** What is asked for in one turn of the event loop is fetched together, whoever asks. */
  async fetch(reads: readonly Read[], signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const missing = reads.filter((read) => !this.#known.has(keyOf(read)))
    if (missing.length === 0) return
    this.#next ??= this.#nextRound()
    for (const read of missing) this.#next.reads.set(keyOf(read), read)
    const { done } = this.#next
    await (signal === undefined ? done : orAborted(done, signal))
  }

  #nextRound(): Round {
    const reads = new Map<string, Read>()
    const done = (async (): Promise<void> => {
      await nextTurn()
      this.#next = undefined
      await this.#read([...reads])
    })()
    // Who asked may have given it up.
    done.catch(() => {})
    return { reads, done }
  }

  async #read(asked: readonly (readonly [string, Read])[]): Promise<void> {
    if (this.#isExpired()) {
      throw new ZanzibarError(
        'token_expired',
        `revision ${this.revision} is no longer kept: it was read for longer than the history is`,
      )
    }
    const rows = await rowsOf(this.#querier, { ...fetching, values: this.#valuesFor(asked) })
    const found = asked.map((): Tuple[] => [])
    for (const row of rows) found[numberOf(row, 'n')]?.push(tupleOf(row))
    for (const [index, [key]] of asked.entries()) this.#known.set(key, found[index] ?? [])
  }

  release(): void {
    this.#known.clear()
  }

  #valuesFor(asked: readonly (readonly [string, Read])[]): unknown[] {
    const { store, revision, now } = this.#view
    const lists: unknown[][] = Array.from({ length: 19 }, () => [])
    const add = (first: number, ...values: readonly unknown[]): void => {
      for (const [index, value] of values.entries()) lists[first + index]?.push(value)
    }
    for (const [n, [, read]] of asked.entries()) {
      const { relation } = read
      if (read.kind === 'tuple') {
        add(0, n, read.object, relation, read.user.includes('#'), read.user)
        continue
      }
      const rows = read.limit === undefined ? null : read.limit + 1
      if (read.kind === 'objects') {
        add(13, n, read.user, relation, `${read.type}:`, afterType(read.type), rows)
      } else add(read.kind === 'usersets' ? 5 : 9, n, read.object, relation, rows)
    }
    return [store, revision, now, ...lists]
  }
}

function keyOf(read: Read): string {
  return read.kind === 'objects'
    ? JSON.stringify(['o', read.type, read.relation, read.user, read.limit])
    : JSON.stringify([read.kind, read.object, read.relation, read.kind === 'tuple' ? read.user : read.limit])
}

/** Goes on at once when the signal says so; what the server answers then is of no use to anybody. */
async function orAborted<Result>(answering: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let abort: (() => void) | undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
  })
  try {
    return await Promise.race([answering, aborted])
  } finally {
    if (abort !== undefined) signal.removeEventListener('abort', abort)
  }
}
