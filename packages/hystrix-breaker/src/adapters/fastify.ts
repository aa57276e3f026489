import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { InvalidOptionError, shown } from '../errors.ts'
import { checkFlag } from '../option-checks.ts'
import type { KeyedBreakerOptions } from './keyed-breakers.ts'
import { watchResponse } from './node-response.ts'
import { type GuardedRequest, type RouteGuardOptions, RouteGuards } from './route-guard.ts'

export { FailureStatusError, type HttpBreakerOptions } from './http-breakers.ts'
export type { KeyedBreakerOptions, KeyedOptions } from './keyed-breakers.ts'
export { type GuardedRequest, HttpRefusal, type RouteGuardOptions } from './route-guard.ts'

export interface FastifyBreakerOptions extends RouteGuardOptions {
  /** Whether routes without `config.breaker` are guarded too. Default true. */
  readonly global?: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Options of the route's own breaker before those of the plugin; `false` leaves the route unguarded. */
    breaker?: KeyedBreakerOptions | boolean
  }
  interface FastifyRequest {
    /** Breaker and signal of a guarded request; null where it is none. */
    guarded: GuardedRequest | null
  }
}

/**
 * A plugin of Fastify 4 and 5 that guards the routes of the context that it is registered in, and of those below, each with a
 * circuit breaker of the name `GET /users/:id`.
 *
 * - Failed are statuses of 500 and above, or what `isFailureStatus` says, when the answer begins: those of the error
 *   handler for what a handler throws too. A client that goes before that counts neither way.
 * - A request that is refused, or that has no answer within `timeout` (1 s by default), goes to the error handler as an
 *   {@link HttpRefusal}: 503, with `Retry-After` while the circuit is open, or 504. Refused is before the body is read.
 * - `request.guarded` has the breaker, and a `signal` that is aborted when the time is over or the client goes.
 *
 * ```ts
 * await app.register(breakerPlugin, { registry, options: { volumeThreshold: 5 } })
 * app.get('/users/:id', { config: { breaker: { timeout: '2s' } } }, handler)
 * ```
 *
 * Registering fails with InvalidOptionError, as adding a route does whose `config.breaker` is wrong.
 */
export const breakerPlugin: FastifyPluginAsync<FastifyBreakerOptions> = Object.assign(
  (async (app, { global = true, ...options }) => {
    const guards: RouteGuards = new RouteGuards(options)
    checkFlag('global', global)
    const ownOf = (config: unknown, what: string): KeyedBreakerOptions | boolean => {
      if (config === undefined || typeof config === 'boolean') return config ?? global
      if (config === null || typeof config !== 'object')
        throw new InvalidOptionError(
          `config.breaker of ${what} must be options or true or false, not ${shown(config)}`,
        )
      guards.check(`config.breaker of ${what}`, config)
      return config
    }
    if (!app.hasRequestDecorator('guarded')) app.decorateRequest('guarded', null)
    app.addHook('onRoute', ({ url, config }) => void ownOf(config?.breaker, url))
    app.addHook('onRequest', (request, reply, next) => {
      const { url, config } = request.routeOptions
      const own = config.breaker ?? global
      // Guarded already, by a plugin of a context above; or no route at all.
      if (own === false || url === undefined || request.guarded !== null) return next()
      guard(guards, `${request.method} ${url}`, own === true ? undefined : own, { request, reply, next })
    })
  }) satisfies FastifyPluginAsync<FastifyBreakerOptions>,
  {
    // What the package fastify-plugin sets: hooks are for the context that registers, not for one of its own.
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: '@loadbearing/hystrix-breaker',
    [Symbol.for('plugin-meta')]: { fastify: '4.x || 5.x', name: '@loadbearing/hystrix-breaker' },
  },
)

interface Hook {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly next: (error?: Error) => void
}

function guard(
  guards: RouteGuards,
  key: string,
  own: KeyedBreakerOptions | undefined,
  { request, reply, next }: Hook,
): void {
  let begun = false
  const guarded = guards.request(
    key,
    {
      begin: () => {
        begun = true
        next()
      },
      refuse: (thrown) => {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown })
        if (!begun) next(error)
        else if (reply.raw.headersSent) reply.raw.destroy()
        else if (!reply.sent) reply.send(error)
      },
    },
    own,
  )
  request.guarded = guarded
  watchResponse(reply.raw, guarded)
  guarded.start()
}
