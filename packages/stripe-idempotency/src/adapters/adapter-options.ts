import { IdempotencyError, shown } from '../errors.ts'
import type { Exchange } from '../http/exchange.ts'
import type { HttpOptions } from '../http/http-options.ts'
import { createIdempotency, type IdempotencyOptions } from '../idempotency.ts'

/** Options of an adapter: the store, how keys are used, and whose they are. */
export interface AdapterOptions<Context> extends IdempotencyOptions, HttpOptions {
  /**
   * Whose key it is: the account or tenant that the request was authenticated as. Asked only of requests on which a key has
   * an effect. Without an answer the request fails with `scope_missing`: keys of different people never share a bucket.
   */
  readonly scope: (context: Context) => string | Promise<string>
}

/** @throws IdempotencyError `invalid_option` */
export function exchangeOf<Context>(options: AdapterOptions<Context>): Exchange {
  const scope: unknown = options.scope
  if (typeof scope !== 'function') {
    throw new IdempotencyError(
      'invalid_option',
      `scope must be a function that says whose key it is, not ${shown(scope)}`,
    )
  }
  return createIdempotency(options).http(options)
}
