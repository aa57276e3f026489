/** When to try again, and what to make of what a server says about it. */
export interface Backoff {
  /** Milliseconds, at least. */
  readonly min: number
  /** Milliseconds that the doubling goes up to. */
  readonly max: number
}

/** As `stripe-node` 23.1.0 does it (`RequestSender.js`): half of it is random, and none of it is below half a second. */
export const stripeBackoff: Backoff = { min: 500, max: 5000 }

/**
 * Milliseconds before the next attempt: half of `min`, doubled with every retry that was made, at most `max`, of which up to a
 * half is taken off at random; at least `min`.
 *
 * @param random from 0 to below 1
 */
export function backoff({ min, max }: Backoff, retriesMade: number, random: number): number {
  return Math.max(min, Math.min(min * 2 ** (retriesMade - 1), max) * 0.5 * (1 + random))
}

/** Whether an answer asks for another attempt with the same key. */
export function asksForRetry(status: number, headers: Headers): boolean {
  const said = headers.get('stripe-should-retry')
  if (said === 'false') return false
  return said === 'true' || status === 409 || status === 429 || status >= 500
}

/**
 * Milliseconds of `Retry-After` (RFC 9110, section 10.2.3): a number of seconds, or a date.
 *
 * @param now wall-clock time in milliseconds
 * @returns undefined where there is none that can be read
 */
export function retryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000
  // `Date.parse` reads more than dates of HTTP, as -1.
  const date = /^ *(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

/** Whether a problem (RFC 9457) says that asking again does not help. */
export async function saysItIsFinal(response: Response): Promise<boolean> {
  if (!/^application\/problem\+json\b/i.test(response.headers.get('content-type') ?? '')) return false
  try {
    const problem: unknown = await response.clone().json()
    return typeof problem === 'object' && problem !== null && Reflect.get(problem, 'retryable') === false
  } catch {
    return false
  }
}
