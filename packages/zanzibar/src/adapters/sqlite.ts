import { DatabaseSync } from 'node:sqlite'
import { checkRecord, checkText } from '../given-kinds.ts'
import { ZanzibarError } from '../index.ts'
import type { AuthorizationModel } from '../model/authorization-model.ts'
import { type Clock, type Random, realClock, realRandom } from '../ports.ts'
import type { Snapshot } from '../store/snapshot.ts'
import type {
  Assertion,
  Change,
  ChangesRequest,
  Page,
  PageRequest,
  SnapshotOptions,
  StoredModel,
  StoredTuple,
  StoreRecord,
  TupleFilter,
  TupleStore,
  WriteAnswer,
  WriteRequest,
} from '../store/tuple-store.ts'
import { ulid } from '../store/ulid.ts'
import { Waiters } from '../store/waiters.ts'
import { assertionsOf, numberOf, type Row, storedModelOf, storeRecordOf, type WriteMoment } from './rows.ts'
import { migrate } from './sqlite/schema.ts'
import { SqliteSnapshot } from './sqlite/snapshot.ts'
import { Statements } from './sqlite/statements.ts'
import { readChanges, readTuples, removeExpired, writeTuples } from './sqlite/tuples.ts'
import { orAborted } from './sqlite/write-ahead-log.ts'
import { neverRemoved } from './tuple-filter.ts'

// Who waits for what another process writes wants this one to stay.
const stayingClock: Clock = {
  ...realClock,
  setTimeout: (callback, delay) => setTimeout(callback, delay),
}

/** Options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /** The database's file, made where there is none; or `:memory:`. */
  readonly path: string
  /** Milliseconds for which a revision can be asked for after the next one came. Default: an hour. */
  readonly history?: number
  /** Milliseconds after which another process's writes are looked for. Default: 100. */
  readonly poll?: number
  /** All processes on one file are on one machine. */
  readonly clock?: Clock
  readonly random?: Random
}

/**
 * A store in an SQLite database, for the processes of one machine; reads answer at once. What was answered survives a loss of
 * power: `journal_mode = WAL`, `synchronous = FULL`. Makes its tables where they are not there.
 *
 * @throws ZanzibarError `invalid_option`; `Aborted` where the tables must be made and another process held the database for
 *   longer than 5 s; errors of SQLite where the file cannot be opened
 */
export function sqliteStore(options: SqliteStoreOptions): SqliteStore {
  checkRecord('options', options)
  checkText('path', options.path)
  const { path, history = 3_600_000, poll = 100, clock = stayingClock, random = realRandom } = options
  for (const [name, value] of Object.entries({ history, poll })) {
    if (Number.isFinite(value) && value > 0) continue
    throw new ZanzibarError(
      'invalid_option',
      `${name} must be a number of milliseconds above 0, not ${String(value)}`,
    )
  }
  const database = new DatabaseSync(path)
  try {
    return new SqliteStore({ database, history, poll, clock, random })
  } catch (error) {
    database.close()
    throw orAborted(error)
  }
}

/** How many writes there are between two collections of what nobody reads any more, and how many rows one takes. */
const writesPerCollection = 64
const rowsPerCollection = 1000
/** Milliseconds for which a snapshot goes on to be readable after its revision has expired. */
const grace = 60_000

/** See {@link sqliteStore}. */
export class SqliteStore implements TupleStore {
  readonly identity: Uint8Array
  readonly #database: DatabaseSync
  readonly #statements: Statements
  readonly #history: number
  readonly #poll: number
  readonly #clock: Clock
  readonly #random: Random
  readonly #waiters = new Waiters()
  #writes = 0

  /** @internal */
  constructor(options: {
    readonly database: DatabaseSync
    readonly history: number
    readonly poll: number
    readonly clock: Clock
    readonly random: Random
  }) {
    this.#database = options.database
    this.#statements = new Statements(options.database)
    this.#history = options.history
    this.#poll = options.poll
    this.#clock = options.clock
    this.#random = options.random
    this.identity = migrate(options.database, options.random)
  }

