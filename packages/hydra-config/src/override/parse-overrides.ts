import type { SecretPaths } from '../secret/secret-paths.ts'
import type { Override } from './override.ts'
import { type ParseOverrideOptions, parseOverride } from './parse.ts'
import { readOverrides } from './read-overrides.ts'

/**
 * Parses the overrides of a command line.
 * @throws {HydraConfigError} `OVERRIDE_PARSE`, its origin the rest of the override from where it is at fault
 */
export function parseOverrides(
  texts: readonly string[],
  { secretPaths, ...options }: ParseOverrideOptions & { readonly secretPaths?: SecretPaths | undefined } = {},
): Override[] {
  return readOverrides(texts, (text) => parseOverride(text, options), secretPaths)
}
