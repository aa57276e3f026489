import { HydraConfigError, isHydraConfigError } from './errors.ts'

/** The error of what the signal ended: `ABORTED`, with its reason as the cause. A limit of time has its own error. */
function abortError({ reason }: AbortSignal): HydraConfigError {
  if (isHydraConfigError(reason)) return reason
  return new HydraConfigError('ABORTED', 'the work was aborted by its signal', { cause: reason })
}

/** @throws {HydraConfigError} `ABORTED` */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal)
}

/**
 * The promise, unless the signal aborts first: what comes then is given to `discard`.
 * @throws {HydraConfigError} `ABORTED`
 */
export async function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  discard: (late: T) => void = () => {},
): Promise<T> {
  if (signal === undefined) return await promise
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason)
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort)
  try {
    return await Promise.race([promise, aborted])
  } catch (error) {
    if (!signal.aborted) throw error
    promise.then(discard, () => {})
    throw abortError(signal)
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
