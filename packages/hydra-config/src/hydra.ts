import { type ComposeOptions, compose, defaultsList } from './compose/compose.ts'
import type { Composition } from './compose/composition.ts'
import { EarlierCompositions } from './compose/earlier.ts'
import type { ResultDefault } from './defaults/defaults-tree.ts'
import { HydraConfigError } from './errors.ts'
import { type Tell, teller } from './events.ts'
import { type Clock, realClock } from './ports.ts'
import type { DeepReadonly, StandardSchema } from './schema/standard-schema.ts'
import { checkSemantics } from './semantics.ts'
import { shown } from './shown.ts'
import type { ConfigSource } from './source/source.ts'
import { type SweepOptions, sweep } from './sweep/sweep.ts'
import { type LiveConfig, type WatchTiming, watchConfig } from './watch/live.ts'

/** What one configuration of a {@link Hydra} has of its own. */
export type HydraCall = Pick<ComposeOptions, 'config' | 'overrides' | 'schema' | 'signal'>

/** What all configurations of a {@link Hydra} have in common. */
export interface HydraOptions extends Omit<ComposeOptions, keyof HydraCall | 'source' | 'earlier'> {
  /** The search path: of several sources with one config, the first has it. */
  readonly sources: readonly ConfigSource[]
}

/** What a sweep alone takes. */
type SweepChoices = Pick<SweepOptions, 'random' | 'seed' | 'filter'>

/** Composes configurations from one search path. What it has parsed it does not parse again. */
export interface Hydra {
  compose<Output>(
    call: HydraCall & { readonly schema: StandardSchema<unknown, Output> },
  ): Promise<Composition<DeepReadonly<Output>>>
  compose(call?: HydraCall): Promise<Composition>
  /** See {@link defaultsList}. */
  defaultsList(call?: HydraCall): Promise<readonly ResultDefault[]>
  /** See {@link sweep}. */
  sweep(call?: HydraCall & SweepChoices): Promise<readonly (readonly string[])[]>
  /**
   * Composes, and again whenever a source changes. `signal` ends the watch, and so does `await using`.
   * @throws {HydraConfigError} as `compose` does, and `SOURCE_READ` where a source cannot be watched
   */
  watch<Output>(
    call: HydraCall & WatchTiming & { readonly schema: StandardSchema<unknown, Output> },
  ): Promise<LiveConfig<DeepReadonly<Output>>>
  watch(call?: HydraCall & WatchTiming): Promise<LiveConfig<unknown>>
}

/**
 * Holds a search path and options. Two of them share nothing that changes.
 * @throws {HydraConfigError} `INVALID_OPTION`
 */
export function createHydra(options: HydraOptions): Hydra {
  return new HydraOfSources(options)
}

/** Options of {@link watch}. */
export interface WatchOptions extends HydraCall, WatchTiming, Omit<HydraOptions, 'sources'> {
  /** The search path: of several sources with one config, the first has it. */
  readonly source: ConfigSource | readonly ConfigSource[]
}

/**
 * Composes, and again whenever a source changes: `createHydra` and its `watch` in one. `signal` ends the watch, and so
 * does `await using`.
 *
 * @throws {HydraConfigError} `INVALID_OPTION`, what `compose` throws, and `SOURCE_READ` where a source cannot be watched
 */
export function watch<Output>(
  options: WatchOptions & { readonly schema: StandardSchema<unknown, Output> },
): Promise<LiveConfig<DeepReadonly<Output>>>
export function watch(options: WatchOptions): Promise<LiveConfig<unknown>>
export async function watch(options: WatchOptions): Promise<LiveConfig<unknown>> {
  return await createHydra({ ...options, sources: [options.source].flat() }).watch(options)
}

class HydraOfSources implements Hydra {
  readonly #sources: readonly ConfigSource[]
  readonly #common: Omit<HydraOptions, 'sources' | 'onEvent' | 'clock'>
  readonly #clock: Clock
  readonly #onEvent: Tell | undefined
  readonly #tell: Tell
  readonly #earlier = new EarlierCompositions()

  constructor({ sources, onEvent, clock = realClock, ...common }: HydraOptions) {
    checkSources(sources)
    if (common.semantics !== undefined) checkSemantics(common.semantics)
    this.#sources = [...sources]
    this.#common = common
    this.#clock = clock
    this.#onEvent = onEvent
    this.#tell = teller(onEvent)
  }

  compose<Output>(
    call: HydraCall & { readonly schema: StandardSchema<unknown, Output> },
  ): Promise<Composition<DeepReadonly<Output>>>
  compose(call?: HydraCall): Promise<Composition>
  compose(call: HydraCall = {}): Promise<Composition> {
    return compose(this.#optionsOf(call, this.#sources))
  }

  defaultsList(call: HydraCall = {}): Promise<readonly ResultDefault[]> {
    return defaultsList(this.#optionsOf(call, this.#sources))
  }

  sweep(call: HydraCall & SweepChoices = {}): Promise<readonly (readonly string[])[]> {
    return sweep(this.#optionsOf(call, this.#sources))
  }

  watch<Output>(
    call: HydraCall & WatchTiming & { readonly schema: StandardSchema<unknown, Output> },
  ): Promise<LiveConfig<DeepReadonly<Output>>>
  watch(call?: HydraCall & WatchTiming): Promise<LiveConfig<unknown>>
  watch({ signal, ...call }: HydraCall & WatchTiming = {}): Promise<LiveConfig<unknown>> {
    return watchConfig({
      sources: this.#sources,
      compose: (snapshots, limited, follow) => {
        const options = this.#optionsOf({ ...call, signal: limited }, snapshots)
        const { resolveSource: open } = options
        return compose(
          open === undefined ? options : { ...options, resolveSource: (path) => follow(open(path)) },
        )
      },
      timing: call,
      onEvent: this.#tell,
      signal,
      clock: this.#clock,
    })
  }

  #optionsOf<Call extends HydraCall>(call: Call, source: readonly ConfigSource[]): Call & ComposeOptions {
    return {
      ...this.#common,
      ...call,
      source,
      earlier: this.#earlier,
      onEvent: this.#onEvent,
      clock: this.#clock,
    }
  }
}

function checkSources(sources: unknown): void {
  const isSource = (source: unknown): boolean =>
    typeof source === 'object' && source !== null && 'path' in source && 'files' in source
  if (Array.isArray(sources) && sources.length > 0 && sources.every(isSource)) return
  throw new HydraConfigError(
    'INVALID_OPTION',
    `sources must be an array of sources, such as [fromDir('conf')], not ${shown(sources)}`,
  )
}
