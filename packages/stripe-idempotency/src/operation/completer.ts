import { type Duration, parsePositiveDuration } from '../duration.ts'
import type { Held } from '../execution.ts'
import type { IdempotencyRecord } from '../record/record.ts'
import type { Performed } from '../settlement.ts'
import { parseCount } from './count.ts'
import { read } from './journal.ts'
import type { Task } from './loop.ts'
import type { AnyOperation, OperationParts } from './operation.ts'
import { type Attempt, perform } from './perform.ts'
import { reconcileUncertain, settleUncertain } from './reconcile.ts'

/** Options of a worker's `complete`. The defaults are those of Brandur Leach's rocket-rides-atomic. */
export interface CompleterOptions {
  /** How long an operation is left to its caller, who may come again by himself. Default: `300s`. */
  readonly pickUpAfter?: Duration
  /** Between two attempts of this worker at one operation. Default: `60s`. */
  readonly againAfter?: Duration
  /** Attempts at one operation, the callers' own among them; then it is uncertain. Default: 100. */
  readonly attempts?: number
  /** Between two rounds. Default: `5s`. */
  readonly every?: Duration
  /** Operations in one round. Default: 1,000. */
  readonly batch?: number
  /** Operations at the same time. Default: 10. */
  readonly concurrency?: number
}

/** Options of one round. */
export interface CompleteOptions
  extends Pick<CompleterOptions, 'pickUpAfter' | 'attempts' | 'batch' | 'concurrency'> {
  /** Operations that have begun go on to the end of their phase, and no other begins. */
  readonly signal?: AbortSignal
}

/** What became of an operation that was taken up. */
export interface Completion {
  readonly recordId: string
  readonly operation: string
  readonly outcome: /** It has its answer. */
    | 'completed'
    /** It failed, and may be taken up again. */
    | 'left'
    /** Nobody knows whether its phase in doubt took effect. */
    | 'uncertain'
    /** Another one has it, or it is gone. */
    | 'held'
  /** What stopped it. */
  readonly error?: unknown
}

/** Operations that it waits with, in batches. */
const waitingBatchesMax = 10

/** Goes on with operations that were abandoned, on behalf of who asked for them, and settles those that are uncertain. */
export class Completer implements Task {
  readonly every: number
  readonly #parts: OperationParts
  readonly #stop: AbortSignal
  readonly #onFailure: (error: unknown) => void
  readonly #pickUpAfter: number
  readonly #againAfter: number
  readonly #attempts: number
  readonly #batch: number
  readonly #concurrency: number
  /** When each that was seen and not ended is to be taken up, on the monotonic clock. */
  #due: ReadonlyMap<string, number> = new Map()

  constructor(
    parts: OperationParts,
    options: CompleterOptions,
    stop: AbortSignal,
    onFailure: (error: unknown) => void,
  ) {
    this.#parts = parts
    this.#stop = stop
    this.#onFailure = onFailure
    this.every = parsePositiveDuration('every', options.every ?? '5s')
    this.#pickUpAfter = parsePositiveDuration('pickUpAfter', options.pickUpAfter ?? '300s')
    this.#againAfter = parsePositiveDuration('againAfter', options.againAfter ?? '60s')
    this.#attempts = parseCount('attempts', options.attempts ?? 100)
    this.#batch = parseCount('batch', options.batch ?? 1000)
    this.#concurrency = parseCount('concurrency', options.concurrency ?? 10)
  }

