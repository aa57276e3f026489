import type { Deed } from './api.ts'
import type { ClientName } from './official-clients.ts'

/** A call of a client, and what is at work when it comes. */
export interface Step {
  readonly method: 'POST' | 'DELETE'
  readonly path: string
  readonly deed: Deed
  readonly amount: number
  readonly key: string | undefined
  readonly retries: number
  /** Somebody else's request of the same key and content is at work, until so many were told so. */
  readonly busyFor: number
}

/** What the documentation of Stripe promises a client for a call, and how often the client asks. */
export interface Promised {
  readonly status: number
  readonly attempts: number
  /** Undefined where the client has no headers of a failure (Java). */
  readonly replayed?: boolean
  readonly id?: string
  readonly failed?: string
  readonly message?: string
}

interface Remembered {
  readonly path: string
  readonly content: string
  /** Undefined where the answer was a failure of v2: it is carried out again. */
  answer: Answer | undefined
}

type Answer = Pick<Promised, 'status' | 'id'>

const otherKey = (key: string): string =>
  `Try using a key other than '${key}' if you meant to execute a different request.`

/**
 * The contract of docs.stripe.com/api/idempotent_requests and api-v2-overview for one account, and what each official
 * client makes of the answers: written from the documentation and the specification, not from the code that it judges.
 */
export class Contract {
  readonly #client: ClientName
  readonly #remembered = new Map<string, Remembered>()
  #executions = 0

  constructor(client: ClientName) {
    this.#client = client
  }

  /** Whether nothing is known of its key, so that somebody else's request would be carried out. */
  isNew(step: Step): boolean {
    return step.key !== undefined && !this.#remembered.has(identityOf(step, step.key))
  }

  promise(step: Step): Promised {
    const { replayed, ...promised } = this.#promise(step)
    const unseen = this.#client === 'stripe-java' && promised.failed !== undefined
    return unseen || replayed === undefined ? promised : { ...promised, replayed }
  }

  #promise(step: Step): Promised {
    const busy = step.busyFor > 0
    if (busy) this.#carryOut(step)
    if (busy && step.busyFor > step.retries) return this.#inUse(step)
    const known = step.key === undefined ? undefined : this.#remembered.get(identityOf(step, step.key))
    const refusals = busy ? step.busyFor : 0
    if (known === undefined || known.answer === undefined)
      return known !== undefined && !isSame(known, step)
        ? this.#mismatch(known, step)
        : this.#executed(step, refusals)
    if (!isSame(known, step)) return this.#mismatch(known, step)
    return this.#told(known.answer, refusals + 1, true)
  }

  #executed(step: Step, refusals: number): Promised {
    let attempts = refusals + 1
    let answer = this.#carryOut(step)
    // v2 does not tell the client what to make of a failure; it asks again, and it is carried out again.
    while (isV2(step) && answer.status >= 500 && attempts <= step.retries) {
      attempts++
      answer = this.#carryOut(step)
    }
    return this.#told(answer, attempts, false)
  }

  #carryOut(step: Step): Answer {
    if (step.deed === 'refuses') return { status: 400 }
    const execution = ++this.#executions
    const answer: Answer = statusOf(step.deed, execution)
    if (step.key !== undefined) {
      this.#remembered.set(identityOf(step, step.key), {
        path: step.path,
        content: contentOf(step),
        answer: isV2(step) && answer.status >= 400 ? undefined : answer,
      })
    }
    return answer
  }

  #told(answer: Answer, attempts: number, replayed: boolean): Promised {
    const common = { ...answer, attempts, replayed }
    if (answer.status === 402) return { ...common, failed: 'card', message: 'Your card was declined.' }
    if (answer.status === 500) return { ...common, failed: 'api', message: 'out of order' }
    if (answer.status === 400) return { ...common, failed: 'invalidrequest', message: 'Invalid integer' }
    return common
  }

  #mismatch(known: Remembered, { key = '', path }: Step): Promised {
    const what =
      known.path === path
        ? 'with the same parameters they were first used with'
        : `for the same endpoint they were first used for ('${path}' vs '${known.path}')`
    return {
      status: 400,
      attempts: 1,
      replayed: false,
      failed: 'idempotency',
      message: `Keys for idempotent requests can only be used ${what}. ${otherKey(key)}`,
    }
  }

  #inUse({ key = '', retries }: Step): Promised {
    return {
      status: 409,
      attempts: retries + 1,
      replayed: false,
      failed: 'api',
      message: `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`,
    }
  }
}

function statusOf(deed: Deed, execution: number): Answer {
  if (deed === 'declines') return { status: 402 }
  if (deed === 'fails' || (deed === 'recovers' && execution % 2 === 1)) return { status: 500 }
  return { status: 200, id: `obj_${execution}` }
}

const isV2 = ({ path }: Step): boolean => path.startsWith('/v2/')

// A key is of an account and of one API: the other API has never heard of it.
const identityOf = (step: Step, key: string): string => `${isV2(step) ? 'v2' : 'v1'} ${key}`

const contentOf = ({ method, deed, amount }: Step): string =>
  method === 'DELETE' ? 'DELETE' : `${method} ${deed} ${amount}`

const isSame = (known: Remembered, step: Step): boolean =>
  known.path === step.path && known.content === contentOf(step)
