import { isMissing, Place } from '../value/place.ts'
import type { Value } from '../value/value.ts'
import type { ResolveOptions } from './options.ts'
import { Resolution } from './resolve.ts'
import { withWholeResolution } from './whole.ts'

/**
 * Resolves every interpolation, as `OmegaConf.resolve` does; what leads to a missing value becomes missing (`???`).
 * @throws HydraConfigError `INTERPOLATION_UNRESOLVED`, `INTERPOLATION_CYCLE` or `INTERPOLATION_PARSE`, with the class of
 * OmegaConf's error; `INTERPOLATION_PENDING` where a resolver answers with a promise
 */
export function resolveAll(root: Value, options: ResolveOptions = {}): Value {
  return new Resolution(withWholeResolution(options)).all(new Place(root))
}

interface SelectOptions extends ResolveOptions {
  readonly throwOnMissing?: boolean
}

/**
 * The value at a path such as `a.b[0]`, with its interpolations resolved; undefined where nothing, null or a missing
 * value stands there.
 * @throws HydraConfigError as {@link resolveAll}
 */
export function select(root: Value, path: string, options: SelectOptions = {}): Value | undefined {
  const resolution = new Resolution(withWholeResolution(options))
  const found = selectedPlace(root, path, resolution, options.throwOnMissing)
  return found && resolution.content(found)
}

/**
 * The place at a path, of an interpolation the one that it leads to; what is in it stays as it was written. Undefined where
 * nothing, null or a missing value stands.
 */
export function selectedPlace(
  root: Value,
  path: string,
  resolution: Resolution,
  throwOnMissing?: boolean,
): Place | undefined {
  const found = resolution.select(new Place(root), path, throwOnMissing)
  if (found === undefined || isMissing(found)) return undefined
  return found.value.kind === 'scalar' && found.value.value === null ? undefined : found
}
