import { Buffer } from 'node:buffer'
import { IdempotencyError, isIdempotencyError } from '../../errors.ts'
import { type Clock, realClock } from '../../ports.ts'
import {
  type ClaimAnswer,
  type ClaimRequest,
  completed,
  type Holder,
  hasExpired,
  type IdempotencyRecord,
  type RecoveryPoint,
} from '../../record/record.ts'
import { claimBy } from '../../store/compare-and-set.ts'
import { journalEntry } from '../../store/journal.ts'
import type { Finding, IdempotencyStore, ListFilter, TransactionalStore } from '../../store/store.ts'
import { Watcher } from '../../store/watcher.ts'
import {
  type Port,
  type PostgresQuerier,
  type Querier,
  querierOf,
  type Row,
  type Statement,
} from './client.ts'
import { examine } from './doctor.ts'
import { numberOf, recordOf, valuesOf, writeText } from './record-row.ts'
import { channelOf, migrationOf, type Statements, statementsFor } from './statements.ts'
import { claimWithin } from './within.ts'

/** What identifies a record. */
type Place = Pick<IdempotencyRecord, 'scope' | 'key'>

/** What a {@link PostgresStore} is made of. */
export interface PostgresParts {
  readonly port: Port
  readonly table: string
  readonly prepare: boolean
  readonly listens: boolean
  /** Null for the server's own. */
  readonly clock: Pick<Clock, 'now'> | null
}

/** Records in a table of PostgreSQL, over any number of connections or as part of one transaction. */
class Records {
  protected readonly statements: Statements
  protected readonly querier: Querier
  readonly #table: string
  readonly #clock: Pick<Clock, 'now'> | null

  constructor(querier: Querier, statements: Statements, { table, clock }: PostgresParts) {
    this.querier = querier
    this.statements = statements
    this.#table = table
    this.#clock = clock
  }

  claim(request: ClaimRequest): Promise<ClaimAnswer> {
    return claimBy(
      {
        insert: async (each) => {
          const [row] = await this.ask(this.statements.claim, this.claimValues(each))
          return row && answerOf(row)
        },
        replace: (found, record) => this.replace(found, record),
      },
      request,
    )
  }

  async advance(holder: Holder, point: RecoveryPoint): Promise<boolean> {
    return this.#did(this.statements.advance, [
      ...holding(holder),
      writeText(point.name),
      journalEntry(point),
    ])
  }

  async complete(holder: Holder, response: Uint8Array): Promise<boolean> {
    return this.#did(this.statements.complete, [...holding(holder), response])
  }

  async renew(holder: Holder, lease: number): Promise<boolean> {
    return this.#did(this.statements.renew, [...holding(holder), this.time(), lease])
  }

  async leave(holder: Holder): Promise<boolean> {
    return this.#did(this.statements.leave, holding(holder))
  }

  async release(holder: Holder): Promise<boolean> {
    return this.#did(this.statements.release, holding(holder))
  }

  async markUncertain(holder: Holder, why: string): Promise<boolean> {
    return this.#did(this.statements.markUncertain, [...holding(holder), writeText(why)])
  }

  async settle(which: Place & { readonly id: string }, response: Uint8Array | null): Promise<boolean> {
    const place = [writeText(which.scope), writeText(which.key), which.id]
    return response === null
      ? this.#did(this.statements.settleAsNew, place)
      : this.#did(this.statements.settle, [...place, response])
  }

  async reopen(which: Place & { readonly id: string }, point: RecoveryPoint): Promise<boolean> {
    const place = [writeText(which.scope), writeText(which.key), which.id]
    return this.#did(this.statements.reopen, [...place, writeText(point.name), journalEntry(point)])
  }

  async find(scope: string, key: string): Promise<IdempotencyRecord | undefined> {
    const [row] = await this.ask(this.statements.find, [this.time(), writeText(scope), writeText(key)])
    if (row === undefined) return undefined
    const record = recordOf(row)
    return hasExpired(record, numberOf(row, 'now')) ? undefined : record
  }

  async list({ limit, scope, state, abandonedFor }: ListFilter): Promise<readonly IdempotencyRecord[]> {
    const rows = await this.ask(this.statements.list, [
      this.time(),
      scope === undefined ? null : writeText(scope),
      state ?? null,
      abandonedFor ?? null,
      limit,
    ])
    return rows.map(recordOf)
  }

  async reap(limit: number): Promise<number> {
    return (await this.ask(this.statements.reap, [this.time(), limit])).length
  }

  async erase({ scope, key }: { readonly scope: string; readonly key?: string }): Promise<number> {
    const erased = [writeText(scope), key === undefined ? null : writeText(key)]
    return (await this.ask(this.statements.erase, erased)).length
  }

  /** The time for the server to take, where it is not its own. */
  protected time(): number | null {
    return this.#clock === null ? null : Math.floor(this.#clock.now())
  }

  protected claimValues(request: ClaimRequest): unknown[] {
    const { scope, key, id, endpoint, fingerprint, owner, lease, ttl, operation } = request
    return [
      this.time(),
      writeText(scope),
      writeText(key),
      id,
      writeText(endpoint),
      fingerprint,
      owner,
      Math.ceil(lease),
      Math.ceil(ttl),
      operation === null ? null : writeText(operation.name),
      operation?.input ?? null,
    ]
  }

  protected async replace(found: IdempotencyRecord, record: IdempotencyRecord): Promise<boolean> {
    const { id, fence, state, leaseEnds, journal, erased } = found
    const length = [...journal].reduce(
      (sum, [name, output]) => sum + journalEntry({ name, output }).length,
      0,
    )
    return this.#did(this.statements.replace, [
      ...valuesOf(record),
      id,
      fence,
      state,
      leaseEnds,
      length,
      erased,
    ])
  }

  protected async ask(statement: Statement, params: readonly unknown[]): Promise<readonly Row[]> {
    try {
      return await this.querier.query(statement, params.map(plain))
    } catch (cause) {
      if (sqlState(cause) !== undefinedTable) throw cause
      throw new IdempotencyError(
        'store_unavailable',
        `there is no table ${this.#table}: call migrate() of the store once`,
        { cause },
      )
    }
  }

  async #did(statement: Statement, params: readonly unknown[]): Promise<boolean> {
    return (await this.ask(statement, params)).length > 0
  }
}

