import type { NextFunction, Request, RequestHandler } from 'express'
import {
  type AuthorizationOptions,
  atLeastHeader,
  type Checks,
  httpErrorOf,
  type RequiresOf,
  refusalOf,
} from './permission.ts'

/** Makes the middleware that lets only those through who have `relation` to the object. */
export type Requires<Z extends Checks = Checks> = RequiresOf<Z, Request, RequestHandler>

/**
 * Guards of routes for Express 4 and 5: `app.get('/documents/:id', requires('viewer', (request) => …), handler)`. Who is
 * refused comes to the handler of errors with `status` 401, 403 (or 404), or 400 for a token that is none; what goes wrong, too.
 */
export function authorization<Z extends Checks>(options: AuthorizationOptions<Request, Z>): Requires<Z>
export function authorization(options: AuthorizationOptions<Request>): Requires {
  return (relation, object) => {
    const judge = async (request: Request, next: NextFunction): Promise<void> => {
      try {
        const refusal = await refusalOf(options, relation, object, request, request.get(atLeastHeader))
        next(refusal && httpErrorOf(refusal))
      } catch (error) {
        next(error)
      }
    }
    return (request, _response, next) => void judge(request, next)
  }
}

export type { AuthorizationOptions, Checks, ObjectOf, RequiresOf } from './permission.ts'
