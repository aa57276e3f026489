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
  schemaOf,
} from './hydra-keys.ts'
import type { ContainerTypes } from './type-lines.ts'

/** What holds for Hydra's own node, where it is composed. All throw `COMPOSITION`. */
export interface HydraRules {
  /** The tree of its configs. */
  readonly ownConfigs: OwnConfigs
  /** The rules by what is chosen; `isChosen` tells whether a config is in the defaults list, and Hydra's own. */
  choosing(isChosen: (config: string) => boolean): HydraRules
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

const [anyRules, launcherRules, sweeperRules, basicRules] = [
  rulesOf({ launcher: false, sweeper: false }),
  rulesOf({ launcher: true, sweeper: false }),
  rulesOf({ launcher: false, sweeper: true }),
  rulesOf({ launcher: true, sweeper: true }),
]

/** Before it is known what is chosen. */
export const hydraRules: HydraRules = anyRules

function choosing(isChosen: (config: string) => boolean): HydraRules {
  const sweeps = isChosen('hydra/sweeper/basic')
  if (isChosen('hydra/launcher/basic')) return sweeps ? basicRules : launcherRules
  return sweeps ? sweeperRules : anyRules
}

function rulesOf(basic: Parameters<typeof schemaOf>[0]): HydraRules {
  const schema = schemaOf(basic)
  return {
    ownConfigs,
    choosing,
    ensureKeys: (root) => ensureHydraKeys(root, schema),
    ensureNoDeletion: (override) => ensureNoDeletion(override, schema),
    ensureNoSearchPath,
    conform: (root) => conformHydra(root, schema),
    mergeProblem: (embedded, path) => hydraMergeProblem(embedded, path, schema),
    typesAt: (steps) => hydraTypes(steps, schema),
  }
}
