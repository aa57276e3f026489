import { Buffer } from 'node:buffer'
import { type Duration, parseRetention } from '../duration.ts'
import { httpSettings } from '../http/http-options.ts'
import { type HttpResponse, linesOf } from '../http/message.ts'
import type { Mode, Problem } from '../mode/mode.ts'

/** What clients must know of an API's keys: the draft wants it published, the expiry above all. */
export interface KeyDescription {
  readonly mode: string
  /** The header that carries the key. */
  readonly header: string
  /** The member of a JSON body that carries it instead. */
  readonly member?: string
  /** `structured-field`: a quoted string (RFC 8941); `lenient`: quoted or bare, the same key; `raw`: as it is. */
  readonly syntax: 'raw' | 'structured-field' | 'lenient'
  readonly minLength: number
  readonly maxLength: number
  readonly pattern?: string
  readonly methods: readonly string[]
  /** Whether a request without a key is refused. */
  readonly required: boolean
  /** Seconds for which an answer is kept at least; then the key is as new. */
  readonly expiresAfter: number
  /** Headers of answers that a page of another origin must be let see (`Access-Control-Expose-Headers`). */
  readonly exposedHeaders: readonly string[]
  /** Classes of statuses whose answers are kept, and replayed. */
  readonly keeps: readonly ('2xx' | '3xx' | '4xx' | '5xx')[]
  /** What is said instead of an answer, by its cause. */
  readonly problems: Readonly<Record<Problem['kind'], DescribedProblem>>
}

export interface DescribedProblem {
  readonly status: number
  readonly contentType: string
  /** As an example; what depends on the request stands for itself. */
  readonly body: unknown
  /** Seconds of `Retry-After`. */
  readonly retryAfter?: number
}

/** Options of {@link describe}. */
export interface DescribeOptions {
  /** As of `http`. */
  readonly mode: 'stripe-v1' | 'stripe-v2' | 'ietf' | Mode
  /** As of `createIdempotency`. Default: that of the mode. */
  readonly ttl?: Duration
}

/**
 * How an API treats keys, as JSON to publish. Everything in it is asked of the mode itself, and so is what it does.
 *
 * @throws IdempotencyError `invalid_option`
 */
export function describe(options: DescribeOptions): KeyDescription {
  const { mode } = httpSettings({ mode: options.mode })
  const { header, member, syntax, minLength, maxLength, pattern } = mode.key
  const retention = options.ttl === undefined ? mode.retention : parseRetention('ttl', options.ttl)
  return {
    mode: mode.name,
    header,
    ...(member !== undefined && { member }),
    syntax: syntax === 'strict' ? 'structured-field' : syntax,
    minLength,
    maxLength,
    ...(pattern && { pattern: pattern.source }),
    methods: [...mode.methods],
    required: mode.withoutKey === 'refuse',
    expiresAfter: Math.floor(retention / 1000),
    exposedHeaders: exposedHeaders(mode),
    keeps: (['2xx', '3xx', '4xx', '5xx'] as const).filter((each) => mode.keeps(Number(each[0]) * 100)),
    problems: problemsOf(mode),
  }
}

function exposedHeaders({ key, requestIds, shouldRetry, tellsExpiry = false }: Mode): string[] {
  return [
    key.header,
    'Idempotent-Replayed',
    'Retry-After',
    ...(requestIds ? ['Request-Id', 'Original-Request'] : []),
    ...(shouldRetry ? ['Stripe-Should-Retry'] : []),
    ...(tellsExpiry ? ['Idempotency-Expires'] : []),
  ]
}

function problemsOf(mode: Mode): KeyDescription['problems'] {
  const [key, recordId] = ['KG5LxwFBepaKHyUD', '8e03978e40d543dd']
  const of = (problem: Problem): DescribedProblem => described(mode.answer(problem))
  return {
    'key-missing': of({ kind: 'key-missing' }),
    'key-invalid': of({ kind: 'key-invalid', message: 'the header cannot be read' }),
    'endpoint-mismatch': of({
      kind: 'endpoint-mismatch',
      key,
      path: '/v1/refunds',
      firstPath: '/v1/charges',
    }),
    'content-mismatch': of({ kind: 'content-mismatch', key }),
    'in-use': of({ kind: 'in-use', key }),
    uncertain: of({ kind: 'uncertain', key, recordId }),
    'response-unavailable': of({ kind: 'response-unavailable', key, recordId, status: 200 }),
    'store-unavailable': of({ kind: 'store-unavailable' }),
    'body-too-large': of({ kind: 'body-too-large', maxBytes: 2 ** 20 }),
  }
}

function described({ status, headers, body }: HttpResponse): DescribedProblem {
  const [contentType = 'application/octet-stream'] = linesOf(headers, 'content-type')
  const [retryAfter] = linesOf(headers, 'retry-after')
  return {
    status,
    contentType,
    body: contentType.includes('json') ? JSON.parse(Buffer.from(body).toString()) : undefined,
    ...(retryAfter !== undefined && { retryAfter: Number(retryAfter) }),
  }
}
