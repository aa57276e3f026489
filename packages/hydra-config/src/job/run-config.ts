import { type Composed, type Composition, compositionOf } from '../compose/composition.ts'
import { withoutChild } from '../compose/path-edit.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import { resolveAll, select } from '../interpolation/resolve-all.ts'
import { ResolverCache } from '../interpolation/resolver-cache.ts'
import { scalarString } from '../value/python-string.ts'
import { type MapValue, map, type Value } from '../value/value.ts'
import { withHydra } from './hydra-node.ts'
import { withHydraResolvers } from './hydra-resolvers.ts'
import type { JobConfig } from './job-config.ts'
import type { Platform } from './platform.ts'

/** What the interpolations of a run may use besides what Hydra brings. */
export type RunResolveOptions = Pick<
  ResolveOptions,
  'resolvers' | 'secretEnvironment' | 'secretPaths' | 'semantics' | 'signal' | 'warn'
>

/** What resolvers answered, which stays answered. */
interface Kept {
  readonly cache: ResolverCache
  readonly times: Map<string, string>
}

/** The whole configuration of a run or of one of its jobs, with Hydra's own node. */
export class RunConfig {
  /** As it was composed. */
  readonly root: MapValue
  readonly job: JobConfig
  readonly resolve: ResolveOptions
  /** The task's part, without Hydra's node. */
  readonly task: Composition
  /** What the task's part is made from. */
  readonly composed: Composed
  readonly #platform: Platform
  readonly #given: RunResolveOptions
  readonly #kept: Kept

  constructor(
    job: JobConfig,
    platform: Platform,
    given: RunResolveOptions,
    kept: Kept = { cache: new ResolverCache(), times: new Map() },
  ) {
    this.job = job
    this.root = job.root
    this.#platform = platform
    this.#given = given
    this.#kept = kept
    this.resolve = withHydraResolvers({ ...given, cache: kept.cache }, job.root, kept.times, platform)
    this.composed = {
      root: withoutChild(job.root, 'hydra'),
      layers: job.layers,
      defaults: job.list.filter(
        ({ config }) => !config.startsWith('hydra/') && config !== '_dummy_empty_config_',
      ),
      choices: new Map(job.choices.entries().filter(([key]) => !key.startsWith('hydra/'))),
      resolve: this.resolve,
    }
    this.task = compositionOf(this.composed)
  }

  /** The same with a value of Hydra's node set; what cached resolvers answered stays answered. */
  withHydra(path: string, value: Value): RunConfig {
    const job = { ...this.job, root: withHydra(this.root, path, value) }
    return new RunConfig(job, this.#platform, this.#given, this.#kept)
  }

  /** The configuration of a job of this multirun: it begins with what cached resolvers answered here. */
  ofJob(job: JobConfig): RunConfig {
    const { cache, times } = this.#kept
    return new RunConfig(job, this.#platform, this.#given, { cache: cache.copy(), times: new Map(times) })
  }

  /** What `${now:…}` answered, by pattern. */
  get times(): ReadonlyMap<string, string> {
    return this.#kept.times
  }

  /** The value at a path such as `hydra.run.dir`, resolved; undefined where nothing, null or `???` stands. */
  select(path: string): Value | undefined {
    return select(this.root, path, this.resolve)
  }

  /** As Python prints it: `None` where there is nothing. */
  text(path: string): string {
    const found = this.select(path)
    return found?.kind === 'scalar' ? scalarString(found.value) : 'None'
  }

  /** Hydra's node alone, as it was composed. */
  get hydra(): MapValue {
    const hydra = this.root.entries.get('hydra')
    return map(hydra === undefined ? [] : [['hydra', hydra]])
  }

  /** A part with all interpolations in it resolved. */
  resolved(path: string): Value | undefined {
    const found = this.select(path)
    return found && (found.kind === 'scalar' ? found : resolveAll(found, this.resolve))
  }
}
