import { InvalidOptionError, shown } from '../errors.ts'
import { checkInteger } from '../option-checks.ts'

export const limitMax: number = 2 ** 31 - 1

/** @throws InvalidOptionError where `rtt` is no number above 0, or one that sums cannot be made of; or `inflight` none. */
export function checkSample(rtt: number, inflight: number): void {
  if (typeof rtt !== 'number' || !(rtt > 0 && rtt <= Number.MAX_SAFE_INTEGER))
    throw new InvalidOptionError(`rtt must be milliseconds above 0, not ${shown(rtt)}`)
  if (typeof inflight !== 'number' || !(inflight >= 0))
    throw new InvalidOptionError(`inflight must be a number of 0 or more, not ${shown(inflight)}`)
}

/**
 * `min` is undefined where it is not given: the default may be above `max`, as in the original.
 *
 * @throws InvalidOptionError naming the limit that is not whole, below 1, or on the wrong side of another.
 */
export function checkLimits(min: number | undefined, max: number, maxName: string): void {
  checkInteger(maxName, max, 1, limitMax)
  if (min !== undefined) checkInteger('minLimit', min, 1, max)
}
