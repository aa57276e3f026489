import {
  advanced,
  completed,
  type Holder,
  holds,
  type IdempotencyRecord,
  left,
  type RecoveryPoint,
  renewed,
  reopened,
  settled,
  uncertain,
} from '../record/record.ts'

/** What identifies a record. */
export type Place = Pick<IdempotencyRecord, 'scope' | 'key'>

/** What takes the place of a record: another one, null for none. Undefined: nothing changes. */
export type Change = (
  found: IdempotencyRecord | undefined,
  now: number,
) => IdempotencyRecord | null | undefined

/** What holders and operators write, for stores that put what a function of `record.ts` makes in the place of what they found. */
export abstract class ChangingStore {
  /** In one atomic step; whether there was a change. */
  protected abstract change(place: Place, change: Change): Promise<boolean> | boolean

  async renew(holder: Holder, lease: number): Promise<boolean> {
    return this.#held(holder, (record, now) => renewed(record, lease, now))
  }

  async advance(holder: Holder, point: RecoveryPoint): Promise<boolean> {
    return this.#held(holder, (record) => advanced(record, point))
  }

  complete(holder: Holder, response: Uint8Array): Promise<boolean> | boolean {
    return this.#held(holder, (record, now) => completed(record, response, now))
  }

  async leave(holder: Holder): Promise<boolean> {
    return this.#held(holder, left)
  }

  async release(holder: Holder): Promise<boolean> {
    return this.#held(holder, () => null)
  }

  async markUncertain(holder: Holder, why: string): Promise<boolean> {
    return this.#held(holder, (record) => uncertain(record, why))
  }

  async settle(which: Place & { readonly id: string }, response: Uint8Array | null): Promise<boolean> {
    return this.#doubted(which, (record, now) => (response === null ? null : settled(record, response, now)))
  }

  async reopen(which: Place & { readonly id: string }, point: RecoveryPoint): Promise<boolean> {
    return this.#doubted(which, (record) => reopened(record, point))
  }

  #held(
    holder: Holder,
    change: (record: IdempotencyRecord, now: number) => IdempotencyRecord | null,
  ): Promise<boolean> | boolean {
    return this.change(holder, (found, now) => (holds(holder, found) ? change(found, now) : undefined))
  }

  #doubted(
    which: Place & { readonly id: string },
    change: (record: IdempotencyRecord, now: number) => IdempotencyRecord | null,
  ): Promise<boolean> | boolean {
    return this.change(which, (found, now) =>
      found?.id === which.id && found.state === 'uncertain' ? change(found, now) : undefined,
    )
  }
}

/** Whether who waits for the record is to be told: it has another holder, or none. */
export function endsHolding(found: IdempotencyRecord, next: IdempotencyRecord): boolean {
  return (
    next.state !== 'claimed' || next.leaseEnds === 0 || next.id !== found.id || next.fence !== found.fence
  )
}
