import { unlessAborted } from '../aborted.ts'
import { type Tell, teller } from '../events.ts'
import type { ResolverFunction, Resolvers } from '../interpolation/resolver.ts'
import { type Clock, realClock } from '../ports.ts'
import { readFiles } from '../source/read-files.ts'
import type { ConfigSource } from '../source/source.ts'
import type { Composition } from './composition.ts'

/** Who is told what happens. */
export interface ObserverOptions {
  /** Is told what happens. What it throws is uncaught, and changes nothing here. */
  readonly onEvent?: Tell | undefined
  /** Measures the durations of events. Default: the system's. */
  readonly clock?: Clock | undefined
}

/** Does what compositions do, and tells of it. */
export class Observer {
  readonly #tell: Tell
  readonly #clock: Clock

  /** @throws {HydraConfigError} `INVALID_OPTION` */
  constructor({ onEvent, clock = realClock }: ObserverOptions) {
    this.#tell = teller(onEvent)
    this.#clock = clock
  }

  /** Composes, as `work` does it. */
  async compose(config: string | undefined, work: () => Promise<Composition>): Promise<Composition> {
    const durationMs = this.#stopwatch()
    this.#tell({ type: 'compose.start', config })
    try {
      const composition = await work()
      this.#tell({ type: 'compose.end', config, durationMs: durationMs() })
      return composition
    } catch (error) {
      this.#tell({ type: 'compose.error', config, error })
      throw error
    }
  }

  async load(source: ConfigSource, signal: AbortSignal | undefined): Promise<ReadonlyMap<string, string>> {
    const durationMs = this.#stopwatch()
    const answer = readFiles(source, signal)
    // What is at hand has not been loaded.
    if (!(answer instanceof Promise)) return answer
    const files = await unlessAborted(answer, signal)
    this.#tell({ type: 'source.load', source: source.path, files: files.size, durationMs: durationMs() })
    return files
  }

  /** The same resolvers, which tell of each call. What is no resolver stays, to be refused where they are checked. */
  resolvers(resolvers: Resolvers | undefined): Resolvers | undefined {
    if (typeof resolvers !== 'object' || resolvers === null) return resolvers
    return Object.fromEntries(
      Object.entries(resolvers).map(([name, given]) => {
        if (typeof given === 'function') return [name, this.#observed(name, given)]
        if (typeof given?.resolve !== 'function') return [name, given]
        return [name, { ...given, resolve: this.#observed(name, given.resolve) }]
      }),
    )
  }

  #observed(name: string, resolve: ResolverFunction): ResolverFunction {
    return (...args) => {
      const durationMs = this.#stopwatch()
      const told = (failed: boolean): void => {
        const path = pathOf(args.at(-1))
        this.#tell({ type: 'resolver.call', name, path, durationMs: durationMs(), failed })
      }
      let answer: unknown
      try {
        answer = resolve(...args)
      } catch (error) {
        told(true)
        throw error
      }
      if (answer instanceof Promise) {
        answer.then(
          () => told(false),
          () => told(true),
        )
      } else told(false)
      return answer
    }
  }

  #stopwatch(): () => number {
    const start = this.#clock.monotonic()
    return () => this.#clock.monotonic() - start
  }
}

/** Of the context, which comes after the arguments. */
function pathOf(context: unknown): string {
  return typeof context === 'object' && context !== null && 'path' in context ? String(context.path) : ''
}
