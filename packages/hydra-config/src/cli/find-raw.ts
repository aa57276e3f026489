import { typeLines } from '../compose/type-lines.ts'
import { typesAt } from '../compose/types-at.ts'
import { isHydraConfigError, remade } from '../errors.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import { Resolution } from '../interpolation/resolve.ts'
import { selectedPlace } from '../interpolation/resolve-all.ts'
import { Place } from '../value/place.ts'
import type { Value } from '../value/value.ts'

/**
 * The root with every interpolation resolved, resolvers that answer with promises waited for.
 * @param how `all`: what leads to a missing value is missing; `content`: it fails
 */
export async function resolvedRoot(
  root: Value,
  options: ResolveOptions,
  how: 'all' | 'content' = 'all',
): Promise<Value> {
  const resolution = new Resolution(options)
  const place = new Place(root)
  await resolution.settle(place)
  return resolution[how](place)
}

/**
 * What stands at a path, as it was written, where an interpolation there leads to; undefined where nothing, null or
 * `???` stands.
 */
export function findRaw(
  root: Value,
  path: string,
  options: ResolveOptions,
): { readonly value: Value; resolved(): Value } | undefined {
  const resolution = new Resolution(options)
  const place = placeAt(root, path, resolution)
  return place && { value: place.value, resolved: () => resolution.all(place) }
}

/** OmegaConf tells of an error here the path that it was asked for, and the type of the root. */
function placeAt(root: Value, path: string, resolution: Resolution): Place | undefined {
  try {
    return selectedPlace(root, path, resolution)
  } catch (cause) {
    if (!isHydraConfigError(cause) || cause.code === 'INTERPOLATION_PENDING') throw cause
    throw remade(cause, { problem: cause.problem + typeLines(path, typesAt(root, [], undefined)) })
  }
}
