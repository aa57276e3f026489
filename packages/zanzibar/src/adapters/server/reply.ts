import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import { ZanzibarError } from '../../errors.ts'
import { errorAnswer, publicError, streamError } from '../../wire/status.ts'

/** Names and values in turn. */
type Headers = (string | number)[]

/** Writes the answer to one request, with OpenFGA's headers. */
export class Reply {
  /** Whether the answer is lines of a stream; then errors are as well. */
  streams = false
  readonly #response: ServerResponse
  readonly #onError: ((error: unknown) => void) | undefined
  readonly #begun = performance.now()
  readonly #requestId: string
  #storeId: string | undefined
  #modelId: string | undefined
  #token: string | undefined

  constructor(response: ServerResponse, requestId: string, onError: ((error: unknown) => void) | undefined) {
    this.#response = response
    this.#onError = onError
    this.#requestId = requestId
  }

  store(storeId: string): void {
    // Only what is an id goes back.
    if (/^[0-9A-Z]{26}$/.test(storeId)) this.#storeId = storeId
  }

  model(modelId: string): void {
    this.#modelId = modelId
  }

  token(token: string): void {
    this.#token = token
  }

  json(status: number, body: object): void {
    if (status !== 204) {
      this.#end(status, JSON.stringify(body))
      return
    }
    this.#start(status)
    this.#response.end()
  }

  #end(status: number, text: string, more: Headers = []): void {
    this.#start(status, ['Content-Length', Buffer.byteLength(text), ...more])
    this.#response.end(text)
  }

  /** One line for each; what fails before the first one has a status of its own. */
  async lines(bodies: AsyncIterable<object>): Promise<void> {
    for await (const body of bodies) await this.#line({ result: body })
    if (!this.#response.headersSent) this.#start(200)
    this.#response.end()
  }

  error(error: unknown): void {
    const said = publicError(error)
    const isOurs = said.number >= 4000 && said.number < 5000 && said.code !== 'resource_exhausted'
    if (isOurs) this.#onError?.(error)
    if (this.#response.headersSent) {
      this.#response.end(`${JSON.stringify(streamError(said).body)}\n`)
      return
    }
    // The rest of such a body is not waited for.
    const more = said.code === 'resource_exhausted' ? ['Connection', 'close'] : []
    const { status, body } = this.streams ? streamError(said) : errorAnswer(said)
    // A line, as OpenFGA has it: its command shows bodies as they are.
    this.#end(status, `${JSON.stringify(body)}\n`, more)
  }

  async #line(body: object): Promise<void> {
    if (!this.#response.headersSent) this.#start(200)
    if (this.#response.write(`${JSON.stringify(body)}\n`)) return
    await roomFor(this.#response)
  }

  /** All headers at once, which takes less than one by one. */
  #start(status: number, more: Headers = []): void {
    const duration = Math.round(performance.now() - this.#begun)
    const headers: Headers = ['X-Request-Id', this.#requestId, 'fga-request-id', this.#requestId]
    if (this.#storeId !== undefined) headers.push('Openfga-Store-Id', this.#storeId)
    if (this.#modelId !== undefined) headers.push('Openfga-Authorization-Model-Id', this.#modelId)
    if (this.#token !== undefined) headers.push('Zanzibar-Token', this.#token)
    headers.push('Content-Type', 'application/json', 'fga-query-duration-ms', duration, ...more)
    this.#response.writeHead(status, headers)
  }
}

/** Waits until the client has read on, or has gone. */
async function roomFor(response: ServerResponse): Promise<void> {
  const gone = new AbortController()
  const leave = (): void => gone.abort()
  response.once('close', leave)
  try {
    await once(response, 'drain', { signal: gone.signal })
  } catch (cause) {
    throw new ZanzibarError('cancelled', 'the client has gone', { cause })
  } finally {
    response.off('close', leave)
  }
}
