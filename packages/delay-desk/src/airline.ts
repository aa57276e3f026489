import { JsonLine } from './json-call.ts'

/** The airline's records service, as its clients call it. */
export class Airline {
  readonly #line: JsonLine

  /** @param url base address: `http://127.0.0.1:8080` */
  constructor(url: string) {
    this.#line = new JsonLine('records service', url)
  }

  /** How late the flights of these claims were, in minutes. */
  async delays(claims: readonly number[], signal?: AbortSignal): Promise<number[]> {
    const { body } = await this.#line.call('GET', `/delays?claims=${claims.join()}`, signal && { signal })
    const delays: unknown = Reflect.get(Object(body), 'delays')
    if (Array.isArray(delays) && delays.length === claims.length && delays.every(Number.isSafeInteger))
      return delays
    throw new TypeError('the records service gave an answer that cannot be read')
  }
}
