import { Buffer } from 'node:buffer'
import type { HttpResponse } from '../http/message.ts'
import type { KeyRules } from '../key/idempotency-key.ts'
import { ietf } from './ietf.ts'
import type { Mode, Problem } from './mode.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** How the answer to a problem differs from that of the IETF's draft. */
interface Difference {
  readonly status: number
  /** In the JSON body, beside or in place of those of RFC 9457. */
  readonly members?: Readonly<Record<string, unknown>>
}

/** What a provider documents; where it says nothing, the IETF's draft stands in. */
interface Preset extends Partial<Omit<Mode, 'key' | 'answer'>> {
  readonly name: string
  readonly retention: number
  readonly key: Pick<KeyRules, 'maxLength'> & Partial<KeyRules>
  readonly documentation: string
  readonly answers?: Partial<Record<Problem['kind'], Difference>>
}

/**
 * Adyen: keys of up to 64 characters on POST, that belong to a company account, for at least 31 days. Other pages of
 * its documentation have said 7 to 14. (docs.adyen.com/development-resources/api-idempotency)
 */
export const adyen: Mode = modeOf({
  name: 'adyen',
  key: { maxLength: 64 },
  retention: 31 * dayMs,
  documentation: 'https://docs.adyen.com/development-resources/api-idempotency',
})

/**
 * checkout.com: `Cko-Idempotency-Key` for 24 hours; only what was processed is kept, and a duplicate of one at work is
 * told 429. It does not say how long a key may be: 255. (checkout.com/docs/developer-resources/api/idempotency)
 */
export const checkoutCom: Mode = modeOf({
  name: 'checkout.com',
  key: { header: 'Cko-Idempotency-Key', maxLength: 255 },
  retention: dayMs,
  keeps: (status) => status >= 200 && status < 300,
  documentation: 'https://www.checkout.com/docs/developer-resources/api/idempotency',
  answers: { 'in-use': { status: 429 } },
})

/**
 * PayPal: `PayPal-Request-Id` of up to 108 characters, kept for 6 hours, as its Orders v2 has it; others of its APIs keep
 * them longer. What failed with 5xx may be tried again with the same one.
 * (developer.paypal.com/api/rest/reference/idempotency, …/api/orders/v2, …/api/payment-tokens/v3/errors)
 */
export const payPal: Mode = modeOf({
  name: 'paypal',
  key: { header: 'PayPal-Request-Id', maxLength: 108 },
  retention: 6 * hourMs,
  keeps: (status) => status < 500,
  otherwise: 'leave',
  documentation: 'https://developer.paypal.com/api/rest/reference/idempotency',
  answers: mismatches({
    status: 422,
    members: { name: 'UNPROCESSABLE_ENTITY', details: [{ issue: 'PAYPAL_REQUEST_ID_PREVIOUSLY_USED' }] },
  }),
})

/**
 * Square: the member `idempotency_key` of the body, of up to 45 characters, as CreatePayment has it, where it is required.
 * Square publishes no retention: 24 hours. (developer.squareup.com/docs/build-basics/common-api-patterns/idempotency)
 */
export const square: Mode = modeOf({
  name: 'square',
  key: { member: 'idempotency_key', maxLength: 45 },
  withoutKey: 'refuse',
  retention: dayMs,
  documentation: 'https://developer.squareup.com/docs/build-basics/common-api-patterns/idempotency',
  answers: {
    'key-missing': squareError('MISSING_REQUIRED_PARAMETER'),
    ...mismatches(squareError('IDEMPOTENCY_KEY_REUSED')),
  },
})

/**
 * Increase: keys of up to 200 characters on POST; one that was used for something else is told 409. Its `resource_id`,
 * the object that the key belongs to, is not there: nothing here knows the objects of the application. It does not say
 * for how long keys are kept: 24 hours. (increase.com/documentation/idempotency-keys)
 */
export const increase: Mode = modeOf({
  name: 'increase',
  key: { maxLength: 200 },
  retention: dayMs,
  documentation: 'https://increase.com/documentation/idempotency-keys',
  answers: mismatches({ status: 409, members: { type: 'idempotency_key_already_used_error' } }),
})

/**
 * Mangopay: keys of 16 to 36 letters, digits and dashes for 24 hours. A repeated request is blocked with 409, whatever
 * became of the first; its answer is not sent again. (docs.mangopay.com/api-reference/overview/idempotency)
 */
export const mangopay: Mode = modeOf({
  name: 'mangopay',
  key: { minLength: 16, maxLength: 36, pattern: /^[A-Za-z0-9-]*$/ },
  retention: dayMs,
  repeats: 'refused',
  documentation: 'https://docs.mangopay.com/api-reference/overview/idempotency',
  answers: Object.fromEntries(
    (['response-unavailable', 'in-use', 'content-mismatch', 'endpoint-mismatch'] as const).map((kind) => [
      kind,
      {
        status: 409,
        members: {
          Message: 'A resource has already been created with this Idempotency Key',
          Type: 'idempotent_creation_conflict',
        },
      },
    ]),
  ),
})

/**
 * whop: keys of up to 255 characters on POST for 24 hours; another method, path, query, body or `Api-Version-Date` is
 * another request, and refused with 400. Answers of 4xx are replayed as well; of 5xx it says nothing, and they are not.
 * (docs.whop.com/developer/api/idempotency)
 */
export const whop: Mode = modeOf({
  name: 'whop',
  key: { maxLength: 255 },
  retention: dayMs,
  keeps: (status) => status < 500,
  comparedHeaders: ['api-version-date'],
  documentation: 'https://docs.whop.com/developer/api/idempotency',
  answers: mismatches({ status: 400 }),
})

function modeOf({ documentation, answers, key, ...more }: Preset): Mode {
  const draft = ietf({ required: false, documentation })
  return {
    ...draft,
    methods: new Set(['POST']),
    ...more,
    key: { header: 'Idempotency-Key', syntax: 'raw', minLength: 1, ...key },
    answer: (problem) => differing(draft.answer(problem), answers?.[problem.kind]),
  }
}

function differing(response: HttpResponse, difference: Difference | undefined): HttpResponse {
  if (difference === undefined) return response
  const { status, members } = difference
  const body: unknown = JSON.parse(Buffer.from(response.body).toString())
  return {
    ...response,
    status,
    body: Buffer.from(JSON.stringify(Object.assign({}, body, { status }, members))),
  }
}

function mismatches(difference: Difference): NonNullable<Preset['answers']> {
  return { 'content-mismatch': difference, 'endpoint-mismatch': difference }
}

function squareError(code: string): Difference {
  return { status: 400, members: { errors: [{ category: 'INVALID_REQUEST_ERROR', code }] } }
}
