import { hydraResolvers, versionResolver } from '../compose/hydra-resolvers.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import { select } from '../interpolation/resolve-all.ts'
import { wholeResolution } from '../interpolation/whole.ts'
import { type MapValue, scalar, type Value } from '../value/value.ts'
import type { Platform } from './platform.ts'

/**
 * Adds the resolvers of Hydra, as they are while a job runs, and our own `node_version`.
 * @param root the whole configuration with Hydra's node, which `${hydra:…}` reads
 * @param times what `${now:…}` answered already, by pattern
 */
export function withHydraResolvers(
  given: ResolveOptions,
  root: MapValue,
  times: Map<string, string>,
  platform: Platform,
): ResolveOptions {
  const options: ResolveOptions = {
    parts: wholeResolution,
    ...given,
    environment: platform.environment,
    resolvers: {
      ...hydraResolvers(platform.clock, times),
      hydra: (path: string): Value => select(root, `hydra.${path}`, options) ?? scalar(null),
      node_version: versionResolver(platform.nodeVersion),
      ...given.resolvers,
    },
  }
  return options
}
