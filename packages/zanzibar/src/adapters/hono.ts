import type { Context, Env, MiddlewareHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import {
  type AuthorizationOptions,
  atLeastHeader,
  type Checks,
  type RequiresOf,
  refusalOf,
} from './permission.ts'

/** Makes the middleware that lets only those through who have `relation` to the object. */
export type Requires<E extends Env, Z extends Checks = Checks> = RequiresOf<
  Z,
  Context<E>,
  MiddlewareHandler<E>
>

/**
 * Guards of routes for Hono: `app.get('/documents/:id', requires('viewer', (context) => …), handler)`. Who is refused comes to
 * `onError` as an `HTTPException` with status 401, 403 (or 404), or 400 for a token that is none; what goes wrong, too.
 */
export function authorization<E extends Env = Env, Z extends Checks = Checks>(
  options: AuthorizationOptions<Context<E>, Z>,
): Requires<E, Z>
export function authorization<E extends Env = Env>(options: AuthorizationOptions<Context<E>>): Requires<E> {
  return (relation, object) => async (context, next) => {
    const refusal = await refusalOf(options, relation, object, context, context.req.header(atLeastHeader))
    if (refusal === undefined) return next()
    const { status, message, headers, cause } = refusal
    throw new HTTPException(status, { message, cause, res: new Response(message, { status, headers }) })
  }
}

export type { AuthorizationOptions, Checks, ObjectOf, RequiresOf } from './permission.ts'
