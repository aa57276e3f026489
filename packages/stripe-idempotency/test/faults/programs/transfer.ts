/** A request to move money from a local account to the bank, by an operation in phases, or to the savings here, by a handler. */
export interface Transfer {
  readonly tenant: string
  readonly key: string
  readonly amount: number
  readonly to: 'bank' | 'savings'
  /** Of nobody but the tenant. */
  readonly memo: string
}

/** The local side of transfers, where each entry is written together with what it does to the account. */
export interface Books<Transaction> {
  /** Takes the money from the account. */
  debit(tx: Transaction, transfer: Transfer, fence: number): Promise<void>
  /** Writes down that it is done. */
  finish(tx: Transaction, transfer: Transfer, fence: number): Promise<void>
}

export function transferOf(text: string): Transfer {
  const { tenant, key, amount, to, memo }: Record<string, unknown> = Object(JSON.parse(text))
  return {
    tenant: String(tenant),
    key: String(key),
    amount: Number(amount),
    to: to === 'savings' ? 'savings' : 'bank',
    memo: String(memo),
  }
}

/** What a client is answered, byte for byte. @param credit of the bank, or the receipt of the savings */
export function answerTo({ tenant, amount, memo }: Transfer, credit: string): string {
  return JSON.stringify({ tenant, amount, memo, credit })
}
