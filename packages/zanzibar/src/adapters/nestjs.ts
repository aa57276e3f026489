import { type CanActivate, type ExecutionContext, HttpException } from '@nestjs/common'
import {
  type AuthorizationOptions,
  atLeastHeader,
  type Checks,
  type RequiresOf,
  refusalOf,
} from './permission.ts'

/** Makes the guard that lets only those through who have `relation` to the object. */
export type Requires<Z extends Checks = Checks> = RequiresOf<Z, ExecutionContext, CanActivate>

/**
 * Guards for NestJS, on Express or Fastify: `@UseGuards(requires('viewer', (context) => …))`. Who is refused comes to the filters of
 * exceptions as an `HttpException` with status 401, 403 (or 404), or 400 for a token that is none; what goes wrong, too.
 */
export function authorization<Z extends Checks>(
  options: AuthorizationOptions<ExecutionContext, Z>,
): Requires<Z>
export function authorization(options: AuthorizationOptions<ExecutionContext>): Requires {
  return (relation, object) => ({
    async canActivate(context: ExecutionContext): Promise<boolean> {
      const isHttp = context.getType() === 'http'
      const request: NestRequest | undefined = isHttp ? context.switchToHttp().getRequest() : undefined
      const header = request?.headers[atLeastHeader]?.toString()
      const refusal = await refusalOf(options, relation, object, context, header)
      if (refusal === undefined) return true
      const { status, message, headers, cause } = refusal
      if (isHttp) {
        const response: NestResponse = context.switchToHttp().getResponse()
        for (const [name, value] of Object.entries(headers)) response.header(name, value)
      }
      throw new HttpException({ statusCode: status, message }, status, { cause })
    },
  })
}

/** As Express and Fastify have it. */
interface NestRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
}

interface NestResponse {
  header(name: string, value: string): unknown
}

export type { AuthorizationOptions, Checks, ObjectOf, RequiresOf } from './permission.ts'