/** See `postgresStore`. */
export class PostgresStore extends Records implements TransactionalStore<PostgresQuerier> {
  readonly #parts: PostgresParts
  readonly #watcher: Watcher | undefined
  /** Failures of commits that may have been carried out all the same. */
  readonly #unknown = new WeakSet<object>()
  readonly watch?: NonNullable<IdempotencyStore['watch']>

  /** @internal */
  constructor(parts: PostgresParts) {
    super(parts.port, statementsFor(parts.table), parts)
    this.#parts = parts
    const { port, table, listens } = parts
    if (!listens || port.listen === undefined) return
    const watcher = new Watcher((changed, lost) => listenTo(port, table, changed, lost))
    this.#watcher = watcher
    this.watch = ({ scope, key, id }, signal) => {
      const place = [writeText(scope), writeText(key), id]
      return watcher.watch(id, async () => (await this.ask(this.statements.await, place)).length > 0, signal)
    }
  }

  /** Makes the table and its indexes where they are not there. */
  async migrate(): Promise<void> {
    await this.querier.run(migrationOf(this.#parts.table))
  }

  /** What would lose records, or carry a request out twice: an UNLOGGED table, a replica, `fsync` off. */
  doctor(): Promise<readonly Finding[]> {
    return examine(this.querier, this.#parts.table, () => (this.#parts.clock ?? realClock).now())
  }

  async transaction<Result>(work: (transaction: PostgresQuerier) => Promise<Result>): Promise<Result> {
    const { port } = this.#parts
    const { connection, release } = await port.connect()
    const querier = querierOf(connection, this.#parts.prepare)
    let broken = true
    try {
      await querier.run('BEGIN')
      let result: Result
      try {
        // Handed over as what it is, so that the user has all that his driver gives him.
        result = await work(connection as PostgresQuerier)
      } catch (error) {
        broken = !(await succeeds(querier.run('ROLLBACK')))
        throw error
      }
      await this.#commit(querier)
      broken = false
      return result
    } finally {
      release(broken)
    }
  }

  within(transaction: PostgresQuerier): IdempotencyStore {
    const querier = querierOf(transaction, this.#parts.prepare)
    return new RecordsWithin(querier, this.statements, this.#parts)
  }

  isTransient(error: unknown): boolean {
    if (typeof error !== 'object' || error === null) return false
    if (this.#unknown.has(error)) return true
    const state = sqlState(error)
    return (
      state === serializationFailure ||
      state === deadlockDetected ||
      // Somebody committed the key between the look at it and the lock on it.
      (state === uniqueViolation && constraintOf(error) === `${nameOf(this.#parts.table)}_pkey`)
    )
  }

  /** Nothing of the store is left open: pool or client are the caller's. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watcher?.[Symbol.asyncDispose]()
  }

  async #commit(querier: Querier): Promise<void> {
    let tag: string
    try {
      tag = await querier.run('COMMIT')
    } catch (cause) {
      if (sqlState(cause) !== undefined && !isShutdown(cause)) throw cause
      const error = new IdempotencyError(
        'store_unavailable',
        'the connection was lost in a commit, which may have been carried out; ask for the key again',
        { cause },
      )
      this.#unknown.add(error)
      throw error
    }
    if (tag === 'COMMIT') return
    throw new IdempotencyError(
      'store_unavailable',
      'the transaction was rolled back, since a statement in it had failed and the error was not passed on',
    )
  }
}

/** In a transaction that is open. Nobody else can take a record that was claimed there, so no lease runs out. */
class RecordsWithin extends Records implements IdempotencyStore {
  /** Claimed here and not written yet: most are complete by then, and written once. */
  readonly #claimed = new Map<string, IdempotencyRecord>()

  override async claim(
    request: ClaimRequest,
    options: { readonly wait?: number } = {},
  ): Promise<ClaimAnswer> {
    const [scope, key] = [writeText(request.scope), writeText(request.key)]
    const { unwritten, ...answer } = await claimWithin(
      {
        seek: async () => {
          const [row = {}] = await this.ask(this.statements.seek, [this.time(), scope, key])
          const found = row['id'] === null ? undefined : recordOf(row)
          return { free: row['free'] === true, now: numberOf(row, 'now'), found }
        },
        waitForKey: (wait) => this.#waitForKey(request, wait),
        replace: (found, record) => this.replace(found, record),
      },
      request,
      options.wait ?? 0,
    )
    if (unwritten) this.#claimed.set(answer.record.id, answer.record)
    return answer
  }

  override async complete(holder: Holder, response: Uint8Array): Promise<boolean> {
    const claimed = this.#claimed.get(holder.id)
    if (claimed === undefined) return super.complete(holder, response)
    return this.#write(completed(claimed, response))
  }

  override async release(holder: Holder): Promise<boolean> {
    return this.#claimed.delete(holder.id) || super.release(holder)
  }

  override async advance(holder: Holder, point: RecoveryPoint): Promise<boolean> {
    await this.#writeClaimed(holder)
    return super.advance(holder, point)
  }

  override async leave(holder: Holder): Promise<boolean> {
    await this.#writeClaimed(holder)
    return super.leave(holder)
  }

  override async markUncertain(holder: Holder, why: string): Promise<boolean> {
    await this.#writeClaimed(holder)
    return super.markUncertain(holder, why)
  }

  override async renew(): Promise<boolean> {
    return true
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #writeClaimed({ id }: Holder): Promise<void> {
    const claimed = this.#claimed.get(id)
    if (claimed !== undefined) await this.#write(claimed)
  }

  async #write(record: IdempotencyRecord): Promise<boolean> {
    this.#claimed.delete(record.id)
    return (await this.ask(this.statements.put, valuesOf(record))).length > 0
  }

  // In a savepoint: where it waits in vain the user's transaction goes on.
  async #waitForKey({ scope, key }: Place, wait: number): Promise<boolean> {
    await this.querier.run('SAVEPOINT idempotency_wait')
    try {
      const [row] = await this.ask(this.statements.waitForKey, [
        writeText(scope),
        writeText(key),
        `${Math.ceil(wait)}ms`,
      ])
      await this.ask(this.statements.setLockTimeout, [row?.['before'] ?? '0'])
    } catch (error) {
      if (sqlState(error) !== lockNotAvailable) throw error
      await this.querier.run('ROLLBACK TO SAVEPOINT idempotency_wait')
      return false
    }
    await this.querier.run('RELEASE SAVEPOINT idempotency_wait')
    return true
  }
}

function listenTo(
  { listen }: Port,
  table: string,
  changed: (id: string) => void,
  lost: () => void,
): Promise<() => Promise<void>> {
  return listen === undefined
    ? Promise.reject(new Error('this client hears no notifications'))
    : listen(channelOf(table), changed, lost)
}

const undefinedTable = '42P01'
const serializationFailure = '40001'
const deadlockDetected = '40P01'
const lockNotAvailable = '55P03'
const uniqueViolation = '23505'

async function succeeds(action: Promise<unknown>): Promise<boolean> {
  try {
    await action
    return true
  } catch {
    return false
  }
}

/** The five characters by which PostgreSQL names an error; undefined where it is not PostgreSQL's. */
function sqlState(error: unknown): string | undefined {
  if (isIdempotencyError(error)) return sqlState(error.cause)
  const code: unknown = Reflect.get(Object(error), 'code')
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && Reflect.has(Object(error), 'severity')
    ? code
    : undefined
}

/** `pg` and `postgres` name it differently. */
function constraintOf(error: unknown): unknown {
  return Reflect.get(Object(error), 'constraint') ?? Reflect.get(Object(error), 'constraint_name')
}

/** Of a table, without its schema. */
function nameOf(table: string): string {
  return table.slice(table.indexOf('.') + 1)
}

/** The server ends the connection, as an operator asked or in a crash of its own. */
function isShutdown(error: unknown): boolean {
  return sqlState(error)?.startsWith('57P') ?? false
}

function answerOf(row: Row): ClaimAnswer {
  return { claimed: row['claimed'] === true, record: recordOf(row), now: numberOf(row, 'now') }
}

function holding({ scope, key, id, fence, owner }: Holder): unknown[] {
  return [writeText(scope), writeText(key), id, fence, owner]
}

/** Drivers take a Buffer for bytes, and some only that. */
function plain(value: unknown): unknown {
  return value instanceof Uint8Array && !Buffer.isBuffer(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : value
}