  async createStore(name: string): Promise<StoreRecord> {
    const now = this.#clock.now()
    const id = ulid(this.#clock, this.#random)
    this.#statements.run(
      'INSERT INTO zanzibar_store (id, name, created_at, updated_at) VALUES (?, ?, ?, ?)',
      id,
      name,
      now,
      now,
    )
    return { id, name, createdAt: now, updatedAt: now }
  }

  async getStore(storeId: string): Promise<StoreRecord | undefined> {
    const row = this.#find(storeId)
    return row === undefined ? undefined : storeRecordOf(row)
  }

  async listStores({
    limit,
    after = '0',
    name,
  }: PageRequest & { readonly name?: string | undefined }): Promise<Page<StoreRecord>> {
    const rows = this.#statements.all(
      'SELECT * FROM zanzibar_store WHERE place > ?1 AND (?2 IS NULL OR name = ?2) ORDER BY place LIMIT ?3',
      Number(after),
      name ?? null,
      limit + 1,
    )
    return pageOf(rows, limit, storeRecordOf)
  }

  async deleteStore(storeId: string): Promise<void> {
    this.#statements.run('DELETE FROM zanzibar_store WHERE id = ?', storeId)
    this.#waiters.wake()
  }

  async writeModel(storeId: string, model: AuthorizationModel): Promise<string> {
    const id = ulid(this.#clock, this.#random)
    this.#statements.run(
      'INSERT INTO zanzibar_model (store, id, model) VALUES (?, ?, ?)',
      this.#place(storeId),
      id,
      JSON.stringify(model),
    )
    return id
  }

  async readModel(storeId: string, modelId?: string): Promise<StoredModel | undefined> {
    const place = this.#place(storeId)
    const row =
      modelId === undefined
        ? this.#statements.get(
            'SELECT * FROM zanzibar_model WHERE store = ? ORDER BY place DESC LIMIT 1',
            place,
          )
        : this.#statements.get('SELECT * FROM zanzibar_model WHERE store = ? AND id = ?', place, modelId)
    return row === undefined ? undefined : storedModelOf(row)
  }

  async listModels(storeId: string, { limit, after }: PageRequest): Promise<Page<StoredModel>> {
    const rows = this.#statements.all(
      'SELECT * FROM zanzibar_model WHERE store = ? AND place < ? ORDER BY place DESC LIMIT ?',
      this.#place(storeId),
      after === undefined ? neverRemoved : Number(after),
      limit + 1,
    )
    return pageOf(rows, limit, storedModelOf)
  }

  async writeAssertions(storeId: string, modelId: string, assertions: readonly Assertion[]): Promise<void> {
    this.#statements.run(
      'INSERT OR REPLACE INTO zanzibar_assertions VALUES (?, ?, ?)',
      this.#place(storeId),
      modelId,
      JSON.stringify(assertions),
    )
  }

  async readAssertions(storeId: string, modelId: string): Promise<readonly Assertion[]> {
    const place = this.#place(storeId)
    return assertionsOf(
      this.#statements.get(
        'SELECT assertions FROM zanzibar_assertions WHERE store = ? AND model = ?',
        place,
        modelId,
      ),
    )
  }

  async write(storeId: string, request: WriteRequest): Promise<WriteAnswer> {
    const answer = this.#statements.atomically(() => {
      const row = this.#store(storeId)
      const isCollecting = this.#writes++ % writesPerCollection === 0
      const begun = {
        store: numberOf(row, 'place'),
        now: this.#clock.now(),
        revision: numberOf(row, 'revision'),
        position: numberOf(row, 'position'),
      }
      const moment = isCollecting ? this.#sweep(begun) : begun
      const { written, deleted, position } = writeTuples(this.#statements, moment, request)
      const isChange = written + deleted > 0
      if (isChange) this.#commit(moment, position)
      if (isCollecting) this.#collect(moment.store, moment.now)
      return { revision: moment.revision + Number(isChange), written, deleted }
    })
    this.#waiters.wake()
    return answer
  }

  async read(storeId: string, filter: TupleFilter, request: PageRequest): Promise<Page<StoredTuple>> {
    const moment = { store: this.#place(storeId), now: this.#clock.now() }
    return readTuples(this.#statements, moment, filter, request)
  }

  async changes(storeId: string, request: ChangesRequest): Promise<readonly Change[]> {
    return readChanges(this.#statements, this.#place(storeId), request)
  }

  snapshot(storeId: string, { revision }: SnapshotOptions = {}): Snapshot {
    const row = this.#store(storeId)
    const store = numberOf(row, 'place')
    const latest = numberOf(row, 'revision')
    const wanted = revision ?? latest
    const now = this.#clock.now()
    if (wanted > latest) {
      throw new ZanzibarError(
        'token_from_the_future',
        `revision ${wanted} is not there yet: the store is at ${latest}`,
      )
    }
    const replacedAt = wanted === latest ? now : this.#timeOf(store, wanted + 1)
    if (replacedAt === undefined || wanted < numberOf(row, 'oldest') || replacedAt < now - this.#history) {
      throw new ZanzibarError('token_expired', `revision ${wanted} is no longer kept`)
    }
    const view = { store, revision: wanted, now, until: replacedAt + this.#history + grace }
    return new SqliteSnapshot(this.#statements, view, () => this.#clock.now())
  }

  revision(storeId: string): number {
    return numberOf(this.#store(storeId), 'revision')
  }

  async changed(storeId: string, revision: number, signal?: AbortSignal): Promise<void> {
    if (this.revision(storeId) > revision) return
    // Another process wakes nobody here.
    const timer = this.#clock.setTimeout(() => this.#waiters.wake(), this.#poll)
    try {
      await this.#waiters.wait(signal)
    } finally {
      this.#clock.clearTimeout(timer)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#waiters.wake()
    if (this.#database.isOpen) this.#database.close()
  }

  #find(storeId: string): Row | undefined {
    return this.#statements.get('SELECT * FROM zanzibar_store WHERE id = ?', storeId)
  }

  #store(storeId: string): Row {
    const row = this.#find(storeId)
    if (row === undefined) throw new ZanzibarError('store_id_not_found', 'Store ID not found')
    return row
  }

  #place(storeId: string): number {
    return numberOf(this.#store(storeId), 'place')
  }

  #timeOf(store: number, revision: number): number | undefined {
    const row = this.#statements.get(
      'SELECT timestamp FROM zanzibar_commit WHERE store = ? AND revision = ?',
      store,
      revision,
    )
    return row === undefined ? undefined : numberOf(row, 'timestamp')
  }

  #commit({ store, now, revision }: WriteMoment, position: number): void {
    this.#statements.run(
      'UPDATE zanzibar_store SET revision = ?, position = ? WHERE place = ?',
      revision + 1,
      position,
      store,
    )
    this.#statements.run('INSERT INTO zanzibar_commit VALUES (?, ?, ?)', store, revision + 1, now)
  }

  /** Removes some of what has expired, as a commit of its own, and gives the moment after it. */
  #sweep(moment: WriteMoment): WriteMoment {
    const position = removeExpired(this.#statements, moment, rowsPerCollection)
    if (position === undefined) return moment
    this.#commit(moment, position)
    return { ...moment, revision: moment.revision + 1, position }
  }

  /** Deletes some of what was removed so long ago that no snapshot sees it. The changes stay. */
  #collect(store: number, now: number): void {
    const old = this.#statements.get(
      'SELECT max(revision) AS revision FROM zanzibar_commit WHERE store = ? AND timestamp < ?',
      store,
      now - this.#history - grace,
    )?.['revision']
    if (typeof old !== 'number') return
    this.#statements.run('UPDATE zanzibar_store SET oldest = max(oldest, ?) WHERE place = ?', old, store)
    this.#statements.run('DELETE FROM zanzibar_commit WHERE store = ? AND revision < ?', store, old)
    this.#statements.run(
      `DELETE FROM zanzibar_tuple WHERE (store, object, relation, is_userset, user, created) IN (
         SELECT store, object, relation, is_userset, user, created FROM zanzibar_tuple
         WHERE store = ?1 AND removed <= ?2 AND removed < ${neverRemoved} LIMIT ${rowsPerCollection})`,
      store,
      old,
    )
  }
}

/** The first `limit` rows of one more; `place` says where the next page begins. */
function pageOf<Item>(rows: readonly Row[], limit: number, itemOf: (row: Row) => Item): Page<Item> {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return {
    items: page.map(itemOf),
    next: rows.length > limit && last !== undefined ? String(numberOf(last, 'place')) : undefined,
  }
}