  async round(): Promise<boolean> {
    const now = this.#parts.clock.monotonic()
    const due = new Map<string, number>()
    const ready: IdempotencyRecord[] = []
    for (const record of await this.#open(this.#batch + this.#due.size)) {
      // One that was left by its caller has no end of a lease to count from.
      const first = record.state === 'claimed' && record.leaseEnds === 0 ? now + this.#pickUpAfter : now
      const at = this.#due.get(record.id) ?? first
      if (at > now || ready.length >= this.#batch) {
        if (due.size < this.#batch * waitingBatchesMax) due.set(record.id, at)
      } else {
        due.set(record.id, now + this.#againAfter)
        ready.push(record)
      }
    }
    this.#due = due
    await this.#all(ready)
    return false
  }

  /** Takes up at most a batch, whatever was taken up before. */
  async once(): Promise<readonly Completion[]> {
    return this.#all((await this.#open(this.#batch)).slice(0, this.#batch))
  }

  /** Of operations that are known here: at most `limit` that were abandoned, and as many uncertain ones. */
  async #open(limit: number): Promise<readonly IdempotencyRecord[]> {
    const { store, registry } = this.#parts
    const operations = [...registry.keys()]
    const abandoned = await store.list({
      limit,
      state: 'claimed',
      abandonedFor: this.#pickUpAfter,
      operations,
    })
    return [...abandoned, ...(await store.list({ limit, state: 'uncertain', operations }))]
  }

  async #all(records: readonly IdempotencyRecord[]): Promise<readonly Completion[]> {
    const rest = records.values()
    const completions: Completion[] = []
    const next = async (): Promise<void> => {
      for (let each = rest.next(); !each.done && !this.#stop.aborted; each = rest.next()) {
        const completion = await this.#completion(each.value)
        completions.push(completion)
        if ('error' in completion) this.#onFailure(completion.error)
      }
    }
    await Promise.all(Array.from({ length: this.#concurrency }, next))
    return completions
  }

  async #completion(record: IdempotencyRecord): Promise<Completion> {
    const about = { recordId: record.id, operation: record.operation?.name ?? '' }
    try {
      return { ...about, ...(await this.#take(record)) }
    } catch (error) {
      return { ...about, outcome: 'left', error }
    }
  }

  async #take(record: IdempotencyRecord): Promise<Pick<Completion, 'outcome' | 'error'>> {
    const { engine, registry } = this.#parts
    const operation = record.operation && registry.get(record.operation.name)
    if (operation === null || operation === undefined) return { outcome: 'held' }
    if (record.state === 'uncertain') {
      const verdict = await reconcileUncertain(this.#parts, operation, record, this.#stop)
      if (verdict === undefined || verdict.verdict === 'unknown') return { outcome: 'uncertain' }
      if (!(await settleUncertain(this.#parts, record, verdict))) return { outcome: 'held' }
    }
    let attempt: Attempt | undefined
    const settled = await engine.resume(record, async (held) => {
      attempt = await this.#attempt(operation, record, held)
      return attempt.performed
    })
    if (settled === undefined || settled.outcome === 'in-use') return { outcome: 'held' }
    const uncertain = settled.outcome === 'uncertain'
    return attempt?.stopped === undefined
      ? { outcome: uncertain ? 'uncertain' : 'completed' }
      : { outcome: uncertain ? 'uncertain' : 'left', error: attempt.stopped.error }
  }

  async #attempt(operation: AnyOperation, record: IdempotencyRecord, held: Held): Promise<Attempt> {
    if (record.erased || record.operation === null) return doubt('what was asked for was erased')
    let input: unknown
    try {
      input = await operation.parse(read(held.open(record.operation.input, 'input')))
    } catch (error) {
      return { ...doubt('its input is not what the operation asks for now'), stopped: { error } }
    }
    const attempt = await perform(this.#parts, operation.phases, input, held, this.#stop)
    const { performed, stopped } = attempt
    if (stopped === undefined || this.#stop.aborted) return { ...attempt, performed: keeping(performed) }
    return held.fence < this.#attempts
      ? { stopped, performed: keeping(performed) }
      : // Why is stored in clear, so it has nothing of the error: texts of errors often say what was asked for.
        { ...doubt(`attempt ${held.fence} failed, at a limit of ${this.#attempts}`), stopped }
  }
}

/** Whoever asked for it has not been told that nothing was done. */
function keeping(performed: Performed): Performed {
  return performed.fate === 'release' ? { ...performed, fate: 'leave' } : performed
}

function doubt(why: string): Attempt {
  return { performed: { fate: 'uncertain', why } }
}
