import { IdempotencyError } from '../../errors.ts'
import { realClock } from '../../ports.ts'
import {
  type ClaimAnswer,
  type ClaimRequest,
  claim,
  completed,
  type Holder,
  type IdempotencyRecord,
  type RecoveryPoint,
} from '../../record/record.ts'
import type { IdempotencyStore } from '../../store/store.ts'
import type { Querier, Step } from './client.ts'
import { newValuesOf, numberOf, recordOf, writeText } from './record-row.ts'
import { type Place, type PostgresParts, plain, Records } from './records.ts'
import { isOfKey } from './sql-state.ts'
import { type Statements, waitForKey } from './statements.ts'
import { missingTable } from './table.ts'
import { claimWithin, type Sought } from './within.ts'

/** A record, the time of the server's clock when it was claimed, and that of the monotonic one. */
interface Claimed {
  readonly record: IdempotencyRecord
  readonly now: number
  readonly since: number
}

/** In a transaction that is open. Nobody else can take a record that was claimed there, so no lease runs out. */
export class RecordsWithin extends Records implements IdempotencyStore {
  /** Claimed here and not written yet: most are complete by then, and written once. */
  readonly #claimed = new Map<string, Claimed>()
  readonly #defer: ((last: Step) => void) | undefined

  /** @param defer where the transaction ends with the answer: takes the statement that writes it, to go along with the commit */
  constructor(querier: Querier, statements: Statements, parts: PostgresParts, defer?: (last: Step) => void) {
    super(querier, statements, parts)
    this.#defer = defer
  }

  override async claim(
    request: ClaimRequest,
    options: { readonly wait?: number } = {},
  ): Promise<ClaimAnswer> {
    const first = await this.#seek(request)
    if (first.free && !first.found) return this.#claims(claim(undefined, request, first.now))
    const { unwritten, ...answer } = await claimWithin(
      {
        seek: () => this.#seek(request),
        look: () => this.#look(request),
        waitForKey: (wait) => this.#waitForKey(request, wait),
        replace: (found, record) => this.replace(found, record),
      },
      first,
      request,
      options.wait ?? 0,
    )
    return unwritten ? this.#claims(answer) : answer
  }

  override async complete(holder: Holder, response: Uint8Array): Promise<boolean> {
    const claimed = this.#claimed.get(holder.id)
    if (claimed === undefined) return super.complete(holder, response)
    const { now, since } = claimed
    const passed = Math.floor(realClock.monotonic() - since)
    const record = completed(claimed.record, response, this.time() ?? now + passed)
    if (this.#defer === undefined) return this.#write(record)
    this.#claimed.delete(record.id)
    this.#defer([this.statements.put, newValuesOf(record).map(plain)])
    return true
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
    if (claimed !== undefined) await this.#write(claimed.record)
  }

  async #write(record: IdempotencyRecord): Promise<boolean> {
    this.#claimed.delete(record.id)
    try {
      await this.ask(this.statements.put, newValuesOf(record))
    } catch (cause) {
      if (!isOfKey(cause, this.table)) throw cause
      // At REPEATABLE READ and above a transaction does not see what was committed since it began.
      throw new IdempotencyError(
        'in_use',
        `record ${record.id}: another request has used the key since this transaction began; roll it back and begin again`,
        { cause },
      )
    }
    return true
  }

  async #seek(place: Place): Promise<Sought> {
    const asked = this.querier.together([
      [this.statements.lock, [this.time(), lockedText(place)]],
      [this.statements.seek, [writeText(place.scope), writeText(place.key)]],
    ])
    const [[free, now] = [], found] = (await missingTable(this.table, asked)).rows
    return { free: free === 'true', now: Number(now), found: found !== undefined }
  }

  async #look({ scope, key }: Place): Promise<{ now: number; record: IdempotencyRecord } | undefined> {
    const [row] = await this.ask(this.statements.find, [this.time(), writeText(scope), writeText(key)])
    return row && { now: numberOf(row, 'now'), record: recordOf(row) }
  }

  #claims(answer: ClaimAnswer): ClaimAnswer {
    const { record, now } = answer
    this.#claimed.set(record.id, { record, now, since: realClock.monotonic() })
    return answer
  }

  async #waitForKey(place: Place, wait: number): Promise<void> {
    await this.ask(this.statements.noteWait, [lockedText(place), `${Math.ceil(wait)}ms`])
    await this.querier.run(waitForKey)
  }
}

/** What the lock of a key is the hash of. */
function lockedText({ scope, key }: Place): string {
  return writeText(`${scope}\u0001${key}`)
}
