import { type Duration, parseDuration } from '../duration.ts'
import { IdempotencyError, shown } from '../errors.ts'
import type { LeftOut } from '../fingerprint/canonical-json.ts'
import { ietf } from '../mode/ietf.ts'
import type { Mode } from '../mode/mode.ts'
import { stripeV1, stripeV2 } from '../mode/stripe.ts'
import { keptHeaders, mayBeKept } from '../response/stored-response.ts'
import { abandonedBy } from '../run.ts'
import type { ExchangeSettings, FailOpen, Refresh } from './exchange.ts'

/** How keys are used over HTTP. */
export interface HttpOptions {
  /** A mode by its name, or one of your own. */
  readonly mode: 'stripe-v1' | 'stripe-v2' | 'ietf' | Mode
  /** How long a duplicate waits for the answer of the one at work, before it is told that the key is in use. Default: 0. */
  readonly wait?: Duration
  /** `safe`: running a handler again does no harm, where a process was lost in the middle. Default: `never`, and the key is uncertain. */
  readonly rerun?: 'safe' | 'never'
  /**
   * Whether a request is one transaction of the store, which must have them: its key, its answer and what the handler writes by
   * {@link transactionOf} are committed together, before the answer is sent. An answer of 400 and above says that nothing was
   * done: what the handler wrote is rolled back, and the answer kept as the mode says. What is lost on the way was never there,
   * and the next attempt is a first one. A request without a key gets one. The handler holds a connection until it has answered,
   * so give it to routes that call nobody else. Default: false.
   */
  readonly transaction?: boolean
  /**
   * What a success has become since it was answered first, for API v2 of Stripe, whose repeated answers may be updated; undefined:
   * what it was. Nothing is executed again, and the status and headers of what it gives are its own. What it throws fails the
   * request, not the key. Default: answers are repeated as they were.
   *
   *     refresh: async ({ scope, response }) => {
   *       const { id } = JSON.parse(Buffer.from(response.body).toString())
   *       return { ...response, body: Buffer.from(JSON.stringify(await orders.of(scope).get(id))) }
   *     }
   */
  readonly refresh?: Refresh
  /**
   * Routes whose requests are carried out all the same where the store cannot be asked for their keys, each time that they are
   * asked for: **a retry is then done twice, and nothing will know of it**. Only for what does no harm twice, and is worse if it
   * is not done at all. Each such request is told of by `failed-open`. Default: none, and they are told 503.
   */
  readonly failOpen?: FailOpen
  /** Bytes of a body; a longer one is refused with 413. Default: 1 MiB. */
  readonly maxBodyBytes?: number
  /** Bytes of an answer that is kept; a longer one is sent, once. Default: 256 KiB. */
  readonly maxResponseBytes?: number
  /** Headers to keep of an answer, besides those that describe its content. Default: none. */
  readonly keepHeaders?: readonly string[]
  /** JSON Pointers (RFC 6901) to members of a JSON body that do not make it another request. Default: none. */
  readonly ignore?: readonly string[]
}

/** @throws IdempotencyError `invalid_option` */
export function httpSettings(options: HttpOptions): ExchangeSettings {
  const {
    rerun = 'never',
    maxBodyBytes = 2 ** 20,
    maxResponseBytes = 2 ** 18,
    keepHeaders = [],
    ignore = [],
  } = options
  for (const [name, value] of Object.entries({ maxBodyBytes, maxResponseBytes })) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new IdempotencyError('invalid_option', `${name} must be a number of bytes, not ${shown(value)}`)
    }
  }
  const { refresh, failOpen, transaction = false } = options
  const leftOut = treeOf(ignore)
  const mode = modeOf(options.mode)
  if (refresh !== undefined && mode.repeats !== 'refreshable') {
    throw new IdempotencyError(
      'invalid_option',
      `refresh is for modes whose repeated answers may be updated, as those of stripe-v2; those of ${mode.name} may not`,
    )
  }
  if (failOpen !== undefined && transaction) {
    throw new IdempotencyError(
      'invalid_option',
      'failOpen and transaction: true exclude each other: without its store there is no transaction',
    )
  }
  return {
    mode,
    wait: parseDuration('wait', options.wait ?? 0),
    onAbandoned: abandonedBy(rerun),
    maxBodyBytes,
    maxResponseBytes,
    keptHeaders: new Set([...keptHeaders, ...keepHeaders.map(headerName)]),
    ...(leftOut && { leftOut }),
    ...(refresh && { refresh }),
    ...(failOpen && { failOpen }),
  }
}

function modeOf(mode: HttpOptions['mode']): Mode {
  switch (mode) {
    case 'stripe-v1':
      return stripeV1
    case 'stripe-v2':
      return stripeV2
    case 'ietf':
      return ietf()
    default:
      if (typeof mode === 'object') return mode
      throw new IdempotencyError(
        'invalid_option',
        `mode must be stripe-v1, stripe-v2, ietf or a mode, not ${shown(mode)}`,
      )
  }
}

function headerName(name: string): string {
  const lower = name.toLowerCase()
  if (/^[!#$%&'*+.^`|~\w-]+$/.test(lower) && mayBeKept(lower)) return lower
  throw new IdempotencyError(
    'invalid_option',
    `keepHeaders: ${shown(name)} is no header that can be kept: it is none, or of one exchange`,
  )
}

interface Growing extends Map<string, Growing | true> {}

function treeOf(pointers: readonly string[]): LeftOut | undefined {
  if (pointers.length === 0) return undefined
  const root: Growing = new Map()
  for (const pointer of pointers) {
    const steps = pointer.split('/').map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    if (steps.shift() !== '' || steps.length === 0) {
      throw new IdempotencyError(
        'invalid_option',
        `ignore: ${shown(pointer)} is no JSON Pointer, such as /metadata/trace`,
      )
    }
    const last = steps.pop() ?? ''
    let place: Growing | true | undefined = root
    for (const step of steps) {
      if (!(place instanceof Map)) break
      const below: Growing | true = place.get(step) ?? new Map()
      place.set(step, below)
      place = below
    }
    if (place instanceof Map) place.set(last, true)
  }
  return root
}
