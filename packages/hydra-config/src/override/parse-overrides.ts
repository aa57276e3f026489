import { HydraConfigError, isHydraConfigError, placedError } from '../errors.ts'
import type { SecretPaths } from '../secret/secret-paths.ts'
import type { Override } from './override.ts'
import { type ParseOverrideOptions, parseOverride } from './parse.ts'

/**
 * Parses the overrides of a command line.
 * @throws {HydraConfigError} `OVERRIDE_PARSE`, its origin the rest of the override from where it is at fault
 */
export function parseOverrides(
  texts: readonly string[],
  { secretPaths, ...options }: ParseOverrideOptions & { readonly secretPaths?: SecretPaths | undefined } = {},
): Override[] {
  return texts.map((text, index) => {
    const shown = secretPaths?.shownText(text) ?? text
    const parse = (): Override => parseOverride(text, options)
    if (secretPaths === undefined) return placedInText(text, index, parse)
    return secretPaths.sealed(
      shown === text ? placedInText(text, index, parse) : sealedParse(parse, shown, index),
    )
  })
}

/** Parses what sets something secret: of what is wrong with it only the class and where it begins are told. */
function sealedParse(parse: () => Override, shown: string, index: number): Override {
  try {
    return parse()
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    const { code, class: ofClass, offset } = error
    const origin = { kind: 'override', index, start: 0, end: shown.length, text: shown } as const
    throw new HydraConfigError(code, `the override '${shown}' of a secret cannot be read`, {
      origin,
      ...(ofClass === undefined ? {} : { class: ofClass }),
      ...(offset === undefined ? {} : { offset }),
    })
  }
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
