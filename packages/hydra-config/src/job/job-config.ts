import { composeWithHydra } from '../compose/compose.ts'
import type { Layer } from '../compose/layer.ts'
import { refuseSweep } from '../compose/refuse-sweep.ts'
import type { DefaultsNode, ResultDefault } from '../defaults/defaults-tree.ts'
import type { Repository } from '../defaults/repository.ts'
import { HydraConfigError } from '../errors.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import { isSwept, type Override } from '../override/override.ts'
import { isKeyedCall, type KeyedCall } from '../sweep/parse-sweep.ts'
import type { MapValue } from '../value/value.ts'
import { fillHydra, isOfHydra, type RuntimeFacts } from './hydra-node.ts'

/** `RUN` for one job, `MULTIRUN` for what its jobs are made from. */
export type RunMode = 'RUN' | 'MULTIRUN'

/** The whole configuration of a run, Hydra's own node with it. */
export interface JobConfig {
  readonly root: MapValue
  /** What made it, in order; without what is filled in at run time. */
  readonly layers: readonly Layer[]
  readonly list: readonly ResultDefault[]
  readonly trees: readonly DefaultsNode[]
  readonly choices: ReadonlyMap<string, string | null>
  /** Its overrides, and in a multirun what zips or excludes. */
  readonly entries: readonly (Override | KeyedCall)[]
  readonly repository: Repository
}

/** What one command line composes. */
export interface JobConfigOptions {
  readonly repository: Repository
  readonly config: string | undefined
  readonly entries: JobConfig['entries']
  readonly mode: RunMode
  readonly facts: RuntimeFacts
  /** For interpolations that overrides and merges meet. */
  readonly resolve: ResolveOptions
  /** Lets sweeps pass where they do not belong: to find the mode out. */
  readonly sweepsPass?: boolean
}

/**
 * Composes as Hydra's command line does.
 * @throws {HydraConfigError} `COMPOSITION` for a sweep where there is none to be, and what `compose` throws
 */
export function composeJob(options: JobConfigOptions): JobConfig {
  const { repository, config, mode, facts } = options
  const { secretPaths } = options.resolve
  const entries = options.entries.map((entry) =>
    isKeyedCall(entry) ? entry : (secretPaths?.sealed(entry) ?? entry),
  )
  if (options.sweepsPass !== true) for (const entry of entries) ensureSweepBelongs(entry, mode)
  const overrides = entries.filter((entry): entry is Override => !isKeyedCall(entry))
  const { value, layers, list, trees, choices } = composeWithHydra(
    repository,
    config,
    overrides,
    mode === 'MULTIRUN',
    options.resolve,
  )
  const root = fillHydra(value, { facts, repository, config, entries, choices })
  return { root, layers, list, trees, choices, entries, repository }
}

function ensureSweepBelongs(entry: Override | KeyedCall, mode: RunMode): void {
  if (isKeyedCall(entry)) {
    if (mode === 'MULTIRUN') return
    const message = `Sweep parameters '${entry.text}' requires --multirun`
    throw new HydraConfigError('COMPOSITION', message, { class: 'ConfigCompositionException' })
  }
  if (mode === 'RUN') return refuseSweep(entry, "key=\\'value1,value2\\'")
  if (!isSwept(entry.value) || !isOfHydra(entry)) return
  const message = `Sweeping over Hydra's configuration is not supported : '${entry.text}'`
  throw new HydraConfigError('COMPOSITION', message, { class: 'ConfigCompositionException' })
}
