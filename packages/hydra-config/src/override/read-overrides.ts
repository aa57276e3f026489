import { isHydraConfigError, placedError } from '../errors.ts'
import type { SecretPaths } from '../secret/secret-paths.ts'
import type { Override } from './override.ts'

/**
 * Reads the overrides of a command line by `parse`.
 * @throws {HydraConfigError} `OVERRIDE_PARSE`, its origin the rest of the override from where it is at fault
 */
export function readOverrides(
  texts: readonly string[],
  parse: (text: string) => Override,
  secretPaths: SecretPaths | undefined,
): Override[] {
  return texts.map((text, index) => {
    const read = (): Override => placedInText(text, index, () => parse(text))
    return secretPaths === undefined ? read() : secretPaths.read(text, index, read)
  })
}

/** Does `parse`; an error of it is placed at the rest of the text from where it is at fault. */
export function placedInText<Result>(text: string, index: number, parse: () => Result): Result {
  try {
    return parse()
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    const start = Array.from(text).slice(0, error.offset).join('').length
    throw placedError(error, { origin: { kind: 'override', index, start, end: text.length, text } })
  }
}
