import { HydraConfigError } from '../errors.ts'

/** @throws {HydraConfigError} `COMPOSITION` of the class, always */
export function refuse(
  message: string,
  ofClass: string = 'ConfigCompositionException',
  cause?: unknown,
): never {
  throw new HydraConfigError('COMPOSITION', message, { class: ofClass, cause })
}
