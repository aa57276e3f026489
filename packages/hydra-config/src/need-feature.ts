import { HydraConfigError } from './errors.ts'

/**
 * Says what to import for a part of the package that a small bundle leaves out.
 * @throws {HydraConfigError} `INVALID_OPTION`, always
 */
export function needFeature(what: string, feature: string): never {
  throw new HydraConfigError(
    'INVALID_OPTION',
    `${what} needs a feature: import ${feature} and give it in features`,
  )
}
