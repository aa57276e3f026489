import { Buffer } from 'node:buffer'
import { type Duration, parseDuration, parsePositiveRetention } from '../duration.ts'
import { IdempotencyError, shown } from '../errors.ts'
import { type Clock, type Random, realClock, realRandom } from '../ports.ts'
import { asksForRetry, backoff, retryAfter, saysItIsFinal, stripeBackoff } from './retry.ts'
import { RetryBudget, type RetryBudgetOptions } from './retry-budget.ts'

/** Options of {@link idempotentFetch}. */
export interface IdempotentFetchOptions {
  /**
   * The key of a request that has none. Called once for a call, before its first attempt: store what it returns with what you are
   * about to do, and a call made again after a crash is the same call. It may read the body. A server that is strict about the IETF's draft wants it
   * quoted: `'"payment-17"'`. Default: a random one, not quoted.
   */
  readonly key?: (request: Request) => string | Promise<string>
  /** The header of the key. Default: `Idempotency-Key`. */
  readonly header?: string
  /** Methods that get a key, and are tried again. Default: POST, PATCH and DELETE. */
  readonly methods?: readonly string[]
  /** Attempts after the first. Default: 2. */
  readonly retries?: number
  /** Shared by all calls. Default: a ratio of 0.2, and 10 at once. */
  readonly budget?: RetryBudgetOptions
  /** Where a server asks to wait longer than this before the next attempt, there is none. Default: `60s`. */
  readonly maxRetryAfter?: Duration
  /**
   * For how long the server remembers a key, at least. From then on the same key would be another request, so there is no attempt
   * that could come later. Default: `24h`, as of Stripe's API v1.
   */
  readonly retention?: Duration
  readonly clock?: Clock
  readonly random?: Random
}

/** Clocks of two machines do not agree to the second, and a request is under way for some time. */
const retentionMargin = 60_000

/**
 * A `fetch` that gives each call one idempotency key, and tries again with it where that may help: after errors of the
 * connection, 409, 429, 500 and above, and as `Stripe-Should-Retry`, or the member `retryable` of a problem (RFC 9457), says. The answer, or the error, of the last attempt is that of
 * the call.
 *
 * A request that was refused for good (another 4xx) needs a new key once it is corrected.
 *
 * @param fetch what sends the attempts
 * @throws IdempotencyError `invalid_option`; a call rejects with `key_invalid` where its key is empty
 */
export function idempotentFetch(
  fetch: typeof globalThis.fetch,
  options: IdempotentFetchOptions = {},
): typeof globalThis.fetch {
  const { header = 'Idempotency-Key', retries = 2, clock = realClock, random = realRandom } = options
  const { ratio = 0.2, burst = 10 } = options.budget ?? {}
  checkNumbers({ retries, 'budget.ratio': ratio, 'budget.burst': burst })
  checkToken('header', header)
  const methods = parseMethods(options.methods ?? ['POST', 'PATCH', 'DELETE'])
  const maxRetryAfter = parseDuration('maxRetryAfter', options.maxRetryAfter ?? '60s')
  const retention = parsePositiveRetention('retention', options.retention ?? '24h')
  const budget = new RetryBudget({ ratio, burst })

  /** Milliseconds to wait for the next attempt; undefined where there is none. */
  const pauseOf = (attempt: Attempt, retriesMade: number, age: number): number | undefined => {
    const response = 'response' in attempt ? attempt.response : undefined
    if (
      retriesMade >= retries ||
      (response !== undefined && !asksForRetry(response.status, response.headers))
    ) {
      return undefined
    }
    const asked = retryAfter(response?.headers.get('retry-after') ?? null, clock.now())
    if (asked !== undefined && asked > maxRetryAfter) return undefined
    // Those who were told the same moment do not come all at once.
    const pause =
      asked === undefined
        ? backoff(stripeBackoff, retriesMade, fraction(random))
        : asked + stripeBackoff.min * fraction(random)
    return age + pause > retention - retentionMargin || !budget.draw() ? undefined : pause
  }

  return async (input, init) => {
    const request = new Request(input, init)
    if (!methods.has(request.method)) return fetch(request)
    const since = clock.monotonic()
    if (!request.headers.has(header)) {
      request.headers.set(header, options.key ? await options.key(request.clone()) : randomKey(random))
    }
    // With no key a server carries each attempt out.
    if (request.headers.get(header) === '') {
      throw new IdempotencyError('key_invalid', `the key of a request must not be empty, and ${header} is`)
    }
    budget.called()
    for (let retriesMade = 0; ; retriesMade++) {
      const attempt = await attemptOf(fetch, request)
      const gone = request.signal.aborted
      const final = 'response' in attempt && (await saysItIsFinal(attempt.response))
      const pause = gone || final ? undefined : pauseOf(attempt, retriesMade, clock.monotonic() - since)
      if (pause === undefined) {
        if ('error' in attempt) throw attempt.error
        return attempt.response
      }
      // What is not read keeps its connection.
      if ('response' in attempt) await attempt.response.body?.cancel()
      await sleep(clock, pause, request.signal)
    }
  }
}

type Attempt = { readonly response: Response } | { readonly error: unknown }

async function attemptOf(fetch: typeof globalThis.fetch, request: Request): Promise<Attempt> {
  try {
    return { response: await fetch(request.clone()) }
  } catch (error) {
    return { error }
  }
}

/** @throws the reason of `signal` */
async function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const abort = (): void => reject(signal.reason)
  const timer = clock.setTimeout(resolve, ms)
  signal.addEventListener('abort', abort)
  try {
    await promise
  } finally {
    clock.clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}

function checkNumbers(numbers: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (typeof value === 'number' && value >= 0) continue
    throw new IdempotencyError(
      'invalid_option',
      `${name} must be a number of at least 0, not ${shown(value)}`,
    )
  }
}

function parseMethods(methods: unknown): ReadonlySet<string> {
  if (!Array.isArray(methods)) {
    throw new IdempotencyError('invalid_option', `methods must be a list, not ${shown(methods)}`)
  }
  return new Set(methods.map((each: unknown) => checkToken('methods', each)))
}

/** @throws IdempotencyError `invalid_option` for what is no token of HTTP (RFC 9110, section 5.6.2) */
function checkToken(name: string, value: unknown): string {
  if (typeof value === 'string' && /^[\w!#$%&'*+.^`|~-]+$/.test(value)) return value
  throw new IdempotencyError(
    'invalid_option',
    `${name} must be made of tokens of HTTP, and is ${shown(value)}`,
  )
}

function randomKey(random: Random): string {
  return Buffer.from(random.bytes(16)).toString('hex')
}

/** From 0 to below 1. */
function fraction(random: Random): number {
  const [a = 0, b = 0, c = 0, d = 0] = random.bytes(4)
  return (a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d) / 2 ** 32
}
