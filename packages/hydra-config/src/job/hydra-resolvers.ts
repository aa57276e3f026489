import type { ResolveOptions } from '../interpolation/options.ts'
import { select } from '../interpolation/resolve-all.ts'
import type { Resolvers } from '../interpolation/resolver.ts'
import { type MapValue, scalar, type Value } from '../value/value.ts'
import { strftime } from './civil-time.ts'
import type { Platform } from './platform.ts'

/** The Python whose behaviour this package keeps to, which `${python_version:}` tells. */
const pythonVersion = '3.11.7'

/**
 * Adds the resolvers `now`, `hydra` and `python_version` of Hydra, and our own `node_version`.
 * @param root the whole configuration with Hydra's node, which `${hydra:…}` reads
 * @param times what `${now:…}` answered already, by pattern: it answers once
 */
export function withHydraResolvers(
  given: ResolveOptions,
  root: MapValue,
  times: Map<string, string>,
  platform: Platform,
): ResolveOptions {
  const now = (pattern: string): string => {
    const time = times.get(pattern) ?? strftime(pattern, platform.clock())
    times.set(pattern, time)
    return time
  }
  const resolvers: Resolvers = {
    now,
    hydra: (path: string): Value => select(root, `hydra.${path}`, options) ?? scalar(null),
    python_version: versionResolver(pythonVersion),
    node_version: versionResolver(platform.nodeVersion),
    ...given.resolvers,
  }
  const options: ResolveOptions = { ...given, environment: platform.environment, resolvers }
  return options
}

function versionResolver(version: string): (...args: string[]) => string | null {
  return (...args) => {
    // The last argument is the context.
    const level = args.length > 1 ? args[0] : 'minor'
    const count = { major: 1, minor: 2, micro: 3 }[level ?? '']
    return count === undefined ? null : version.split('.').slice(0, count).join('.')
  }
}
