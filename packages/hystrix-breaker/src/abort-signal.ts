import { InvalidOptionError, shown } from './errors.ts'

/** By its shape: a signal of another realm or of a polyfill is one. */
export function isAbortSignal(value: unknown): value is AbortSignal {
  return typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value
}

/** What is wrong with a signal that a caller may leave out; undefined where nothing is. */
export function signalFault(signal: unknown): InvalidOptionError | undefined {
  if (signal === undefined || isAbortSignal(signal)) return undefined
  return new InvalidOptionError(`signal must be an AbortSignal, not ${shown(signal)}`)
}
