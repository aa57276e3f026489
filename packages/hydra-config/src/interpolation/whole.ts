import { suggestion } from '../suggest.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import { resolverCalls } from './call-resolver.ts'
import type { ResolutionParts, ResolveOptions } from './options.ts'
import { Taint } from './taint.ts'
import { UserCalls } from './user-calls.ts'

/** All that the resolution of interpolations can do. */
export const wholeResolution: ResolutionParts = {
  resolverCalls,
  taint: () => new Taint(),
  calls: (options) => new UserCalls(options),
  yaml: (text) => parseYaml(text),
  suggestion,
}

/** The options with all of it. */
export function withWholeResolution<Options extends ResolveOptions>(options: Options): Options {
  return { ...options, parts: wholeResolution }
}
