import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import { ZanzibarError } from '../../errors.ts'
import { errorAnswer, publicError, streamError } from '../../wire/status.ts'

/** Writes the answer to one request, with OpenFGA's headers. */
export class Reply {
  /** Whether the answer is lines of a stream; then errors are as well. */
  streams = false
  readonly #response: ServerResponse
  readonly #onError: ((error: unknown) => void) | undefined
  readonly #begun = performance.now()

  constructor(response: ServerResponse, requestId: string, onError: ((error: unknown) => void) | undefined) {
    this.#response = response
    this.#onError = onError
    response.setHeader('X-Request-Id', requestId)
    response.setHeader('fga-request-id', requestId)
  }

  store(storeId: string): void {
    // Only what is an id goes back.
    if (/^[0-9A-Z]{26}$/.test(storeId)) this.#response.setHeader('Openfga-Store-Id', storeId)
  }

  model(modelId: string): void {
    this.#response.setHeader('Openfga-Authorization-Model-Id', modelId)
  }

  token(token: string): void {
    this.#response.setHeader('Zanzibar-Token', token)
  }

  json(status: number, body: object): void {
    this.#start(status)
    if (status === 204) {
      this.#response.end()
      return
    }
    this.#end(JSON.stringify(body))
  }

  #end(text: string): void {
    this.#response.setHeader('Content-Length', Buffer.byteLength(text))
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
    if (said.code === 'resource_exhausted') this.#response.setHeader('Connection', 'close')
    this.#say(said)
  }

  #say(error: ZanzibarError): void {
    const { status, body } = this.streams ? streamError(error) : errorAnswer(error)
    this.#start(status)
    // A line, as OpenFGA has it: its command shows bodies as they are.
    this.#end(`${JSON.stringify(body)}\n`)
  }

  async #line(body: object): Promise<void> {
    if (!this.#response.headersSent) this.#start(200)
    if (this.#response.write(`${JSON.stringify(body)}\n`)) return
    await roomFor(this.#response)
  }

  #start(status: number): void {
    this.#response.statusCode = status
    this.#response.setHeader('Content-Type', 'application/json')
    this.#response.setHeader('fga-query-duration-ms', Math.round(performance.now() - this.#begun))
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
