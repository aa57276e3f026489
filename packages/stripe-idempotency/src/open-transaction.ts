import { IdempotencyError } from './errors.ts'
import type { Hold } from './execution.ts'
import type { AtWork } from './lease/at-work.ts'
import type { Holder, IdempotencyRecord } from './record/record.ts'
import { placeOf, type Sealer } from './seal.ts'
import type { Performed, Settled } from './settlement.ts'
import type { IdempotencyStore } from './store/store.ts'

/** A record held by the transaction that claimed it: until that ends, nobody else can have it. */
export class OpenTransaction implements Hold, Disposable {
  readonly holder: Holder
  readonly #atWork: AtWork
  /** Made when somebody asks for it. */
  #controller: AbortController | undefined
  #reason: IdempotencyError | undefined

  constructor({ scope, key, id, fence, owner }: IdempotencyRecord, atWork: AtWork) {
    this.#atWork = atWork
    this.holder = { scope, key, id, fence, owner }
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#atWork.controller()
    if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    return this.#controller.signal
  }

  ensure(): void {
    this.signal.throwIfAborted()
  }

  [Symbol.dispose](): void {
    this.#atWork.forget(this.#controller)
  }

  lose(why: string): IdempotencyError {
    const error = new IdempotencyError('lease_lost', `record ${this.holder.id} was lost: ${why}`)
    this.#reason ??= error
    this.#controller?.abort(error)
    return error
  }
}

/** Writes what the work came to in its transaction. @throws IdempotencyError `lease_lost` */
export async function finishWithin(
  part: IdempotencyStore,
  hold: OpenTransaction,
  record: IdempotencyRecord,
  sealer: Sealer,
  performed: Performed,
): Promise<Settled> {
  const { id: recordId, fence } = record
  if (performed.fate === 'uncertain') {
    await part.markUncertain(hold.holder, performed.why)
    return { outcome: 'uncertain', recordId, why: performed.why }
  }
  const { answer, fate } = performed
  const executed: Settled = { outcome: 'executed', recordId, fence, answer, expiresAt: record.expiresAt }
  if (fate === 'kept') return executed
  if (fate === 'keep') {
    if (await part.complete(hold.holder, sealer.seal(answer, placeOf(record, 'answer')))) return executed
    throw hold.lose('it is no longer in the transaction that claimed it')
  }
  try {
    await (fate === 'release' ? part.release(hold.holder) : part.leave(hold.holder))
  } catch {
    // A statement of the work failed, and the transaction can only be rolled back, which does the same.
  }
  return executed
}
