/** A series of requests to one server. Times are milliseconds. */
export interface History {
  readonly mode: 'stripe-v1' | 'stripe-v2' | 'ietf'
  readonly options: { readonly lease: number; readonly retention: number; readonly wait: number }
  readonly requests: readonly Asked[]
}

export interface Asked {
  readonly at: number
  readonly account: string
  readonly method: string
  readonly path: string
  /** The line of its header. */
  readonly key: string | undefined
  readonly body: string
  readonly handler: { readonly takes: number; readonly status: number; readonly validationError: boolean }
}

/** Requests by their places: `answerOf` is the request whose handler has made it, `original` the one that `Original-Request` tells. */
interface Expected {
  readonly at: number
  readonly status: number
  readonly replayed: boolean
  readonly answerOf: number | undefined
  readonly original: number | undefined
}

interface Arrived extends Asked {
  readonly index: number
}

/** What a server knows of a key. */
interface Kept {
  readonly id: string
  /** Until when it is kept, once nobody is at it. */
  until: number
  readonly endpoint: string
  readonly content: string
  state: 'in flight' | 'failed' | 'answered'
  answerOf: Arrived
  hasFailed: boolean
  /** In the order in which they came. */
  readonly waiting: Set<{ readonly request: Arrived; readonly until: number }>
}

const methods = { 'stripe-v1': ['POST'], 'stripe-v2': ['POST', 'DELETE'], ietf: ['POST', 'PATCH'] }

/**
 * What the specification of the package (3.1 to 3.4) has a server answer, worked out without anything of its source. Nobody
 * dies, and whoever is at work renews his lease: there are none here.
 */
export function expectedOf(history: History): { answers: readonly Expected[]; executions: number } {
  const { answers, executions } = new ModelServer(history)
  return { answers, executions }
}

class ModelServer {
  readonly answers: Expected[] = []
  executions = 0
  readonly #mode: History['mode']
  readonly #options: History['options']
  readonly #kept = new Map<string, Kept>()
  #due: { readonly at: number; readonly act: () => void }[] = []

  constructor({ mode, options, requests }: History) {
    this.#mode = mode
    this.#options = options
    for (const [index, each] of requests.entries()) {
      this.#due.push({ at: each.at, act: () => this.#arrive({ ...each, index }) })
    }
    for (;;) {
      const [next, ...later] = this.#due.toSorted((a, b) => a.at - b.at)
      if (next === undefined) return
      this.#due = later
      next.act()
    }
  }

  #arrive(request: Arrived): void {
    const { at, account, method, key, index } = request
    if (!methods[this.#mode].includes(method)) return this.#execute(request, at)
    if (key === undefined && this.#mode === 'ietf') return this.#refuse(request, at, 400)
    if (key === undefined && this.#mode === 'stripe-v1') return this.#execute(request, at)
    // The draft's keys are quoted strings, and those that are not quoted mean the same; Stripe's are as they stand.
    const name = this.#mode === 'ietf' ? key?.replaceAll('"', '') : key
    return this.#claim(request, at, `${account} ${name ?? `made for ${index}`}`, at + this.#options.wait)
  }

  #claim(request: Arrived, now: number, id: string, until: number): void {
    const [endpoint, content] = [`${request.method} ${request.path}`, contentOf(request.body)]
    const found = this.#kept.get(id)
    if (found === undefined || (found.state !== 'in flight' && now >= found.until)) {
      const fresh = {
        id,
        until: now + this.#options.retention,
        endpoint,
        content,
        answerOf: request,
        hasFailed: false,
      }
      const kept: Kept = { ...fresh, state: 'in flight', waiting: new Set() }
      this.#kept.set(id, kept)
      return this.#execute(request, now, kept)
    }
    if (found.endpoint !== endpoint || found.content !== content) {
      return this.#refuse(request, now, this.#mode === 'ietf' ? 422 : 400)
    }
    if (found.state === 'answered') return this.#replay(request, now, found.answerOf)
    if (found.state === 'failed') return this.#execute(request, now, found)
    if (now >= until) return this.#refuse(request, now, 409)
    const waiter = { request, until }
    found.waiting.add(waiter)
    const giveUp = (): void => {
      if (found.waiting.delete(waiter)) this.#refuse(request, until, 409)
    }
    this.#due.push({ at: until, act: giveUp })
  }

  /** @param kept of its key, where it has one that has an effect */
  #execute(request: Arrived, now: number, kept?: Kept): void {
    const { takes, status, validationError } = request.handler
    const at = now + takes
    if (kept !== undefined) kept.state = 'in flight'
    if (!validationError) this.executions++
    const end = (): void => {
      const original = kept === undefined || this.#mode === 'ietf' ? undefined : request.index
      this.answers[request.index] = { at, status, replayed: false, answerOf: request.index, original }
      if (kept === undefined) return
      this.#keep(request, at, kept)
      const waiting = [...kept.waiting]
      kept.waiting.clear()
      for (const each of waiting) this.#claim(each.request, at, kept.id, each.until)
    }
    this.#due.push({ at, act: end })
  }

  #keep(request: Arrived, now: number, kept: Kept): void {
    const { status, validationError } = request.handler
    const fails = this.#mode === 'stripe-v2' && status >= 400
    // What was refused before execution leaves the key as it was.
    if (validationError && !kept.hasFailed) {
      this.#kept.delete(kept.id)
    } else if (validationError || fails) {
      kept.state = 'failed'
      kept.hasFailed = true
    } else {
      kept.state = 'answered'
      kept.answerOf = request
      // Who waits has it, however late it comes.
      kept.until = Math.max(kept.until, now + Math.floor(this.#options.retention / 10))
    }
  }

  #replay({ index }: Arrived, at: number, first: Arrived): void {
    const original = this.#mode === 'ietf' ? undefined : first.index
    const { status } = first.handler
    this.answers[index] = { at, status, replayed: true, answerOf: first.index, original }
  }

  #refuse({ index }: Arrived, at: number, status: number): void {
    this.answers[index] = { at, status, replayed: false, answerOf: undefined, original: undefined }
  }
}

/** The same for two spellings of one value. */
function contentOf(body: string): string {
  if (body === '') return body
  const value: object = JSON.parse(body)
  return JSON.stringify(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
