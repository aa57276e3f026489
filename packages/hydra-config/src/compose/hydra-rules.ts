import type { OwnConfigs } from '../defaults/expand.ts'
import { ownConfigs } from '../defaults/own-configs.ts'
import type { Override } from '../override/override.ts'
import type { MapValue, Value } from '../value/value.ts'
import {
  conformHydra,
  ensureHydraKeys,
  ensureNoDeletion,
  ensureNoSearchPath,
  hydraMergeProblem,
  hydraTypes,
} from './hydra-keys.ts'
import type { ContainerTypes } from './type-lines.ts'

/** What holds for Hydra's own node, where it is composed. All throw `COMPOSITION`. */
export interface HydraRules {
  /** The tree of its configs. */
  readonly ownConfigs: OwnConfigs
  /** Refuses keys that it does not have. */
  ensureKeys(root: MapValue): void
  ensureNoDeletion(override: Pick<Override, 'key' | 'text' | 'type'>): void
  /** Refuses a search path that is not the primary config's. */
  ensureNoSearchPath(config: string, embedded: Value): void
  /** Converts its values to the types of its schema. */
  conform(root: MapValue): MapValue
  /** What OmegaConf says where the configs bring a list for one of its mappings; undefined for any other merge. */
  mergeProblem(embedded: Value, path: string): string | undefined
  /** The types of what stands below it; undefined where they are those of any map. */
  typesAt(steps: readonly string[]): ContainerTypes | undefined
}

export const hydraRules: HydraRules = {
  ownConfigs,
  ensureKeys: ensureHydraKeys,
  ensureNoDeletion,
  ensureNoSearchPath,
  conform: conformHydra,
  mergeProblem: hydraMergeProblem,
  typesAt: hydraTypes,
}
