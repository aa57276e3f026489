import { Buffer } from 'node:buffer'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { IdempotencyError, shown } from '../errors.ts'
import { type Clock, realClock } from '../ports.ts'
import {
  type ClaimAnswer,
  type ClaimRequest,
  claim,
  erased,
  hasExpired,
  type IdempotencyRecord,
} from '../record/record.ts'
import { type Change, ChangingStore, type Place } from '../store/changing-store.ts'
import type { Finding, ListFilter, TransactionalStore } from '../store/store.ts'
import { examine } from './sqlite/doctor.ts'
import { Turns } from './sqlite/turns.ts'
import { isBusy, keepWriteAheadLog } from './sqlite/write-ahead-log.ts'

export { type SqliteOutboxOptions, sqliteOutbox } from './sqlite/outbox.ts'

/** Options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /**
   * An open database of `node:sqlite`. It stays open when the store is disposed of. A connection is in one transaction at a
   * time: use it for nothing else, but for what `transaction` and the phases of operations write.
   */
  readonly database: DatabaseSync
  /** Name of the table of records; another of the same name and `_journal` is beside it. Default: `idempotency_record`. */
  readonly table?: string
  /** Default: the clock of the process. All processes on one file are on one machine. */
  readonly clock?: Clock
}

/**
 * A store in an SQLite database, for the processes of one machine. Makes its tables where they are not there, and sets
 * `journal_mode = WAL` and `synchronous = FULL`: what was answered survives a loss of power. Every method is one
 * `BEGIN IMMEDIATE` transaction; they wait for each other, so transactions are to be short.
 *
 * @throws IdempotencyError `invalid_option`
 */
export function sqliteStore({
  database,
  table = 'idempotency_record',
  clock = realClock,
}: SqliteStoreOptions): SqliteStore {
  if (!/^[A-Za-z_]\w{0,50}$/.test(table)) {
    throw new IdempotencyError('invalid_option', `table must be a plain name of a table, not ${shown(table)}`)
  }
  return new SqliteStore(database, table, clock, Turns.of(database))
}

/** See {@link sqliteStore}. */
export class SqliteStore extends ChangingStore implements TransactionalStore<DatabaseSync> {
  readonly #database: DatabaseSync
  readonly #clock: Clock
  readonly #table: string
  /** Undefined within a transaction: it is this store's turn. */
  readonly #turns: Turns | undefined
  #inside: SqliteStore | undefined
  readonly #select: StatementSync
  readonly #journal: StatementSync
  readonly #write: StatementSync
  readonly #note: StatementSync
  readonly #forget: StatementSync
  readonly #delete: StatementSync

  /** @internal */
  constructor(database: DatabaseSync, table: string, clock: Clock, turns: Turns | undefined) {
    super()
    this.#database = database
    this.#table = table
    this.#clock = clock
    this.#turns = turns
    if (turns !== undefined) this.#migrate()
    this.#select = database.prepare(`SELECT * FROM ${table} WHERE scope = ? AND key = ?`)
    this.#journal = database.prepare(
      `SELECT name, output FROM ${table}_journal WHERE scope = ? AND key = ? ORDER BY place`,
    )
    this.#write = database.prepare(
      `INSERT OR REPLACE INTO ${table} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#note = database.prepare(`INSERT OR REPLACE INTO ${table}_journal VALUES (?, ?, ?, ?, ?)`)
    this.#forget = database.prepare(`DELETE FROM ${table}_journal WHERE scope = ? AND key = ?`)
    this.#delete = database.prepare(`DELETE FROM ${table} WHERE scope = ? AND key = ?`)
  }

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    return this.#atomically(() => {
      const now = this.#clock.now()
      const row = this.#row(request)
      const found = row && this.#recordAsOf(row, now)
      const answer = claim(found, request, now)
      if (answer.record !== found || (row && isAhead(row, now))) this.#put(answer.record, now)
      return answer
    })
  }

  async find(scope: string, key: string): Promise<IdempotencyRecord | undefined> {
    const now = this.#clock.now()
    const found = await this.#reading(() => {
      const row = this.#row({ scope, key })
      return row && this.#recordAsOf(row, now)
    })
    return found === undefined || hasExpired(found, now) ? undefined : found
  }

  async list({
    limit,
    scope,
    state,
    abandonedFor,
    operations,
  }: ListFilter): Promise<readonly IdempotencyRecord[]> {
    const now = this.#clock.now()
    // What is open has an index of its own, which is taken where the query says that it looks for nothing else.
    const states =
      state === undefined || state === 'completed'
        ? '(?2 IS NULL OR state = ?2)'
        : "state = ?2 AND state <> 'completed'"
    const query = this.#database.prepare(
      `SELECT * FROM ${this.#table}
         WHERE (?1 IS NULL OR scope = ?1) AND ${states}
           AND (?3 IS NULL OR (state = 'claimed' AND (lease_ends <= ?3 OR written_at > ?4)))
           AND NOT (expires_at <= ?4 AND ${expiring})
           AND (?6 IS NULL OR operation IN (SELECT value FROM json_each(?6)))
         ORDER BY created_at DESC LIMIT ?5`,
    )
    const abandonedBy = abandonedFor === undefined ? null : now - abandonedFor
    const names = operations === undefined ? null : JSON.stringify(operations)
    return this.#reading(() =>
      query
        .all(scope ?? null, state ?? null, abandonedBy, now, limit, names)
        .map((row) => this.#recordAsOf(row, now)),
    )
  }

  async reap(limit: number): Promise<number> {
    return this.#atomically(() => {
      const expired = this.#database
        .prepare(
          `SELECT scope, key FROM ${this.#table} WHERE expires_at <= ?1 AND state = 'completed'
             UNION ALL SELECT scope, key FROM ${this.#table} WHERE expires_at <= ?1 AND ${leftWithNothing} LIMIT ?2`,
        )
        .all(this.#clock.now(), limit)
      for (const { scope, key } of expired) this.#remove({ scope: String(scope), key: String(key) })
      return expired.length
    })
  }

