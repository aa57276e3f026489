import type { ResolveOptions } from '../interpolation/options.ts'
import { Resolution } from '../interpolation/resolve.ts'
import { isMissing, Place } from '../value/place.ts'
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
  const place = resolution.select(new Place(root), path)
  if (place === undefined || isMissing(place)) return undefined
  const { value } = place
  if (value.kind === 'scalar' && value.value === null) return undefined
  return { value, resolved: () => resolution.all(place) }
}
