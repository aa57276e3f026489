import { type Composed, type Composition, compositionOf } from '../compose/composition.ts'
import { withoutChild } from '../compose/path-edit.ts'
import { type HydraConfigError, isHydraConfigError, remade } from '../errors.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import { Resolution } from '../interpolation/resolve.ts'
import { resolveAll, select } from '../interpolation/resolve-all.ts'
import { ResolverCache } from '../interpolation/resolver-cache.ts'
import { withWholeResolution } from '../interpolation/whole.ts'
import { interpolationAt, Place, placePath } from '../value/place.ts'
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
  /** Has the answers of promises that Hydra's node waits for. */
  #settled: { readonly resolution: Resolution; readonly root: Place } | undefined

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
      defaults: job.list.filter(({ config }) => !config.startsWith('hydra/')),
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
    try {
      return select(this.root, path, this.resolve)
    } catch (error) {
      const settled = this.#settled
      if (!isHydraConfigError(error)) throw error
      if (settled === undefined || error.code !== 'INTERPOLATION_PENDING') throw this.#ofReader(error, path)
      const found = settled.resolution.select(settled.root, path)
      return found && settled.resolution.content(found)
    }
  }

  /** OmegaConf names the path that was read, and not that of the interpolation at fault which it led to. */
  #ofReader(error: HydraConfigError, path: string): HydraConfigError {
    const { code } = error
    if (code !== 'INTERPOLATION_UNRESOLVED' && code !== 'INTERPOLATION_CYCLE') return error
    if (error.class === 'InterpolationValidationError') return error
    let place: Place | undefined = new Place(this.root)
    for (const key of path.split('.')) place = place?.child(key)
    const failing = place && failingIn(place, this.resolve)
    return failing === undefined ? error : remade(error, { path: placePath(failing) })
  }

  /** Waits for what resolvers of the app answer to Hydra's node with promises. */
  async settle(): Promise<this> {
    if (Object.keys(this.#given.resolvers ?? {}).length === 0) return this
    const resolution = new Resolution(this.resolve)
    const root = new Place(this.root)
    const hydra = root.child('hydra')
    if (hydra === undefined || isAnswered(hydra, resolution)) return this
    await resolution.settle(root)
    this.#settled = { resolution, root }
    return this
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

/** The first place whose value cannot be told, in the order in which they are read. */
function failingIn(place: Place, resolve: ResolveOptions): Place | undefined {
  if (!place.isContainer) return isTold(place, resolve) ? undefined : place
  const { value } = place
  const keys =
    value.kind === 'map' ? value.entries.keys() : value.kind === 'list' ? value.items.keys().map(BigInt) : []
  for (const key of keys) {
    const child = place.child(key)
    const failing = child && failingIn(child, resolve)
    if (failing !== undefined) return failing
  }
  return undefined
}

function isTold(place: Place, resolve: ResolveOptions): boolean {
  if (interpolationAt(place) === undefined) return true
  try {
    new Resolution(withWholeResolution(resolve)).dereference(place)
    return true
  } catch {
    return false
  }
}

/** Whether all of a place can be told without waiting for anybody. */
function isAnswered(place: Place, resolution: Resolution): boolean {
  try {
    resolution.all(place)
    return true
  } catch {
    return false
  }
}
