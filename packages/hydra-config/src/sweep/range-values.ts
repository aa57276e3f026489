import { HydraConfigError } from '../errors.ts'
import type { RangeSweep } from '../override/override.ts'
import { addDecimals, compareDecimals, type Decimal, decimalOf, numberOf } from './decimal.ts'

/** How many values one range may have. */
const maxValues = 1_000_000

/**
 * The values of a range: integers where start, stop and step are, else floats. Those are added up as Python's Decimal
 * does, to 28 digits, from the exact values of the three, so that `range(0,1,0.1)` has 0.3 and 0.7000000000000001.
 *
 * @throws {HydraConfigError} `SWEEP` for a step of 0, nan, or a range without end
 */
export function rangeValues(sweep: RangeSweep): readonly (bigint | number)[] {
  const [start, stop, step] = [sweep.start, sweep.stop, sweep.step].map(integerOrFloat)
  if (typeof start === 'bigint' && typeof stop === 'bigint' && typeof step === 'bigint') {
    return integers(start, stop, step)
  }
  return floats(Number(start), Number(stop), Number(step)) ?? decimals(start ?? 0n, stop ?? 0n, step ?? 0n)
}

function integers(start: bigint, stop: bigint, step: bigint): bigint[] {
  if (step === 0n) refuse('the step of a range is 0', 'ValueError')
  const values: bigint[] = []
  for (let value = start; step > 0n ? value < stop : value > stop; value += step) {
    ensureFew(values)
    values.push(value)
  }
  return values
}

/** Ranges of an infinity or nan; undefined for all others. */
function floats(start: number, stop: number, step: number): number[] | undefined {
  if ([start, stop, step].some(Number.isNaN)) return refuse('a range has no nan', 'InvalidOperation')
  if ([start, stop, step].every(Number.isFinite)) return undefined
  if (step === 0) return refuse('the step of a range is 0', 'HydraException')
  if (step > 0 ? start >= stop : start <= stop) return []
  if (Number.isFinite(start) && !Number.isFinite(step)) return [start]
  return refuse('a range to infinity has no end', 'MemoryError')
}

function decimals(start: bigint | number, stop: bigint | number, step: bigint | number): number[] {
  const [end, by] = [decimalOf(stop), decimalOf(step)]
  if (by.coefficient === 0n) refuse('the step of a range is 0', 'HydraException')
  // Told beforehand where it is plain: sums of numbers that are far apart are slow. Rounding may halve the steps.
  if (Number(stop) / Number(step) - Number(start) / Number(step) > 4 * maxValues) refuseMany()
  const values: number[] = []
  let value: Decimal = decimalOf(start)
  while (by.coefficient > 0n ? compareDecimals(value, end) < 0 : compareDecimals(value, end) > 0) {
    ensureFew(values)
    values.push(numberOf(value))
    value = addDecimals(value, by)
  }
  return values
}

function integerOrFloat(value: RangeSweep['start']): bigint | number {
  return typeof value === 'boolean' ? BigInt(value) : value
}

function ensureFew(values: readonly unknown[]): void {
  if (values.length >= maxValues) refuseMany()
}

function refuseMany(): never {
  refuse(`a range has more than ${maxValues} values`, 'MemoryError')
}

function refuse(message: string, ofClass: string): never {
  throw new HydraConfigError('SWEEP', message, { class: ofClass })
}
