import { throwIfAborted } from '../aborted.ts'
import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import { shown } from '../shown.ts'
import type { ConfigSource } from './source.ts'

/**
 * The files of a source, at once where it has them at hand. What a source throws that is no error of this package
 * becomes the cause of one.
 * @throws {HydraConfigError} `SOURCE_READ` and what the source throws, `ABORTED`
 */
export function readFiles(
  source: ConfigSource,
  signal?: AbortSignal,
): ReadonlyMap<string, string> | Promise<ReadonlyMap<string, string>> {
  try {
    const answer = source.files(signal)
    return answer instanceof Promise ? awaited(source, answer, signal) : checked(source, answer)
  } catch (cause) {
    throwIfAborted(signal)
    throw readFailed(source.path, cause)
  }
}

/** An error of a source, as one of this package. */
export function readFailed(path: string, cause: unknown): HydraConfigError {
  if (isHydraConfigError(cause)) return cause
  const reason = cause instanceof Error ? cause.message || cause.name : shown(cause)
  return new HydraConfigError('SOURCE_READ', `${path} cannot be read: ${reason}`, { cause })
}

async function awaited(
  source: ConfigSource,
  answer: Promise<ReadonlyMap<string, string>>,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  try {
    return checked(source, await answer)
  } catch (cause) {
    throwIfAborted(signal)
    throw readFailed(source.path, cause)
  }
}

function checked(source: ConfigSource, files: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const given: unknown = files
  if (
    given instanceof Map ||
    (isObject(given) && ['get', 'has', 'keys', 'forEach'].every((name) => name in given))
  )
    return files
  throw new HydraConfigError(
    'SOURCE_READ',
    `the source ${source.path} must give a Map of paths and texts, not ${shown(given)}`,
  )
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
