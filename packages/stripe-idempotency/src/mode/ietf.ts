import { Buffer } from 'node:buffer'
import type { HttpResponse } from '../http/message.ts'
import type { KeySyntax } from '../key/idempotency-key.ts'
import type { Mode, Problem } from './mode.ts'

/** Options of {@link ietf}. */
export interface IetfOptions {
  /** Default: `lenient`. */
  readonly syntax?: Exclude<KeySyntax, 'raw'>
  /** Whether a request without a key is refused. Default: true. */
  readonly required?: boolean
  /** Where it is written how keys are used, for the `Link` of an error. Default: the draft. */
  readonly documentation?: string
  /** Whether answers have a header `Idempotency-Expires`; see {@link Mode.tellsExpiry}. Default: false. */
  readonly tellsExpiry?: boolean
}

const draft = 'https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/'

/** draft-ietf-httpapi-idempotency-key-header-07: POST and PATCH; errors as `application/problem+json` (RFC 9457) with the draft's titles. */
export function ietf({
  syntax = 'lenient',
  required = true,
  documentation = draft,
  tellsExpiry = false,
}: IetfOptions = {}): Mode {
  return {
    name: 'ietf',
    methods: new Set(['POST', 'PATCH']),
    key: { header: 'Idempotency-Key', syntax, minLength: 0, maxLength: 1024 },
    withoutKey: required ? 'refuse' : 'pass',
    retention: 86_400_000,
    keeps: () => true,
    otherwise: 'release',
    requestIds: false,
    shouldRetry: false,
    tellsExpiry,
    answer: (problem) => answer(problem, documentation),
  }
}

/** Of an answer: seconds to wait, or members for programs to read, as RFC 9457 lets a problem have its own. */
interface Details {
  readonly retryAfter?: number
  readonly retryable?: false
  /** The record in question. */
  readonly operation?: string
}

function answer(problem: Problem, documentation: string): HttpResponse {
  const to = (
    status: number,
    title: string,
    detail: string,
    { retryAfter, ...members }: Details = {},
  ): HttpResponse => ({
    status,
    headers: [
      ['content-type', 'application/problem+json'],
      ['link', `<${documentation}>; rel="describedby"; type="text/html"`],
      ...(retryAfter === undefined ? [] : [['retry-after', String(retryAfter)] as const]),
    ],
    body: Buffer.from(JSON.stringify({ type: documentation, title, detail, status, ...members })),
  })
  switch (problem.kind) {
    case 'key-missing':
      return to(
        400,
        'Idempotency-Key is missing',
        'This operation is idempotent and it requires correct usage of Idempotency Key.',
      )
    case 'key-invalid':
      return to(400, 'Idempotency-Key is invalid', problem.message)
    case 'endpoint-mismatch':
    case 'content-mismatch':
      return to(
        422,
        'Idempotency-Key is already used',
        'This operation is idempotent and it requires correct usage of Idempotency Key. Idempotency Key MUST not be reused across different payloads of this operation.',
      )
    case 'in-use':
      return to(
        409,
        'A request is outstanding for this Idempotency-Key',
        'A request with the same Idempotency-Key for the same operation is being processed or is outstanding.',
        { retryAfter: 1 },
      )
    case 'uncertain':
      return to(
        409,
        'The outcome of this Idempotency-Key is uncertain',
        `It is not known whether the request took effect. It is not executed again until that is settled; the record is ${problem.recordId}.`,
        { retryable: false, operation: problem.recordId },
      )
    case 'response-unavailable':
      return to(
        409,
        'The response of this Idempotency-Key is unavailable',
        `The request was executed${problem.status === null ? '' : ` with the status ${problem.status}`}, and its response is no longer there. It is not executed again; the record is ${problem.recordId}.`,
        { retryable: false, operation: problem.recordId },
      )
    case 'store-unavailable':
      return to(503, 'Idempotency-Key cannot be checked', 'Nothing was executed. Please try again later.', {
        retryAfter: 1,
      })
    case 'body-too-large':
      return to(413, 'Content too large', `The body must not have more than ${problem.maxBytes} bytes.`)
    default:
      return problem satisfies never
  }
}
