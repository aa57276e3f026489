import { ZanzibarError } from '../index.ts'
import type { AuthorizationModel } from '../model/authorization-model.ts'
import { type Clock, type Random, realClock, realRandom } from '../ports.ts'
import type { Snapshot, Wanted } from '../store/snapshot.ts'
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
import {
  inTransaction,
  isTooLong,
  type PostgresPool,
  type PostgresQuerier,
  rowsOf,
} from './postgres/client.ts'
import { KnownTuples } from './postgres/known-tuples.ts'
import { channel, Listener } from './postgres/listener.ts'
import { orAborted } from './postgres/or-aborted.ts'
import { type Bounds, type Moment, momentIn, reading, usualBounds } from './postgres/reading.ts'
import { migrate, timeOr } from './postgres/schema.ts'
import { PostgresSnapshot } from './postgres/snapshot.ts'
import { readChanges, readTuples, removeExpired, writeTuples } from './postgres/tuples.ts'
import { assertionsOf, numberOf, type Row, storedModelOf, storeRecordOf, type WriteMoment } from './rows.ts'
import { neverRemoved } from './tuple-filter.ts'

export type { PostgresConnection, PostgresPool, PostgresQuerier, Statement } from './postgres/client.ts'

/** Options of {@link openPostgresStore}. */
export interface PostgresStoreOptions {
  /** A `Pool` of `pg`, of the primary: a replica may not know yet what a token names. It stays open when the store is disposed of. */
  readonly pool: PostgresPool
  /** Milliseconds for which a revision can be asked for after the next one came. Default: an hour. */
  readonly history?: number
  /** Milliseconds after which writes are looked for that nobody told of. Default: 1000. */
  readonly poll?: number
  /** For waits. */
  readonly clock?: Clock
  /** For tests that move time: what the tuples' times are told by, in place of the server's clock. */
  readonly time?: Pick<Clock, 'now'>
  readonly random?: Random
}

/**
 * A store in PostgreSQL 13 or later. Makes its tables where they are not there. The writes of a store are one after the other,
 * under the lock of its row, so that revisions are seen in their order.
 *
 * @throws ZanzibarError `invalid_option`, `internal_error`
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const { pool, history = 3_600_000, poll = 1000, clock = realClock, time, random = realRandom } = options
  for (const [name, value] of Object.entries({ history, poll })) {
    if (Number.isFinite(value) && value > 0) continue
    throw new ZanzibarError(
      'invalid_option',
      `${name} must be a number of milliseconds above 0, not ${String(value)}`,
    )
  }
  const identity = await migrate(pool, random)
  return new PostgresStore({ pool, history, poll, clock, time, random, bounds: usualBounds }, identity)
}

/** How many writes there are between two collections of what nobody reads any more, and how many rows one takes. */
const writesPerCollection = 64
const rowsPerCollection = 1000
/** Of how many stores the numbers are kept. */
const keptPlaces = 10_000
/** Milliseconds for which a snapshot goes on to be readable after its revision has expired. */
const grace = 60_000

interface Settings {
  readonly pool: PostgresPool
  readonly history: number
  readonly poll: number
  readonly clock: Clock
  readonly time: Pick<Clock, 'now'> | undefined
  readonly random: Random
  /** Fewer for tests of what is beyond them. */
  readonly bounds: Bounds
}

/** See {@link openPostgresStore}. */
export class PostgresStore implements TupleStore {
  readonly identity: Uint8Array
  readonly #settings: Settings
  readonly #pool: PostgresPool
  readonly #listener: Listener
  /** The numbers of stores, by id. */
  readonly #places = new Map<string, number>()
  #writes = 0

  /** @internal */
  constructor(settings: Settings, identity: Uint8Array) {
    this.identity = identity
    this.#settings = settings
    this.#pool = settings.pool
    this.#listener = new Listener(settings.pool)
  }

  async createStore(name: string): Promise<StoreRecord> {
    const [row] = await rowsOf(this.#pool, {
      text: `INSERT INTO zanzibar_store (id, name, created_at, updated_at)
        SELECT $1, $2, now, now FROM (SELECT ${timeOr('$3')} AS now) AS clock RETURNING *`,
      values: [ulid(this.#settings.clock, this.#settings.random), name, this.#time()],
    })
    return storeRecordOf(row ?? {})
  }

  async getStore(storeId: string): Promise<StoreRecord | undefined> {
    const [row] = await rowsOf(this.#pool, {
      text: 'SELECT * FROM zanzibar_store WHERE id = $1',
      values: [storeId],
    })
    return row === undefined ? undefined : storeRecordOf(row)
  }

