import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { DeskError } from './errors.ts'
import { type Batch, decodeReport, encode, type Report } from './messages.ts'

/** Longer than a worker asks for a payment; one that hangs is found out by probes. */
const TIMEOUT_MS = 75_000

/** A worker, as the desk calls it. */
export class WorkerLine implements Disposable {
  readonly #worker: string
  readonly #url: string
  readonly #agent = new Agent({ keepAlive: true })

  /** @param address `127.0.0.1:8080` */
  constructor(worker: string, address: string) {
    this.#worker = worker
    this.#url = `http://${address}/batches`
  }

  /**
   * Has a batch decided and paid; the answer is what each claim earned, and what it took.
   *
   * @throws DeskError `WORKER_FAILED` where the worker answers that it cannot; any other error is one of the connection, and
   * nobody knows what was paid
   */
  async settle(batch: Batch, signal: AbortSignal): Promise<Report> {
    const call = request(this.#url, { method: 'POST', agent: this.#agent, timeout: TIMEOUT_MS, signal })
    call.once('timeout', () => call.destroy(new Error(`${this.#worker} did not answer in ${TIMEOUT_MS} ms`)))
    // A second error, after the one that `once` hears of.
    call.on('error', () => {})
    call.end(encode(batch))
    const [response]: IncomingMessage[] = await once(call, 'response')
    if (response === undefined) throw new Error(`${this.#worker} did not answer`)
    const body = await buffer(response)
    if (response.statusCode !== 200) throw this.#failed(`cannot go on: ${String(body)}`)
    const report = decodeReport(body)
    const { awards } = report
    if (awards.length === batch.claims.length) return report
    throw this.#failed(`reported ${awards.length} awards for ${batch.claims.length} claims`)
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }

  #failed(what: string): DeskError {
    return new DeskError('WORKER_FAILED', `${this.#worker} ${what}`)
  }
}