  async erase({ scope, key }: { readonly scope: string; readonly key?: string }): Promise<number> {
    const count = await this.#atomically(() => {
      const now = this.#clock.now()
      const rows = this.#database
        .prepare(`SELECT * FROM ${this.#table} WHERE scope = ?1 AND (?2 IS NULL OR key = ?2)`)
        .all(scope, key ?? null)
      for (const row of rows) this.#put(erased(this.#recordAsOf(row, now)), now)
      return rows.length
    })
    // What was deleted is overwritten in its pages, and stays in the log until that is written back.
    await this.#reading(() => this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)'))
    return count
  }

  /** What would lose records: a damaged file, a database without a write-ahead log. */
  async doctor(): Promise<readonly Finding[]> {
    return this.#reading(() => examine(this.#database, this.#table, expiring, this.#clock.now()))
  }

  /** Nothing is left open: the database is the caller's. */
  async [Symbol.asyncDispose](): Promise<void> {}

  /** @throws what `work` throws, and errors of SQLite; nothing was committed then */
  async transaction<Result>(work: (database: DatabaseSync) => Promise<Result>): Promise<Result> {
    if (this.#turns === undefined) throw nested()
    return this.#turns.take(async () => {
      this.#database.exec('BEGIN IMMEDIATE')
      try {
        const result = await work(this.#database)
        this.#database.exec('COMMIT')
        return result
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
        throw error
      }
    })
  }

  /** @throws IdempotencyError `invalid_option` where it is not the store's own database, in a transaction */
  within(transaction: DatabaseSync): SqliteStore {
    if (transaction !== this.#database || !transaction.isTransaction) throw nested()
    this.#inside ??= new SqliteStore(this.#database, this.#table, this.#clock, undefined)
    return this.#inside
  }

  /** Another connection was writing, for longer than `busy_timeout`. */
  isTransient(error: unknown): boolean {
    return isBusy(error)
  }

  protected change(place: Place, change: Change): Promise<boolean> {
    return this.#atomically(() => {
      const now = this.#clock.now()
      const row = this.#row(place)
      const next = change(row && this.#recordAsOf(row, now), now)
      if (next === undefined) return false
      if (next === null) this.#remove(place)
      else this.#put(next, now)
      return true
    })
  }

  /** In a transaction of its own, or in the one that is open. */
  async #atomically<Result>(work: () => Result): Promise<Result> {
    return this.#turns === undefined ? work() : this.transaction(async () => work())
  }

  /** When no transaction is open, or in the one that is. */
  async #reading<Result>(work: () => Result): Promise<Result> {
    return this.#turns === undefined ? work() : this.#turns.take(async () => work())
  }

  #migrate(): void {
    const table = this.#table
    keepWriteAheadLog(this.#database)
    this.#database.exec(`
      PRAGMA secure_delete = ON;
      PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS ${table} (
        scope TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, endpoint TEXT NOT NULL, fingerprint BLOB NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('claimed', 'completed', 'uncertain')),
        fence INTEGER NOT NULL, owner TEXT NOT NULL, lease_ends INTEGER NOT NULL,
        created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, recovery_point TEXT,
        operation TEXT, input BLOB, response BLOB, why TEXT, erased INTEGER NOT NULL, written_at INTEGER NOT NULL,
        PRIMARY KEY (scope, key)
      ) STRICT;
      CREATE INDEX IF NOT EXISTS ${table}_expiry ON ${table} (expires_at) WHERE state = 'completed';
      CREATE INDEX IF NOT EXISTS ${table}_left ON ${table} (expires_at) WHERE ${leftWithNothing};
      CREATE INDEX IF NOT EXISTS ${table}_open ON ${table} (state, lease_ends) WHERE state <> 'completed';
      CREATE TABLE IF NOT EXISTS ${table}_journal (
        scope TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, place INTEGER NOT NULL, output BLOB NOT NULL,
        PRIMARY KEY (scope, key, name)
      ) STRICT, WITHOUT ROWID`)
  }

  #row({ scope, key }: Place): Row | undefined {
    return this.#select.get(scope, key)
  }

  #put(record: IdempotencyRecord, now: number): void {
    const { scope, key, operation } = record
    this.#write.run(
      scope,
      key,
      record.id,
      record.endpoint,
      record.fingerprint,
      record.state,
      record.fence,
      record.owner,
      record.leaseEnds,
      record.createdAt,
      record.expiresAt,
      record.recoveryPoint,
      operation?.name ?? null,
      operation?.input ?? null,
      record.response,
      record.why,
      record.erased ? 1 : 0,
      now,
    )
    this.#forget.run(scope, key)
    let place = 0
    for (const [name, output] of record.journal) this.#note.run(scope, key, name, place++, output)
  }

  #remove({ scope, key }: Place): void {
    this.#forget.run(scope, key)
    this.#delete.run(scope, key)
  }

  /**
   * A row from the future was written before the clock was set back: its lease, which would last until the old time comes
   * again, goes on from now for as long as it had then. Its holder may be at work, and renews it.
   */
  #recordAsOf(row: Row, now: number): IdempotencyRecord {
    const record = this.#recordOf(row)
    return isAhead(row, now) && record.leaseEnds > now
      ? { ...record, leaseEnds: Math.max(now, record.leaseEnds - Number(row['written_at']) + now) }
      : record
  }

  #recordOf(row: Row): IdempotencyRecord {
    const scope = textOf(row, 'scope')
    const key = textOf(row, 'key')
    const state = textOf(row, 'state')
    const operation = row['operation']
    return {
      id: textOf(row, 'id'),
      scope,
      key,
      endpoint: textOf(row, 'endpoint'),
      fingerprint: bytesOf(row['fingerprint']) ?? new Uint8Array(),
      state: state === 'completed' || state === 'uncertain' ? state : 'claimed',
      fence: Number(row['fence']),
      owner: textOf(row, 'owner'),
      leaseEnds: Number(row['lease_ends']),
      createdAt: Number(row['created_at']),
      expiresAt: Number(row['expires_at']),
      recoveryPoint: typeof row['recovery_point'] === 'string' ? row['recovery_point'] : null,
      journal: new Map(
        this.#journal
          .all(scope, key)
          .map((each) => [textOf(each, 'name'), bytesOf(each['output']) ?? new Uint8Array()] as const),
      ),
      operation:
        typeof operation === 'string'
          ? { name: operation, input: bytesOf(row['input']) ?? new Uint8Array() }
          : null,
      response: bytesOf(row['response']),
      why: typeof row['why'] === 'string' ? row['why'] : null,
      erased: row['erased'] === 1,
    }
  }
}

type Row = Readonly<Record<string, unknown>>

const leftWithNothing = `state = 'claimed' AND lease_ends = 0 AND operation IS NULL AND recovery_point IS NULL`
/** As `canExpire` of `record.ts`. */
const expiring = `(state = 'completed' OR (${leftWithNothing}))`

/** Whether the clock was set back since it was written. */
function isAhead(row: Row, now: number): boolean {
  return Number(row['written_at']) > now
}

function nested(): IdempotencyError {
  return new IdempotencyError(
    'invalid_option',
    'a transaction of the store is its own database in one that is open, and there is none within it: call within(…) with what transaction(…) gives',
  )
}

function textOf(row: Row, name: string): string {
  const value = row[name]
  if (typeof value === 'string') return value
  throw new IdempotencyError('record_corrupt', `the column ${name} holds no text`)
}

function bytesOf(value: unknown): Uint8Array | null {
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : null
}
