import { HydraConfigError } from '../errors.ts'
import type { ResolverFunction, Resolvers } from '../interpolation/resolver.ts'
import type { WallClock } from '../ports.ts'
import { strftime } from './civil-time.ts'

/** The Python whose behaviour this package keeps to, which `${python_version:}` tells. */
const pythonVersion = '3.11.7'

/**
 * The resolvers that Hydra adds to those of OmegaConf, as they are while a configuration is composed: `${hydra:…}` has
 * nothing to read then.
 * @param times what `${now:…}` answered already, by pattern: it answers once
 */
export function hydraResolvers(clock: WallClock, times: Map<string, string> = new Map()): Resolvers {
  return {
    now: (pattern: string): string => {
      const time = times.get(pattern) ?? strftime(pattern, clock())
      times.set(pattern, time)
      return time
    },
    hydra: () => {
      throw new HydraConfigError('INTERPOLATION_UNRESOLVED', 'HydraConfig was not set', {
        class: 'ValueError',
      })
    },
    python_version: versionResolver(pythonVersion),
  }
}

/** Tells a version such as `3.11.7`: all of it, its `minor` or its `major` one; null for another word. */
export function versionResolver(version: string): ResolverFunction {
  return (...args: readonly string[]) => {
    // The last argument is the context.
    const level = args.length > 1 ? args[0] : 'minor'
    const count = { major: 1, minor: 2, micro: 3 }[level ?? '']
    return count === undefined ? null : version.split('.').slice(0, count).join('.')
  }
}
