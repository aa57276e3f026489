import { timeWindow as checkedTimeWindow, countMax, type WindowOptions } from '../circuit-options.ts'
import { checkInteger, type Duration } from '../option-checks.ts'

/** A window of time in so many slices. @throws InvalidOptionError where `size` is not a multiple of `buckets`. */
export function timeWindow(size: Duration, buckets = 10): WindowOptions {
  return checkedTimeWindow('window', size, buckets)
}

/** A window of the last `size` calls. @throws InvalidOptionError */
export function countWindow(size: number): WindowOptions {
  return { type: 'count', size: checkInteger('window.size', size, 1, countMax) }
}
