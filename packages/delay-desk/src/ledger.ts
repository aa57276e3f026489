/** A claim and what was paid for it. */
export type Payment = readonly [claim: number, amount: number]

/** What became of payments that were asked for. */
export interface Receipt {
  /** Payments made now. */
  readonly paid: number
  /** Payments that had been made before, with the same amount. */
  readonly replayed: number
}

/** The claim was paid before, with another amount. */
export class PaymentConflict extends Error {
  constructor(claim: number, before: unknown, amount: number) {
    super(`claim ${claim} was paid ${String(before)}, now ${amount} is asked`)
  }
}

/** The bank's ledger: one row for each payment, the claim its unique key. */
export interface Ledger extends AsyncDisposable {
  /** Makes all of the payments that were not made before, or, by throwing, none. */
  pay(worker: string, payments: readonly Payment[]): Promise<Receipt>
  /** Every payment made, by claim. */
  payments(): Promise<Payment[]>
}
