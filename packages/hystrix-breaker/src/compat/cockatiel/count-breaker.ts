import { countMax } from '../../circuit-options.ts'
import { InvalidOptionError, shown } from '../../errors.ts'
import { checkInteger } from '../../option-checks.ts'
import { CountWindow } from '../../window/count-window.ts'
import type { IBreaker } from './breaker.ts'
import { CircuitState } from './circuit-state.ts'
import { isCount, savedField } from './saved-state.ts'

export interface ICountBreakerOptions {
  /** Failures by calls, above 0 and below 1; it opens above it. */
  threshold: number
  /** Calls that are looked at. */
  size: number
  /** Calls that there must be. Default: `size`. */
  minimumNumberOfCalls?: number
}

type Sample = boolean | null

/** Opens where more than a share of the last calls failed. */
export class CountBreaker implements IBreaker {
  private readonly threshold: number
  private readonly minimumNumberOfCalls: number
  readonly #size: number
  readonly #window: CountWindow
  private currentSample = 0

  /** @throws InvalidOptionError naming the option. */
  constructor({ threshold, size, minimumNumberOfCalls = size }: ICountBreakerOptions) {
    this.threshold = checkThreshold(threshold)
    this.#size = checkInteger('size', size, 1, countMax)
    this.minimumNumberOfCalls = checkInteger('minimumNumberOfCalls', minimumNumberOfCalls, 1, size)
    this.#window = new CountWindow(size)
  }

  /** Of cockatiel's shape: either one reads what the other has saved. */
  get state(): unknown {
    const { samples, currentSample, failures, successes } = this
    return { samples, currentSample, failures, successes }
  }

  /** Of another size, the latest calls are taken. @throws ResilienceError `INVALID_SNAPSHOT`, and nothing has changed. */
  set state(saved: unknown) {
    const samples = savedField(saved, 'samples', 'a list of true, false and null', isSamples)
    const next = savedField(saved, 'currentSample', 'a whole number, 0 or more', isCount) % samples.length
    const inOrder = [...samples.slice(next), ...samples.slice(0, next)].filter((sample) => sample !== null)
    const latest = inOrder.slice(-this.#size)
    this.#window.clear()
    for (const succeeded of latest) this.#window.record(0, !succeeded, false)
    this.currentSample = samples.length === this.#size ? next : latest.length % this.#size
  }

  success(state: CircuitState): void {
    if (state === CircuitState.HalfOpen) this.#window.clear()
    this.#record(false)
  }

  failure(state: CircuitState): boolean {
    this.#record(true)
    return state !== CircuitState.Closed || this.#reached()
  }

  #record(failed: boolean): void {
    this.#window.record(0, failed, false)
    this.currentSample = (this.currentSample + 1) % this.#size
  }

  #reached(): boolean {
    const { total, failures } = this.#window.counts(0)
    return total >= this.minimumNumberOfCalls && isAbove(failures, total, this.threshold)
  }

  // The next sample goes where the oldest is.
  private get samples(): Sample[] {
    const samples: Sample[] = Array.from({ length: this.#size }, () => null)
    const saved = this.#window.save(0)
    const first = this.currentSample - saved.length + this.#size
    for (const [age, bits] of saved.entries()) samples[(first + age) % this.#size] = bits === 0
    return samples
  }

  private get successes(): number {
    const { total, failures } = this.#window.counts(0)
    return total - failures
  }

  private get failures(): number {
    return this.#window.counts(0).failures
  }
}

/** As the quotient: 29 of 100 is 0.29, where 0.29 * 100 is less than 29. */
export function isAbove(failures: number, total: number, threshold: number): boolean {
  return total > 0 && failures / total > threshold
}

/** @throws InvalidOptionError */
export function checkThreshold(threshold: unknown): number {
  if (typeof threshold === 'number' && threshold > 0 && threshold < 1) return threshold
  throw new InvalidOptionError(`threshold must be a number above 0 and below 1, not ${shown(threshold)}`)
}

function isSamples(value: unknown): value is Sample[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((one) => one === null || typeof one === 'boolean')
  )
}
