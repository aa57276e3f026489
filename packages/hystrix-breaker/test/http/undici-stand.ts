import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Breaker, Registry } from '@loadbearing/hystrix-breaker'
import {
  type BreakerInterceptorOptions,
  breakerInterceptor,
  type KeyedBreakerOptions,
} from '@loadbearing/hystrix-breaker/undici'
import { served } from '../stream/served.ts'
import { steppedClock } from '../stream/stepped-clock.ts'
import type { Undici } from './undicis.ts'

/** A server that answers what the path says, and a dispatcher with a breaker before it. */
interface Options extends BreakerInterceptorOptions {
  readonly options?: KeyedBreakerOptions
}

export async function guarded({ Agent, request }: Undici, options: Options = {}) {
  const seen: string[] = []
  const held: { request: IncomingMessage; response: ServerResponse }[] = []
  const arrived: (() => void)[] = []
  const server = await served((incoming, response) => {
    const path = incoming.url ?? ''
    seen.push(path)
    if (path === '/hang') held.push({ request: incoming, response })
    else if (path === '/half') response.writeHead(200, { 'content-length': '10' }).write('12345')
    else if (path === '/reset') incoming.socket.destroy()
    else if (path === '/stream') {
      response.writeHead(200).write('first')
      held.push({ request: incoming, response })
    } else if (path === '/echo') incoming.pipe(response)
    else response.writeHead(Number(path.slice(1))).end('done')
    for (const tell of arrived.splice(0)) tell()
  })
  const clock = steppedClock()
  const registry = new Registry()
  const agent = new Agent()
  const dispatcher = agent.compose(
    breakerInterceptor({
      registry,
      ...options,
      options: { volumeThreshold: 2, sleepWindow: 1000, clock, ...options.options },
    }),
  )
  return {
    server,
    url: server.url,
    seen,
    held,
    clock,
    registry,
    agent,
    dispatcher,
    get breaker(): Breaker {
      const found = registry.get(server.url)
      if (found === undefined) throw new TypeError('There is no breaker')
      return found
    },
    ask: async (path: string, more: { signal?: AbortSignal } = {}): Promise<[number, string]> => {
      const { statusCode, body } = await request(`${server.url}${path}`, { dispatcher, ...more })
      return [statusCode, await body.text()]
    },
    until: async (found: () => boolean): Promise<void> => {
      while (!found()) await new Promise<void>((resolve) => arrived.push(resolve))
    },
    async [Symbol.asyncDispose]() {
      await agent.destroy()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** What a promise is rejected with. */
export const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => {
      throw new TypeError(`Not rejected, but ${String(value)}`)
    },
    (error: unknown) => error,
  )
