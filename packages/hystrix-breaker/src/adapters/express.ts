import type { Request, RequestHandler } from 'express'
import { checkFunction } from '../option-checks.ts'
import { watchResponse } from './node-response.ts'
import { type GuardedRequest, HttpRefusal, type RouteGuardOptions, RouteGuards } from './route-guard.ts'

export { FailureStatusError, type HttpBreakerOptions } from './http-breakers.ts'
export type { KeyedBreakerOptions, KeyedOptions } from './keyed-breakers.ts'
export { type GuardedRequest, HttpRefusal, type RouteGuardOptions } from './route-guard.ts'

export interface ExpressBreakerOptions extends RouteGuardOptions {
  /**
   * The name of the breaker of a request; undefined for one that goes unguarded. Default: method and path of the route
   * that the middleware stands in, or the path that it is mounted at.
   */
  readonly keyOf?: (request: Request) => string | undefined
}

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- so it is that Express lets its types be extended
  namespace Express {
    interface Locals {
      /** Breaker and signal of a guarded request. */
      guarded?: GuardedRequest
    }
  }
}

/**
 * Middleware of Express 4 or 5 that guards what comes after it with a circuit breaker.
 *
 * - Failed are statuses of 500 and above, or what `isFailureStatus` says, when the answer begins: those of Express' error
 *   handling for what a handler throws too. A client that goes before that counts neither way.
 * - A request that is refused, or that has no answer within `timeout` (1 s by default), goes to the error handling with
 *   {@link HttpRefusal}: 503, with `Retry-After` while the circuit is open, or 504. Express answers it; an error handler
 *   of yours finds `status`, `headers` and `code`.
 * - `response.locals.guarded` has the breaker, and a `signal` that is aborted when the time is over or the client goes.
 *   Who answers after that fails as with any answered request: look at it first. A 504 therefore ends the connection.
 *
 * ```ts
 * app.get('/users/:id', breakerMiddleware({ registry, options: { timeout: '2s' } }), handler)
 * ```
 *
 * @throws InvalidOptionError naming the option.
 */
export function breakerMiddleware(options: ExpressBreakerOptions = {}): RequestHandler {
  const guards = new RouteGuards(options, ['keyOf'])
  const keyOf = checkFunction('keyOf', options.keyOf ?? routeOf)
  return (request, response, next) => {
    const key = keyOf(request)
    if (key === undefined) return next()
    const guarded = guards.request(key, {
      begin: () => next(),
      refuse: (error) => {
        if (response.headersSent) {
          response.destroy()
          return
        }
        if (error instanceof HttpRefusal && error.status === 504) response.setHeader('Connection', 'close')
        next(error)
      },
    })
    response.locals['guarded'] = guarded
    watchResponse(response, guarded)
    guarded.start()
  }
}

function routeOf({ method, baseUrl, route }: Request): string {
  const path: unknown = route?.path
  return path === undefined ? baseUrl || '/' : `${method} ${baseUrl}${textOf(path)}`
}

// A text, an expression, or a list of both.
function textOf(path: unknown): string {
  if (path instanceof RegExp) return path.source
  return Array.isArray(path) ? path.map(textOf).join(',') : typeof path === 'string' ? path : ''
}