  async listStores({
    limit,
    after = '0',
    name,
  }: PageRequest & { readonly name?: string | undefined }): Promise<Page<StoreRecord>> {
    const rows = await rowsOf(this.#pool, {
      text: 'SELECT * FROM zanzibar_store WHERE place > $1 AND ($2::text IS NULL OR name = $2) ORDER BY place LIMIT $3',
      values: [Number(after), name ?? null, limit + 1],
    })
    return pageOf(rows, limit, storeRecordOf)
  }

  async deleteStore(storeId: string): Promise<void> {
    await rowsOf(this.#pool, { text: 'DELETE FROM zanzibar_store WHERE id = $1', values: [storeId] })
    this.#listener.wake(storeId)
  }

  async writeModel(storeId: string, model: AuthorizationModel): Promise<string> {
    const id = ulid(this.#settings.clock, this.#settings.random)
    const { store } = await this.#moment(this.#pool, storeId)
    await rowsOf(this.#pool, {
      text: 'INSERT INTO zanzibar_model (store, id, model) VALUES ($1, $2, $3)',
      values: [store, id, JSON.stringify(model)],
    })
    return id
  }

  async readModel(storeId: string, modelId?: string): Promise<StoredModel | undefined> {
    // One row without a model where there is a store, and no such model in it.
    const [row] = await rowsOf(this.#pool, {
      name: 'zanzibar_model',
      text: `SELECT s.place AS store, m.id, m.model FROM zanzibar_store s LEFT JOIN zanzibar_model m
        ON m.store = s.place AND ($2::text IS NULL OR m.id = $2) WHERE s.id = $1 ORDER BY m.place DESC LIMIT 1`,
      values: [storeId, modelId ?? null],
    })
    if (row === undefined) throw noStore()
    return row['id'] === null ? undefined : storedModelOf(row)
  }

  async listModels(storeId: string, { limit, after }: PageRequest): Promise<Page<StoredModel>> {
    const { store } = await this.#moment(this.#pool, storeId)
    const rows = await rowsOf(this.#pool, {
      text: 'SELECT * FROM zanzibar_model WHERE store = $1 AND place < $2 ORDER BY place DESC LIMIT $3',
      values: [store, after === undefined ? neverRemoved : Number(after), limit + 1],
    })
    return pageOf(rows, limit, storedModelOf)
  }

  async writeAssertions(storeId: string, modelId: string, assertions: readonly Assertion[]): Promise<void> {
    const { store } = await this.#moment(this.#pool, storeId)
    await rowsOf(this.#pool, {
      text: `INSERT INTO zanzibar_assertions VALUES ($1, $2, $3)
        ON CONFLICT (store, model) DO UPDATE SET assertions = excluded.assertions`,
      values: [store, modelId, JSON.stringify(assertions)],
    })
  }

  async readAssertions(storeId: string, modelId: string): Promise<readonly Assertion[]> {
    const { store } = await this.#moment(this.#pool, storeId)
    const [row] = await rowsOf(this.#pool, {
      text: 'SELECT assertions FROM zanzibar_assertions WHERE store = $1 AND model = $2',
      values: [store, modelId],
    })
    return assertionsOf(row)
  }

  async write(storeId: string, request: WriteRequest): Promise<WriteAnswer> {
    return inTransaction(this.#pool, async (connection) => {
      // Held until the commit: who comes next sees this write, and gets the next revision.
      const begun = await this.#moment(connection, storeId, 'FOR NO KEY UPDATE')
      const isCollecting = this.#writes++ % writesPerCollection === 0
      const moment = isCollecting ? await this.#sweep(connection, storeId, begun) : begun
      const { written, deleted, position } = await writeTuples(connection, moment, request)
      const isChange = written + deleted > 0
      if (isChange) await this.#commit(connection, storeId, moment, position)
      if (isCollecting) await this.#collect(connection, moment.store, moment.now)
      return { revision: moment.revision + Number(isChange), written, deleted }
    })
  }

  async read(storeId: string, filter: TupleFilter, request: PageRequest): Promise<Page<StoredTuple>> {
    return readTuples(this.#pool, await this.#moment(this.#pool, storeId), filter, request)
  }

  async changes(storeId: string, request: ChangesRequest): Promise<readonly Change[]> {
    const { store } = await this.#moment(this.#pool, storeId)
    return readChanges(this.#pool, store, request)
  }

  async snapshot(storeId: string, { revision, signal, first }: SnapshotOptions = {}): Promise<Snapshot> {
    signal?.throwIfAborted()
    const { clock, history, bounds } = this.#settings
    const openedAt = clock.monotonic()
    const store = await orAborted(this.#placeOf(storeId), signal)
    const at = { store, revision, now: this.#settings.time?.now() }
    const read = (wanted: Wanted): Promise<readonly Row[]> =>
      orAborted(rowsOf(this.#pool, reading(at, wanted, bounds, storeId)), signal)
    let wanted = first?.() ?? { reads: [] }
    const rows = await read(wanted).catch((error: unknown) => {
      if (!isTooLong(error)) throw error
      wanted = { reads: [] }
      return read(wanted)
    })
    const moment = momentIn(rows)
    if (moment === undefined) {
      this.#places.delete(storeId)
      throw noStore()
    }
    const left = history + grace - ageOf(moment, revision, history)
    const known = new KnownTuples(bounds)
    known.take(wanted, rows)
    return new PostgresSnapshot(
      this.#pool,
      { ...moment, store, revision: revision ?? moment.latest },
      { known, bounds, isExpired: () => clock.monotonic() - openedAt > left },
    )
  }

  async revision(storeId: string): Promise<number> {
    return (await this.#moment(this.#pool, storeId)).revision
  }

  async changed(storeId: string, revision: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    void this.#listener.listen()
    const { clock, poll } = this.#settings
    const over = new AbortController()
    const timer = clock.setTimeout(() => over.abort(), poll)
    // Before the look at the revision: what is written after that wakes.
    const waiting = this.#listener
      .wait(storeId, signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]))
      .catch(() => {})
    try {
      if ((await this.revision(storeId)) > revision) over.abort()
      await waiting
    } finally {
      clock.clearTimeout(timer)
      over.abort()
    }
    signal?.throwIfAborted()
  }

  /** The pool stays open. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close()
  }

  #time(): number | null {
    return this.#settings.time?.now() ?? null
  }

  /** The number of a store, which is never another one's in one database; known from before where it was asked for. */
  async #placeOf(storeId: string): Promise<number> {
    return this.#places.get(storeId) ?? (await this.#moment(this.#pool, storeId)).store
  }

  async #moment(
    querier: PostgresQuerier,
    storeId: string,
    lock: '' | 'FOR NO KEY UPDATE' = '',
  ): Promise<WriteMoment> {
    const [row] = await rowsOf(querier, {
      name: lock === '' ? 'zanzibar_moment' : 'zanzibar_lock',
      text: `SELECT place, revision, position, ${timeOr('$2')} AS now FROM zanzibar_store WHERE id = $1 ${lock}`,
      values: [storeId, this.#time()],
    })
    if (row === undefined) throw noStore()
    const store = numberOf(row, 'place')
    const [oldest] = this.#places.keys()
    if (this.#places.size >= keptPlaces && oldest !== undefined) this.#places.delete(oldest)
    this.#places.set(storeId, store)
    return {
      store,
      revision: numberOf(row, 'revision'),
      position: numberOf(row, 'position'),
      now: numberOf(row, 'now'),
    }
  }

  async #commit(
    querier: PostgresQuerier,
    storeId: string,
    { store, revision, now }: WriteMoment,
    position: number,
  ): Promise<void> {
    await rowsOf(querier, {
      name: 'zanzibar_commit',
      text: `WITH noting AS (INSERT INTO zanzibar_commit VALUES ($1, $2, $3)),
        counting AS (UPDATE zanzibar_store SET revision = $2, position = $4 WHERE place = $1)
        SELECT pg_notify('${channel}', $5)`,
      values: [store, revision + 1, now, position, storeId],
    })
  }

  /** Removes some of what has expired, as a commit of its own, and gives the moment after it. */
  async #sweep(querier: PostgresQuerier, storeId: string, moment: WriteMoment): Promise<WriteMoment> {
    const position = await removeExpired(querier, moment, rowsPerCollection)
    if (position === undefined) return moment
    await this.#commit(querier, storeId, moment, position)
    return { ...moment, revision: moment.revision + 1, position }
  }

  /** Deletes some of what was removed so long ago that no snapshot sees it. The changes stay. */
  async #collect(querier: PostgresQuerier, store: number, now: number): Promise<void> {
    const [row] = await rowsOf(querier, {
      text: 'SELECT max(revision) AS revision FROM zanzibar_commit WHERE store = $1 AND timestamp < $2',
      values: [store, now - this.#settings.history - grace],
    })
    if (row === undefined || row['revision'] === null) return
    const old = numberOf(row, 'revision')
    await rowsOf(querier, {
      text: `WITH moving AS (UPDATE zanzibar_store SET oldest = greatest(oldest, $2) WHERE place = $1),
        forgetting AS (DELETE FROM zanzibar_commit WHERE store = $1 AND revision < $2)
        DELETE FROM zanzibar_tuple WHERE ctid = ANY (ARRAY(SELECT ctid FROM zanzibar_tuple
          WHERE store = $1 AND removed <= $2 AND removed < ${neverRemoved} LIMIT ${rowsPerCollection}))`,
      values: [store, old],
    })
  }
}

/**
 * Milliseconds since a revision was replaced.
 *
 * @throws ZanzibarError `token_from_the_future`, `token_expired`
 */
function ageOf(
  { latest, oldest, now, replacedAt }: Moment,
  revision: number | undefined,
  history: number,
): number {
  if (revision === undefined || revision === latest) return 0
  if (revision > latest) {
    throw new ZanzibarError(
      'token_from_the_future',
      `revision ${revision} is not there yet: the store is at ${latest}`,
    )
  }
  const age = replacedAt === undefined ? Number.POSITIVE_INFINITY : now - replacedAt
  if (revision < oldest || age > history) {
    throw new ZanzibarError('token_expired', `revision ${revision} is no longer kept`)
  }
  return age
}

function noStore(): ZanzibarError {
  return new ZanzibarError('store_id_not_found', 'Store ID not found')
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
