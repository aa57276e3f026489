import { readFileSync } from 'node:fs'
import type { Refusal } from './refusals.ts'

/** Of the hostile requests, the first of so many is recorded. A prime, so that every value and every place comes up. */
export const recordedEvery = 23

interface Recorded {
  readonly refusals: readonly NonNullable<Refusal>[]
  /** Index of the refusal of each recorded request, -1 where there was none. */
  readonly of: readonly number[]
}

/** What OpenFGA v1.22.1 said to each recorded request, by `record-refusals.ts`. */
export function recordedRefusals(): readonly Refusal[] {
  const text = readFileSync(new URL('recorded-refusals.json', import.meta.url), 'utf8')
  const { refusals, of } = JSON.parse(text) as Recorded
  return of.map((index) => refusals[index])
}
