import type { Sink, Work } from '../call.ts'
import type { Abortable, CallScope } from '../call-scope.ts'
import { Deadlines, type Expiring } from '../deadlines.ts'
import { checkClock, checkDuration, checkInteger, checkNames, type Duration } from '../option-checks.ts'
import { type Clock, realClock } from '../ports.ts'
import type { PipelineParts, Policy, Step } from './policy.ts'
import { PriorityQueue } from './priority-queue.ts'
import { refusal } from './refusal.ts'

export interface BulkheadPolicyOptions {
  /** Calls at once. */
  readonly max: number
  /** Calls that may wait for a place. Default 0. */
  readonly queue?: number
  /** The longest wait for a place. Default: no limit. */
  readonly queueTimeout?: Duration
  /** Default: real time. */
  readonly clock?: Clock
}

/** A bulkhead that can be looked at. */
export interface BulkheadPolicy extends Policy {
  readonly running: number
  readonly queued: number
}

/**
 * So many calls at once; more wait, those of the highest `priority` of {@link RunOptions} first and then in the order of
 * their coming. Where the queue is full, the one of the lowest priority that waited
 * longest makes room for a higher one. Who finds no place
 * or waits too long fails with `BULKHEAD_FULL`.
 *
 * @throws InvalidOptionError naming the option.
 */
export function bulkhead(options: BulkheadPolicyOptions): BulkheadPolicy {
  checkNames('bulkhead', options, ['max', 'queue', 'queueTimeout', 'clock'])
  const { queueTimeout } = options
  const clock = checkClock(options.clock ?? realClock)
  const places = new Places(
    checkInteger('max', options.max, 1, 1_000_000),
    checkInteger('queue', options.queue ?? 0, 0, 1_000_000),
    queueTimeout === undefined
      ? undefined
      : new Deadlines<Waiting>(clock, checkDuration('queueTimeout', queueTimeout)),
    clock,
  )
  return {
    added: [],
    get running() {
      return places.running
    },
    get queued() {
      return places.queue.size
    },
    compile<Inner>(next: Step<Inner>, parts: PipelineParts): Step<Inner> {
      return <T>(scope: CallScope, work: Work<T>, sink: Sink<T | Inner>): void =>
        places.enter(new Place(places, next, parts, scope, work, sink))
    },
    dispose: () => {
      if (places.queue.size === 0) places.deadlines?.clear()
    },
  }
}

/** Who waits. */
interface Waiting extends Expiring<Waiting> {
  readonly priority: number
  timedFrom: number
  begin(): void
  wait(): void
  refuse(why: string): void
}

class Places {
  running = 0
  readonly queue = new PriorityQueue<Waiting>()
  readonly deadlines: Deadlines<Waiting> | undefined
  readonly #max: number
  readonly #queueMax: number
  readonly #clock: Clock
  #handingOut = false

  constructor(max: number, queueMax: number, deadlines: Deadlines<Waiting> | undefined, clock: Clock) {
    this.#max = max
    this.#queueMax = queueMax
    this.deadlines = deadlines
    this.#clock = clock
  }

  enter(place: Waiting): void {
    // While places are handed out, who comes anew does not go before who waits.
    if (this.running < this.#max && this.queue.size === 0) {
      this.running++
      place.begin()
      return
    }
    if (this.queue.size >= this.#queueMax) {
      const lowest = this.queue.firstOfLowest()
      if (lowest === undefined || lowest.priority >= place.priority) {
        place.refuse(`${this.running} calls are running and ${this.queue.size} wait`)
        return
      }
      this.forget(lowest)
      lowest.refuse('a call of a higher priority took its place in the full queue')
    }
    this.queue.add(place)
    if (this.deadlines !== undefined) {
      place.timedFrom = this.#clock.monotonic()
      this.deadlines.add(place)
    }
    place.wait()
  }

  // In a loop: a queue of synchronous calls would go as deep as it is long.
  leave(): void {
    this.running--
    if (this.#handingOut) return
    this.#handingOut = true
    while (this.running < this.#max) {
      const next = this.queue.first()
      if (next === undefined) break
      this.forget(next)
      this.running++
      next.begin()
    }
    this.#handingOut = false
  }

  forget(place: Waiting): void {
    this.queue.delete(place)
    this.deadlines?.delete(place)
  }
}

class Place<T, Inner> implements Waiting, Sink<T | Inner>, Abortable {
  timedFrom = 0
  previous: Waiting | undefined
  next: Waiting | undefined
  readonly #places: Places
  readonly #next: Step<Inner>
  readonly #parts: PipelineParts
  readonly #scope: CallScope
  readonly #work: Work<T>
  readonly #sink: Sink<T | Inner>
  #waits = false

  constructor(
    places: Places,
    next: Step<Inner>,
    parts: PipelineParts,
    scope: CallScope,
    work: Work<T>,
    sink: Sink<T | Inner>,
  ) {
    this.#places = places
    this.#next = next
    this.#parts = parts
    this.#scope = scope
    this.#work = work
    this.#sink = sink
  }

  get priority(): number {
    return this.#scope.priority
  }

  begin(): void {
    this.#stopWaiting()
    this.#next(this.#scope, this.#work, this)
  }

  wait(): void {
    this.#waits = true
    if (this.#scope.isAborted) this.aborted(this.#scope.reason)
    else this.#scope.add(this)
  }

  refuse(why: string): void {
    this.#stopWaiting()
    this.#sink.fail(
      refusal(this.#parts, 'BULKHEAD_FULL', `${why}: try later, or raise max or queue of the bulkhead`),
    )
  }

  expire(): void {
    this.#places.queue.delete(this)
    this.refuse('no place was free in time')
  }

  aborted(reason: unknown): void {
    this.#places.forget(this)
    this.#sink.fail(reason)
  }

  // Before the caller is answered: what it does next finds the place free.
  succeed(value: T | Inner): void {
    this.#places.leave()
    this.#sink.succeed(value)
  }

  fail(error: unknown): void {
    this.#places.leave()
    this.#sink.fail(error)
  }

  #stopWaiting(): void {
    if (this.#waits) this.#scope.remove(this)
    this.#waits = false
  }
}
