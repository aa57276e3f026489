import {
  type ClaimAnswer,
  type ClaimRequest,
  completed,
  type Holder,
  type IdempotencyRecord,
  type RecoveryPoint,
} from '../../record/record.ts'
import type { IdempotencyStore } from '../../store/store.ts'
import { numberOf, recordOf, valuesOf, writeText } from './record-row.ts'
import { type Place, Records } from './records.ts'
import { lockNotAvailable, sqlState } from './sql-state.ts'
import { claimWithin } from './within.ts'

/** In a transaction that is open. Nobody else can take a record that was claimed there, so no lease runs out. */
export class RecordsWithin extends Records implements IdempotencyStore {
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
