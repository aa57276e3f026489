export type { Change, ChangeSide } from './compose/changes.ts'
export type { ToYamlOptions } from './compose/composition.ts'
export type { ConfigNode } from './compose/config-node.ts'
export type { ResultDefault } from './defaults/defaults-tree.ts'
export { type ComposeOptions, type Composition, compose } from './edge/compose.ts'
export {
  type Feature,
  overrideFunctions,
  plainYaml,
  resolverCalls,
  secretValues,
  strictSemantics,
  userResolvers,
  wholeYaml,
} from './edge/features.ts'
export { diff, digest, explain, toYAML, treeOf } from './edge/questions.ts'
export { HydraConfigError, type HydraConfigErrorCode, isHydraConfigError } from './errors.ts'
export type { Provenance } from './explain/provenance.ts'
export { configStore } from './source/config-store.ts'
export { fromGlob } from './source/glob.ts'
export { fromMemory } from './source/memory.ts'
export { fromParsed, type WrittenConfig, type WrittenValue } from './source/parsed.ts'
export { secret } from './value/secret.ts'
