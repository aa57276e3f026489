import { Buffer } from 'node:buffer'
import type { Clock } from '../../ports.ts'
import {
  type ClaimAnswer,
  type ClaimRequest,
  type Holder,
  hasExpired,
  type IdempotencyRecord,
  type RecoveryPoint,
} from '../../record/record.ts'
import { claimBy } from '../../store/compare-and-set.ts'
import { journalEntry, storedLength } from '../../store/journal.ts'
import type { ListFilter } from '../../store/store.ts'
import type { Port, Querier, Row, Statement } from './client.ts'
import { numberOf, recordOf, valuesOf, writeText } from './record-row.ts'
import type { Statements } from './statements.ts'
import { missingTable } from './table.ts'

/** What identifies a record. */
export type Place = Pick<IdempotencyRecord, 'scope' | 'key'>

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
export class Records {
  protected readonly statements: Statements
  protected readonly querier: Querier
  protected readonly table: string
  readonly #clock: Pick<Clock, 'now'> | null

  constructor(querier: Querier, statements: Statements, { table, clock }: PostgresParts) {
    this.querier = querier
    this.statements = statements
    this.table = table
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
    return this.#did(this.statements.complete, [...holding(holder), response, this.time()])
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
      : this.#did(this.statements.settle, [...place, response, this.time()])
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

  async list({
    limit,
    scope,
    state,
    abandonedFor,
    operations,
  }: ListFilter): Promise<readonly IdempotencyRecord[]> {
    const rows = await this.ask(this.statements.list, [
      this.time(),
      scope === undefined ? null : writeText(scope),
      state ?? null,
      abandonedFor ?? null,
      limit,
      operations === undefined ? null : JSON.stringify(operations.map(writeText)),
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
    return this.#did(this.statements.replace, [
      ...valuesOf(record),
      id,
      fence,
      state,
      leaseEnds,
      storedLength(journal),
      erased,
    ])
  }

  protected ask(statement: Statement, params: readonly unknown[]): Promise<readonly Row[]> {
    return missingTable(this.table, this.querier.query(statement, params.map(plain)))
  }

  async #did(statement: Statement, params: readonly unknown[]): Promise<boolean> {
    return (await this.ask(statement, params)).length > 0
  }
}

function answerOf(row: Row): ClaimAnswer {
  return { claimed: row['claimed'] === true, record: recordOf(row), now: numberOf(row, 'now') }
}

function holding({ scope, key, id, fence, owner }: Holder): unknown[] {
  return [writeText(scope), writeText(key), id, fence, owner]
}

/** Drivers take a Buffer for bytes, and some only that. */
export function plain(value: unknown): unknown {
  return value instanceof Uint8Array && !Buffer.isBuffer(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : value
}
