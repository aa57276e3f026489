import type { Breaker } from '../breaker.ts'
import type { CallEvent } from '../metrics/call-event.ts'
import type { Registry } from '../registry.ts'
import type { State } from '../settings.ts'

/** Calls whose work ended by itself or by the time limit. */
export type CallOutcome = 'success' | 'failure' | 'timeout' | 'ignored'

const outcomes: Partial<Readonly<Record<CallEvent, CallOutcome>>> = {
  SUCCESS: 'success',
  FAILURE: 'failure',
  TIMEOUT: 'timeout',
  BAD_REQUEST: 'ignored',
}

/** `duration` in milliseconds, as its caller waited. */
export type CallEnded = (breaker: Breaker, outcome: CallOutcome, duration: number) => void

/** A breaker, and how often it has come into each state since it is watched. */
export interface WatchedBreaker {
  readonly breaker: Breaker
  readonly transitions: ReadonlyMap<State, number>
}

/** Listens to all breakers of a registry, those that come later too. */
export class BreakerWatch implements Disposable {
  readonly #registry: Registry
  readonly #ended: CallEnded
  readonly #watched = new Map<Breaker, { transitions: Map<State, number>; stop: () => void }>()
  readonly #stops: readonly (() => void)[]

  constructor(registry: Registry, ended: CallEnded) {
    this.#registry = registry
    this.#ended = ended
    this.#stops = [
      registry.on('add', ({ breaker }) => this.#watch(breaker)),
      registry.on('evict', ({ breaker }) => this.#leave(breaker)),
      registry.on('duplicate', ({ breaker, replaced }) => {
        this.#leave(replaced)
        this.#watch(breaker)
      }),
    ]
    for (const each of registry) this.#watch(each)
  }

  /** All that are in the registry now. */
  breakers(): WatchedBreaker[] {
    const now = new Set(this.#registry)
    // The registry does not tell of those that were deleted.
    for (const breaker of this.#watched.keys()) if (!now.has(breaker)) this.#leave(breaker)
    return [...now].map((breaker) => ({ breaker, transitions: this.#watch(breaker) }))
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stops) stop()
    for (const breaker of this.#watched.keys()) this.#leave(breaker)
  }

  #watch(breaker: Breaker): ReadonlyMap<State, number> {
    const known = this.#watched.get(breaker)
    if (known !== undefined) return known.transitions
    const transitions = new Map<State, number>()
    const stops = [
      breaker.on('stateChange', ({ to }) => {
        transitions.set(to, (transitions.get(to) ?? 0) + 1)
      }),
      breaker.on('execution', ({ events: [first], duration }) => {
        const outcome = first && outcomes[first]
        if (outcome !== undefined) this.#ended(breaker, outcome, duration)
      }),
    ]
    const stop = (): void => {
      for (const each of stops) each()
    }
    this.#watched.set(breaker, { transitions, stop })
    return transitions
  }

  #leave(breaker: Breaker): void {
    this.#watched.get(breaker)?.stop()
    this.#watched.delete(breaker)
  }
}
