import { idempotency } from 'express-idempotency'

type Middleware = ReturnType<typeof idempotency>

/** The middleware of express-idempotency with as little of Express around it as it asks for. */
export class ExpressDouble {
  readonly #middleware: Middleware = idempotency()

  async once(key: string, body: unknown, work: () => Promise<unknown>): Promise<unknown> {
    const sent = Promise.withResolvers<unknown>()
    const headers: Record<string, string> = { 'content-type': 'application/json' }
    const request = {
      method: 'POST',
      url: '/v1/charges',
      query: {},
      body,
      headers: { 'idempotency-key': key } as Record<string, string>,
      get: (name: string): string | undefined => request.headers[name],
    }
    const response = {
      statusCode: 200,
      setHeader: (name: string, value: string): void => {
        headers[name] = value
      },
      getHeaders: () => headers,
      status: (status: number) => {
        response.statusCode = status
        return response
      },
      send: (answer: unknown) => {
        sent.resolve(answer)
        return response
      },
    }
    const next = async (error?: unknown): Promise<void> => {
      if (error !== undefined) sent.reject(error)
      // What the handler must ask itself, or it runs again: the middleware calls next() after a replay as well.
      else if (request.headers['x-hit'] !== 'true') response.send(await work())
    }
    await Reflect.apply(this.#middleware, undefined, [request, response, next])
    return await sent.promise
  }
}
