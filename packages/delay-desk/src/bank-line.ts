import { JsonLine } from './json-call.ts'
import type { Payment } from './reconciliation.ts'

/** The key of the desk's account at the bank. */
export const deskSecret = 'sk_test_delay_desk'
/** Transfers on a page of the statement. */
const PAGE = 1000
const authorization = { authorization: `Bearer ${deskSecret}` }
const form = { ...authorization, 'content-type': 'application/x-www-form-urlencoded' }

/** What the bank is asked to pay. */
export interface TransferOrder {
  readonly claim: number
  /** In whole units of the currency. */
  readonly amount: number
  /** ISO 4217, in lower case. */
  readonly currency: string
}

/** The bank, as its clients call it. */
export class BankLine {
  readonly #line: JsonLine

  /** @param url base address: `http://127.0.0.1:8080` */
  constructor(url: string) {
    this.#line = new JsonLine('bank', url)
  }

  /**
   * Pays a claim, once for each key.
   *
   * @returns the id of the transfer, and whether an earlier call with the key had made it
   */
  async transfer(
    order: TransferOrder,
    key: string,
    signal?: AbortSignal,
  ): Promise<{ readonly id: string; readonly replayed: boolean }> {
    const { body, headers } = await this.#line.call('POST', '/v1/transfers', {
      body: new URLSearchParams({
        amount: String(order.amount * 100),
        currency: order.currency,
        destination: `acct_passenger_${order.claim}`,
        transfer_group: groupOf(order.claim),
        'metadata[key]': key,
      }).toString(),
      headers: { ...form, 'idempotency-key': key },
      ...(signal && { signal }),
    })
    return { id: readTransfer(body).id, replayed: headers['idempotent-replayed'] === 'true' }
  }

  /** The id of the transfer that was made for a claim with this key, if there is one. */
  async find(claim: number, key: string, signal?: AbortSignal): Promise<string | undefined> {
    const query = new URLSearchParams({ transfer_group: groupOf(claim), limit: String(PAGE) })
    const { transfers } = await this.#page(query, signal)
    return transfers.find((transfer) => transfer.key === key)?.id
  }

  /** Every transfer in the ledger, the newest first. */
  async statement(signal?: AbortSignal): Promise<Payment[]> {
    const payments: Payment[] = []
    for (let after: string | undefined; ; ) {
      const query = new URLSearchParams({ limit: String(PAGE), ...(after && { starting_after: after }) })
      const { transfers, more } = await this.#page(query, signal)
      for (const { claim, amount } of transfers) payments.push([claim, amount])
      after = transfers.at(-1)?.id
      if (!more || after === undefined) return payments
    }
  }

  async #page(
    query: URLSearchParams,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly transfers: readonly ListedTransfer[]; readonly more: boolean }> {
    const { body } = await this.#line.call('GET', `/v1/transfers?${query}`, {
      headers: authorization,
      ...(signal && { signal }),
    })
    const data: unknown = Reflect.get(Object(body), 'data')
    const more: unknown = Reflect.get(Object(body), 'has_more')
    if (!Array.isArray(data) || typeof more !== 'boolean') throw unreadable()
    return { transfers: data.map(readTransfer), more }
  }
}

interface ListedTransfer {
  readonly id: string
  readonly claim: number
  readonly amount: number
  readonly key: string | undefined
}

function groupOf(claim: number): string {
  return `claim_${claim}`
}

function readTransfer(value: unknown): ListedTransfer {
  const { id, amount, transfer_group: group, metadata } = Object(value)
  const claim = Number(/^claim_(\d{1,9})$/.exec(String(group))?.[1])
  const key: unknown = Reflect.get(Object(metadata), 'key')
  if (typeof id !== 'string' || typeof amount !== 'number' || !Number.isInteger(claim)) throw unreadable()
  return { id, claim, amount: amount / 100, key: typeof key === 'string' ? key : undefined }
}

/** A TypeError: to ask again changes nothing. */
function unreadable(): TypeError {
  return new TypeError('the bank gave an answer that cannot be read')
}
