import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { json } from 'node:stream/consumers'
import type { Payment, Receipt } from './ledger.ts'

const TIMEOUT_MS = 10_000

/** The ledger as the bank shows it. */
export interface Statement extends Receipt {
  readonly payments: readonly Payment[]
}

/** The bank, as its clients call it. A call that fails throws and is not tried again. */
export class Bank {
  readonly #url: string
  readonly #agent = new Agent({ keepAlive: true })

  /** @param url base address: `http://127.0.0.1:8080` */
  constructor(url: string) {
    this.#url = url
  }

  /** Pays each claim that has not been paid; asking again changes nothing. */
  async pay(worker: string, payments: readonly Payment[]): Promise<Receipt> {
    const receipt = await this.#call('POST', JSON.stringify({ worker, payments }))
    if (isReceipt(receipt)) return receipt
    throw new Error('the bank gave a receipt that cannot be read')
  }

  async statement(): Promise<Statement> {
    const statement = await this.#call('GET')
    if (isReceipt(statement) && 'payments' in statement && Array.isArray(statement.payments)) {
      return { ...statement, payments: statement.payments }
    }
    throw new Error('the bank gave a statement that cannot be read')
  }

  async #call(method: 'GET' | 'POST', body?: string): Promise<unknown> {
    const call = request(`${this.#url}/payments`, { method, agent: this.#agent, timeout: TIMEOUT_MS })
    call.once('timeout', () => call.destroy(new Error(`the bank did not answer in ${TIMEOUT_MS} ms`)))
    call.end(body)
    const [response]: IncomingMessage[] = await once(call, 'response')
    if (response === undefined) throw new Error('the bank did not answer')
    const answer: unknown = await json(response)
    if (response.statusCode === 200) return answer
    throw new Error(`the bank answered ${response.statusCode}: ${JSON.stringify(answer)}`)
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
