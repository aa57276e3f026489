import { JsonLine } from './json-call.ts'
import type { Payment, Receipt } from './ledger.ts'

/** The ledger as the bank shows it. */
export interface Statement extends Receipt {
  readonly payments: readonly Payment[]
}

/** The bank, as its clients call it. */
export class Bank {
  readonly #line: JsonLine

  /** @param url base address: `http://127.0.0.1:8080` */
  constructor(url: string) {
    this.#line = new JsonLine('bank', url)
  }

  /** Pays each claim that has not been paid; asking again changes nothing. */
  async pay(worker: string, payments: readonly Payment[], signal?: AbortSignal): Promise<Receipt> {
    const body = JSON.stringify({ worker, payments })
    const receipt = await this.#line.call('POST', '/payments', { body, ...(signal && { signal }) })
    if (isReceipt(receipt)) return receipt
    throw new TypeError('the bank gave a receipt that cannot be read')
  }

  async statement(): Promise<Statement> {
    const statement = await this.#line.call('GET', '/payments')
    if (isReceipt(statement) && 'payments' in statement && Array.isArray(statement.payments)) {
      return { ...statement, payments: statement.payments }
    }
    throw new TypeError('the bank gave a statement that cannot be read')
  }
}

function isReceipt(value: unknown): value is Receipt {
  return (
    typeof value === 'object' &&
    value !== null &&
    'paid' in value &&
    typeof value.paid === 'number' &&
    'replayed' in value &&
    typeof value.replayed === 'number'
  )
}
