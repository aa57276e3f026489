import { isHydraConfigError, placedError } from '../errors.ts'
import type { Override } from './override.ts'
import { type ParseOverrideOptions, parseOverride } from './parse.ts'

/**
 * Parses the overrides of a command line.
 * @throws {HydraConfigError} `OVERRIDE_PARSE`, its origin the rest of the override from where it is at fault
 */
export function parseOverrides(texts: readonly string[], options: ParseOverrideOptions = {}): Override[] {
  return texts.map((text, index) => placedInText(text, index, () => parseOverride(text, options)))
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
