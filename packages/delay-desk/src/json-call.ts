import { once } from 'node:events'
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { json } from 'node:stream/consumers'

/** A service answered with a status other than 200. */
export class StatusError extends Error {
  readonly status: number
  readonly headers: IncomingHttpHeaders

  constructor(service: string, { statusCode = 0, headers }: IncomingMessage, body: unknown) {
    super(`the ${service} answered ${statusCode}: ${JSON.stringify(body)}`)
    this.status = statusCode
    this.headers = headers
  }
}

/** What a call is made with. */
export interface CallParts {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal?: AbortSignal
}

/** A service that answers in JSON, as its clients call it. A call that fails throws and is not tried again. */
export class JsonLine {
  readonly #service: string
  readonly #url: string
  readonly #agent = new Agent({ keepAlive: true })

  /** @param url base address: `http://127.0.0.1:8080` */
  constructor(service: string, url: string) {
    this.#service = service
    this.#url = url
  }

  /** @throws StatusError, the reason of `signal`, or what went wrong with the connection */
  async call(
    method: 'GET' | 'POST',
    path: string,
    { body, headers, signal }: CallParts = {},
  ): Promise<{ readonly body: unknown; readonly headers: IncomingHttpHeaders }> {
    const call = request(`${this.#url}${path}`, {
      method,
      agent: this.#agent,
      ...(headers && { headers }),
      ...(signal && { signal }),
    })
    // A second error, after the one that `once` hears of.
    call.on('error', () => {})
    call.end(body)
    const [response]: IncomingMessage[] = await once(call, 'response')
    if (response === undefined) throw new Error(`the ${this.#service} did not answer`)
    const answer: unknown = await json(response)
    if (response.statusCode === 200) return { body: answer, headers: response.headers }
    throw new StatusError(this.#service, response, answer)
  }
}
