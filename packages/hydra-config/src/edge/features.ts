import { readConfig } from '../defaults/package-header.ts'
import type { ItemRules } from '../defaults/parse-defaults.ts'
import { strictItems } from '../defaults/strict-items.ts'
import { type StrictRules, strictRules } from '../defaults/strict-rules.ts'
import { resolverCalls as ocCalls } from '../interpolation/call-resolver.ts'
import type { ResolutionParts } from '../interpolation/options.ts'
import { Taint } from '../interpolation/taint.ts'
import { UserCalls } from '../interpolation/user-calls.ts'
import type { OverrideCalls } from '../override/evaluate.ts'
import { callsOf } from '../override/parse.ts'
import { knownSecrets } from '../secret/secrets.ts'
import type { Semantics } from '../semantics.ts'
import type { ValueConfig } from '../source/value-files.ts'
import type { ConfigFile } from '../value/value.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import { readPlainYaml } from '../yaml/read-plain-yaml.ts'

/** What a composition can do besides: what is not named is not in the bundle. */
export interface Feature {
  readonly text?: (text: string, file: ConfigFile, parts: ResolutionParts) => ValueConfig
  readonly parts?: ResolutionParts
  readonly functions?: (options: { readonly semantics: Semantics }) => OverrideCalls
  readonly secrets?: typeof knownSecrets
  readonly strict?: { readonly items: ItemRules; readonly rules: StrictRules }
}

/** Reads the texts of configs that are plain YAML: block mappings and sequences, scalars and flow collections of one line, comments. */
export const plainYaml: Feature = {
  text: (text, file, { resolverCalls: calls }) =>
    readConfig(text, file, (body) => readPlainYaml(body, file, calls?.check)),
  parts: { yaml: (text, check) => readPlainYaml(text, undefined, check) },
}

/** Reads all of YAML 1.1: anchors, tags, block scalars, texts of several lines, flow collections too. */
export const wholeYaml: Feature = {
  text: (text, file) => readConfig(text, file, parseYaml),
  parts: { yaml: (text) => parseYaml(text) },
}

/** `${name:argument,…}`, with the resolvers that OmegaConf brings: `oc.env`, `oc.select`, `oc.decode` and the others. */
export const resolverCalls: Feature = { parts: { resolverCalls: ocCalls } }

/** Calls the resolvers that the option `resolvers` has, and those of {@link resolverCalls}. */
export const userResolvers: Feature = {
  parts: { resolverCalls: ocCalls, calls: (options) => new UserCalls(options), taint },
}

/** The option `secrets`, and what structured configs mark as secret. */
export const secretValues: Feature = { secrets: knownSecrets, parts: { taint } }

/** The functions of overrides, such as `int(…)` and `sort(…)`. */
export const overrideFunctions: Feature = { functions: callsOf }

/** The option `semantics: 'strict'`, with {@link overrideFunctions}. */
export const strictSemantics: Feature = {
  strict: { items: strictItems, rules: strictRules },
  functions: callsOf,
}

function taint(): Taint {
  return new Taint()
}
