import type { Context, MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { routePath } from 'hono/route'
import { checkFunction } from '../option-checks.ts'
import { type GuardedRequest, HttpRefusal, type RouteGuardOptions, RouteGuards } from './route-guard.ts'

export { FailureStatusError, type HttpBreakerOptions } from './http-breakers.ts'
export type { KeyedBreakerOptions, KeyedOptions } from './keyed-breakers.ts'
export { type GuardedRequest, HttpRefusal, type RouteGuardOptions } from './route-guard.ts'

export interface HonoBreakerOptions extends RouteGuardOptions {
  /**
   * The name of the breaker of a request; undefined for one that goes unguarded. Default: its method and the path of
   * the last route that it matches.
   */
  readonly keyOf?: (context: Context) => string | undefined
}

/** For `new Hono<GuardedEnv>()`. */
export interface GuardedEnv {
  Variables: {
    /** Breaker and signal of a guarded request. */
    guarded: GuardedRequest
  }
}

/**
 * Hono 4 middleware that guards what comes after it with a circuit breaker, one for each route.
 *
 * - Failed are statuses of 500 and above, or what `isFailureStatus` says: those of `onError` for what a handler throws
 *   too. A client that goes before its answer begins counts neither way.
 * - A request that is refused, or that has no answer within `timeout` (1 s by default), is an HTTPException with the
 *   {@link HttpRefusal} as its cause: 503, with `Retry-After` while the circuit is open, or 504. Hono answers it;
 *   `onError` of yours may.
 * - `context.get('guarded')` has the breaker, and a `signal` that is aborted when the time is over or the client goes.
 *
 * ```ts
 * app.use(breakerMiddleware({ registry, options: { timeout: '2s' } }))
 * ```
 *
 * @throws InvalidOptionError naming the option.
 */
export function breakerMiddleware(options: HonoBreakerOptions = {}): MiddlewareHandler<GuardedEnv> {
  const guards = new RouteGuards(options, ['keyOf'])
  const keyOf = checkFunction('keyOf', options.keyOf ?? routeOf)
  return async (context, next) => {
    const key = keyOf(context)
    if (key === undefined) return next()
    const { signal } = context.req.raw
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const guarded = guards.request(key, {
      begin: () => {
        const answered = next().then(() => guarded.answered(context.res.status))
        answered.then(resolve, (error: unknown) => {
          guarded.failed(error)
          reject(error)
        })
      },
      refuse: (error) => reject(error instanceof HttpRefusal ? exceptionOf(error) : error),
    })
    const leave = (): void => {
      guarded.left()
      resolve()
    }
    context.set('guarded', guarded)
    if (signal.aborted) return leave()
    signal.addEventListener('abort', leave, { once: true })
    try {
      guarded.start()
      await promise
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }
}

function exceptionOf(refusal: HttpRefusal): HTTPException {
  const { status, message, headers } = refusal
  const res = new Response(message, {
    status,
    headers: { 'content-type': 'text/plain; charset=UTF-8', ...headers },
  })
  return new HTTPException(status, { message, cause: refusal, res })
}

function routeOf(context: Context): string {
  return `${context.req.method} ${routePath(context, -1)}`
}
