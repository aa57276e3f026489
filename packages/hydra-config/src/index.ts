export type { Change, ChangeSide } from './compose/changes.ts'
export { type ComposeOptions, compose, defaultsList } from './compose/compose.ts'
export type { Composition, ToYamlOptions } from './compose/composition.ts'
export type { ConfigNode } from './compose/config-node.ts'
export type { Path } from './compose/path.ts'
export type { DefaultsTrail, ResultDefault, TrailStep } from './defaults/defaults-tree.ts'
export type { Duration } from './duration.ts'
export {
  type ConfigIssue,
  HydraConfigError,
  type HydraConfigErrorCode,
  type HydraConfigErrorOptions,
  isHydraConfigError,
} from './errors.ts'
export type { HydraEvent } from './events.ts'
export { explainText } from './explain/explain-text.ts'
export type {
  HistoryStep,
  InterpolationTrace,
  Provenance,
} from './explain/provenance.ts'
export {
  createHydra,
  type Hydra,
  type HydraCall,
  type HydraOptions,
  type WatchOptions,
  watch,
} from './hydra.ts'
export {
  type InstantiateOptions,
  type InstantiateSource,
  instantiate,
} from './instantiate/instantiate.ts'
export { type Made, type Registry, registry, type Target, type Targets } from './instantiate/registry.ts'
export type { ResolveOptions } from './interpolation/resolve.ts'
export { resolveAll, select } from './interpolation/resolve-all.ts'
export type {
  Environment,
  ResolverContext,
  ResolverDefinition,
  ResolverFunction,
  Resolvers,
} from './interpolation/resolver.ts'
export { ResolverCache } from './interpolation/resolver-cache.ts'
export { merge } from './merge/merge.ts'
export {
  type ChoiceSweep,
  type Dict,
  type DictKey,
  type Element,
  type Glob,
  type IntervalSweep,
  isList,
  type ListFunction,
  type Override,
  type OverrideType,
  type QuotedString,
  type RangeNumber,
  type RangeSweep,
  type Sweep,
} from './override/override.ts'
export { type ParseOverrideOptions, parseOverride } from './override/parse.ts'
export type { Clock, Random } from './ports.ts'
export type { DeepReadonly, StandardSchema } from './schema/standard-schema.ts'
export type { Semantics } from './semantics.ts'
export { configStore, type StoreNode } from './source/config-store.ts'
export { fromGlob } from './source/glob.ts'
export { fromMemory } from './source/memory.ts'
export type { ConfigSource } from './source/source.ts'
export { fromDotlist } from './structured/dotlist.ts'
export type { UpdateOptions } from './structured/edit.ts'
export { update, withFlagsAt } from './structured/edit.ts'
export {
  any,
  bool,
  bytes,
  dictOf,
  enumOf,
  type Field,
  type FieldLike,
  type FieldSource,
  float,
  type Initial,
  int,
  listOf,
  MISSING,
  type OutputOf,
  optional,
  path,
  type ScalarField,
  secretOf,
  str,
  union,
} from './structured/field.ts'
export { maskedCopy } from './structured/masked-copy.ts'
export { missingKeys } from './structured/missing-keys.ts'
export {
  type FieldsOutput,
  type Structured,
  type StructuredOptions,
  structured,
} from './structured/structured.ts'
export type { SweepPlan } from './sweep/plan.ts'
export { planSweep, type SweepOptions, sweep } from './sweep/sweep.ts'
export type { Place } from './value/place.ts'
export { pythonFloat } from './value/python-text.ts'
export { secret } from './value/secret.ts'
export type { UpdateMode } from './value/typing.ts'
export type {
  ConfigFile,
  FileOrigin,
  ListValue,
  MapKey,
  MapValue,
  Origin,
  OverrideOrigin,
  Scalar,
  ScalarValue,
  Value,
} from './value/value.ts'
export type { LiveConfig, Reload, WatchTiming } from './watch/live.ts'
export { dumpYaml } from './yaml/dump.ts'
export { parseYaml } from './yaml/parse-yaml.ts'
