import type { IdempotencyError } from './errors.ts'
import type { Clock } from './ports.ts'
import type { Holder, IdempotencyRecord, RecoveryPoint } from './record/record.ts'
import { type Part, placeOf, type Sealer } from './seal.ts'
import type { IdempotencyStore } from './store/store.ts'

/** What work may know of its record. */
export interface Execution {
  readonly recordId: string
  /** Goes up with each holder of the record: a resource that refuses lower ones refuses those who woke too late. */
  readonly fence: number
  /** Aborted when the lease is lost (`lease_lost`; nothing that is written then will be kept), and on shutdown (`disposed`). */
  readonly signal: AbortSignal
  /** Milliseconds of the store's clock: when the key was first claimed. */
  readonly createdAt: number
  readonly recoveryPoint: string | null
  readonly journal: ReadonlyMap<string, Uint8Array>
  /** Commits a phase. @throws IdempotencyError `lease_lost` */
  advance(point: RecoveryPoint): Promise<void>
}

/** What the phases of an operation need as well, to commit in transactions of their own. */
export interface Held extends Execution {
  readonly holder: Holder
  /** Milliseconds of the store's clock, and never behind it. */
  now(): number
  seal(content: Uint8Array, part: Part): Uint8Array
  open(sealed: Uint8Array, part: Part): Uint8Array
  /** What to throw where the store refused a write of this holder. */
  lose(): IdempotencyError
  /** @throws IdempotencyError `lease_lost` where the lease has ended, though its timer may not have fired yet */
  ensure(): void
}

/** What keeps a record for its holder: a lease, or a transaction that is open. */
export interface Hold {
  readonly holder: Holder
  readonly signal: AbortSignal
  lose(why: string): IdempotencyError
  /** @throws IdempotencyError `lease_lost` */
  ensure(): void
}

/** Made for every request that is carried out, so it works out nothing that is not asked for. */
export class HeldExecution implements Held {
  readonly #record: IdempotencyRecord
  readonly #hold: Hold
  readonly #store: IdempotencyStore
  readonly #sealer: Sealer
  readonly #clock: Clock
  readonly #offset: number
  #journal: ReadonlyMap<string, Uint8Array> | undefined

  /**
   * @param store where phases are committed
   * @param offset of the store's clock from the monotonic one of this process
   */
  constructor(
    record: IdempotencyRecord,
    hold: Hold,
    store: IdempotencyStore,
    sealer: Sealer,
    clock: Clock,
    offset: number,
  ) {
    this.#record = record
    this.#hold = hold
    this.#store = store
    this.#sealer = sealer
    this.#clock = clock
    this.#offset = offset
  }

  now(): number {
    return this.#offset + this.#clock.monotonic()
  }

  get recordId(): string {
    return this.#record.id
  }

  get fence(): number {
    return this.#record.fence
  }

  get createdAt(): number {
    return this.#record.createdAt
  }

  get recoveryPoint(): string | null {
    return this.#record.recoveryPoint
  }

  get signal(): AbortSignal {
    return this.#hold.signal
  }

  get holder(): Holder {
    return this.#hold.holder
  }

  get journal(): ReadonlyMap<string, Uint8Array> {
    this.#journal ??= openJournal(this.#record, this.#sealer)
    return this.#journal
  }

  seal(content: Uint8Array, part: Part): Uint8Array {
    return this.#sealer.seal(content, placeOf(this.#record, part))
  }

  open(sealed: Uint8Array, part: Part): Uint8Array {
    return this.#sealer.open(sealed, placeOf(this.#record, part))
  }

  lose(): IdempotencyError {
    return this.#hold.lose('another holder has taken it over')
  }

  ensure(): void {
    this.#hold.ensure()
  }

  async advance({ name, output }: RecoveryPoint): Promise<void> {
    const point = { name, output: this.seal(output, `output ${name}`) }
    if (!(await this.#store.advance(this.holder, point))) throw this.lose()
  }
}

/** What phases left, as it was before it was sealed. @throws IdempotencyError `record_corrupt` */
export function openJournal(record: IdempotencyRecord, sealer: Sealer): ReadonlyMap<string, Uint8Array> {
  return new Map(
    [...record.journal].map(([name, output]) => [
      name,
      sealer.open(output, placeOf(record, `output ${name}`)),
    ]),
  )
}
