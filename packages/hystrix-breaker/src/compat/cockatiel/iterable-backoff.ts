import { InvalidOptionError } from '../../errors.ts'
import type { IBackoff, IBackoffFactory } from './backoff.ts'

/** The waits of a list; the last one again and again. */
export class IterableBackoff implements IBackoffFactory<unknown> {
  readonly #first: IBackoff<unknown>

  /** `durations` in milliseconds. @throws InvalidOptionError where there is none. */
  constructor(durations: readonly number[]) {
    if (durations.length === 0) {
      throw new InvalidOptionError('IterableBackoff needs at least one duration, not an empty list')
    }
    this.#first = at(durations, 0)
  }

  next(_context: unknown): IBackoff<unknown> {
    return this.#first
  }
}

function at(durations: readonly number[], place: number): IBackoff<unknown> {
  const backoff: IBackoff<unknown> = {
    duration: durations[place] ?? 0,
    next: () => (place + 1 < durations.length ? at(durations, place + 1) : backoff),
  }
  return backoff
}
