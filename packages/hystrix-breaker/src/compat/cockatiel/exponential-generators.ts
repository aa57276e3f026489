import { realRandom } from '../../ports.ts'
import type { IExponentialBackoffOptions } from './exponential-backoff.ts'

/** The next wait in milliseconds, and the state that the wait after it is made from. */
export type GeneratorFn<S> = (state: S | undefined, options: IExponentialBackoffOptions<S>) => [number, S]

/** `min(maxDelay, initialDelay * exponent^n)`. */
export const noJitterGenerator: GeneratorFn<number> = (attempt = 0, { maxDelay, initialDelay, exponent }) => [
  Math.min(maxDelay, initialDelay * exponent ** attempt),
  attempt + 1,
]

/** Drawn evenly of 0 up to what {@link noJitterGenerator} gives. */
export const fullJitterGenerator: GeneratorFn<number> = (attempt, options) => {
  const [delay, next] = noJitterGenerator(attempt, options)
  return [Math.floor(realRandom.next() * delay), next]
}

/** Drawn evenly of the upper half of what {@link noJitterGenerator} gives. */
export const halfJitterGenerator: GeneratorFn<number> = (attempt, options) => {
  const [delay, next] = noJitterGenerator(attempt, options)
  return [Math.floor((delay + realRandom.next() * delay) / 2), next]
}

// Of Polly.Contrib.WaitAndRetry, DecorrelatedJitterV2: how steep it begins, and what makes the median the initial delay.
const steepness = 4
const medianScale = 1 / 1.4

/** Decorrelated jitter as in Polly V2, https://github.com/App-vNext/Polly/issues/530: a good default. */
export const decorrelatedJitterGenerator: GeneratorFn<[number, number]> = (
  state,
  { exponent, initialDelay, maxDelay },
) => {
  const [attempt, previous] = state ?? [0, 0]
  const t = attempt + realRandom.next()
  const next = exponent ** t * Math.tanh(Math.sqrt(steepness * t))
  // Far out the formula leaves the numbers: from then on it is the longest wait.
  const step = Number.isFinite(next) ? Math.max(0, next - previous) : Infinity
  return [Math.min(step * medianScale * initialDelay, maxDelay), [attempt + 1, next]]
}
