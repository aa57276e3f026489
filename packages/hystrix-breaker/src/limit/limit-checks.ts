import { InvalidOptionError, shown } from '../errors.ts'
import { checkInteger } from '../option-checks.ts'

export const limitMax: number = 2 ** 31 - 1

/** @throws InvalidOptionError where `rtt` is not a finite number above 0. */
export function checkRtt(rtt: number): void {
  if (!(rtt > 0 && rtt < Infinity))
    throw new InvalidOptionError(`rtt must be milliseconds above 0, not ${shown(rtt)}`)
}

/** @throws InvalidOptionError naming the limit that is not whole, below 1, or on the wrong side of another. */
export function checkLimits(min: number, max: number, maxName: string): void {
  checkInteger(maxName, max, 1, limitMax)
  checkInteger('minLimit', min, 1, max)
}
