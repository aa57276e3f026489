import { Buffer } from 'node:buffer'
import type { HeaderLines, HttpResponse } from '../http/message.ts'
import type { Mode, Problem } from './mode.ts'

const dayMs = 86_400_000

const contract = {
  key: { header: 'Idempotency-Key', syntax: 'raw', minLength: 1, maxLength: 255 },
  requestIds: true,
  shouldRetry: true,
  answer,
} as const

/**
 * Stripe's API v1: any answer is kept once execution has begun, 500 as well; POST only; a key names one request of an
 * account, whatever the endpoint. (docs.stripe.com/api/idempotent_requests)
 */
export const stripeV1: Mode = {
  ...contract,
  name: 'stripe-v1',
  methods: new Set(['POST']),
  withoutKey: 'pass',
  retention: dayMs,
  keeps: () => true,
  otherwise: 'release',
}

/**
 * Stripe's API v2: a success is never repeated, a failure is carried out again; POST and DELETE; a key of v1 is another
 * key. (docs.stripe.com/api-v2-overview)
 */
export const stripeV2: Mode = {
  ...contract,
  name: 'stripe-v2',
  keySpace: 'stripe-v2',
  methods: new Set(['POST', 'DELETE']),
  withoutKey: 'generate',
  retention: 30 * dayMs,
  keeps: (status) => status < 400,
  otherwise: 'leave',
  repeats: 'refreshable',
}

const anotherKey = (key: string): string =>
  `Try using a key other than '${key}' if you meant to execute a different request.`

// The sentences are Stripe's, as its clients and their tests know them; where it has none they are ours.
function answer(problem: Problem): HttpResponse {
  switch (problem.kind) {
    case 'key-missing':
      return error(400, 'invalid_request_error', 'This request must have the header Idempotency-Key.')
    case 'key-invalid':
      return error(400, 'invalid_request_error', problem.message)
    case 'endpoint-mismatch':
      return error(
        400,
        'idempotency_error',
        `Keys for idempotent requests can only be used for the same endpoint they were first used for ('${problem.path}' vs '${problem.firstPath}'). ${anotherKey(problem.key)}`,
      )
    case 'content-mismatch':
      return error(
        400,
        'idempotency_error',
        `Keys for idempotent requests can only be used with the same parameters they were first used with. ${anotherKey(problem.key)}`,
      )
    case 'in-use':
      return error(
        409,
        'invalid_request_error',
        `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${problem.key}. Please try again later.`,
        {
          code: 'idempotency_key_in_use',
          doc_url: 'https://stripe.com/docs/error-codes/idempotency-key-in-use',
        },
        [
          ['stripe-should-retry', 'true'],
          ['retry-after', '1'],
        ],
      )
    case 'uncertain':
      return error(
        409,
        'idempotency_error',
        `It is not known whether the request with the key '${problem.key}' took effect. It is not executed again until that is settled; the record is ${problem.recordId}.`,
        { code: 'idempotency_uncertain', operation: problem.recordId },
        [['stripe-should-retry', 'false']],
      )
    case 'response-unavailable':
      return error(
        409,
        'idempotency_error',
        `The request with the key '${problem.key}' was executed${problem.status === null ? '' : ` with the status ${problem.status}`}, and its response is no longer there. It is not executed again; the record is ${problem.recordId}.`,
        { code: 'idempotency_response_unavailable', operation: problem.recordId },
        [['stripe-should-retry', 'false']],
      )
    case 'store-unavailable':
      return error(
        503,
        'api_error',
        'Idempotency keys cannot be checked at the moment. Nothing was executed.',
        {},
        [
          ['stripe-should-retry', 'true'],
          ['retry-after', '1'],
        ],
      )
    case 'body-too-large':
      return error(
        413,
        'invalid_request_error',
        `The body must not have more than ${problem.maxBytes} bytes.`,
      )
    default:
      return problem satisfies never
  }
}

function error(
  status: number,
  type: string,
  message: string,
  details: Readonly<Record<string, string>> = {},
  headers: HeaderLines = [],
): HttpResponse {
  return {
    status,
    headers: [['content-type', 'application/json'], ...headers],
    body: Buffer.from(JSON.stringify({ error: { ...details, message, type } })),
  }
}
