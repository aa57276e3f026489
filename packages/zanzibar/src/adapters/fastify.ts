import type { FastifyRequest, preHandlerAsyncHookHandler } from 'fastify'
import {
  type AuthorizationOptions,
  atLeastHeader,
  type Checks,
  httpErrorOf,
  type RequiresOf,
  refusalOf,
} from './permission.ts'

/** Makes the hook that lets only those through who have `relation` to the object. */
export type Requires<Z extends Checks = Checks> = RequiresOf<Z, FastifyRequest, preHandlerAsyncHookHandler>

/**
 * Guards of routes for Fastify: `app.get('/documents/:id', { preHandler: requires('viewer', (request) => …) }, handler)`. Who is
 * refused comes to the handler of errors with `statusCode` 401, 403 (or 404), or 400 for a token that is none; what goes wrong, too.
 */
export function authorization<Z extends Checks>(options: AuthorizationOptions<FastifyRequest, Z>): Requires<Z>
export function authorization(options: AuthorizationOptions<FastifyRequest>): Requires {
  return (relation, object) => async (request) => {
    const header = request.headers[atLeastHeader]
    const refusal = await refusalOf(options, relation, object, request, header?.toString())
    if (refusal !== undefined) throw httpErrorOf(refusal)
  }
}

export type { AuthorizationOptions, Checks, ObjectOf, RequiresOf } from './permission.ts'
