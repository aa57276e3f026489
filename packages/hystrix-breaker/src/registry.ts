import { channel } from 'node:diagnostics_channel'
import type { Breaker } from './breaker.ts'
import { type Channels, Emitter } from './emitter.ts'
import { InvalidOptionError, shown } from './errors.ts'
import { checkFunction, checkInteger, checkNames } from './option-checks.ts'

export interface RegistryOptions {
  /** Breakers kept, the last used ones. Default 1000. */
  readonly max?: number
}

/** A breaker was added, or left because others were used later. */
export interface RegistryEvent {
  readonly name: string
  readonly breaker: Breaker
}

/** A breaker was added under the name of another one, which it replaced. */
export interface DuplicateEvent extends RegistryEvent {
  readonly replaced: Breaker
}

/** What a collapser shows of itself; that of `collapser(…)` is one. */
export interface ObservedCollapser {
  readonly name: string
  readonly settings: {
    /** Most requests in a batch. */
    readonly max: number
    /** Milliseconds that the first request waits for others. */
    readonly window: number
    readonly cache: boolean
  }
  /** Of the last ten seconds. */
  rolling(): { readonly requests: number; readonly batches: number; readonly fromCache: number }
  /** Requests in a batch, of the same time. */
  batchSize(): { readonly mean: number; percentile(percent: number): number }
}

/** Also published to the channels of `node:diagnostics_channel` below `loadbearing:hystrix-breaker:registry-`. */
export interface RegistryEvents {
  add: RegistryEvent
  evict: RegistryEvent
  duplicate: DuplicateEvent
}

const channels: Channels<RegistryEvents> = {
  add: channel('loadbearing:hystrix-breaker:registry-add'),
  evict: channel('loadbearing:hystrix-breaker:registry-evict'),
  duplicate: channel('loadbearing:hystrix-breaker:registry-duplicate'),
}

/**
 * The breakers of a process by their names, for what shows them: streams, metrics, the command line. It is bounded:
 * names made of what callers send cannot fill the memory. What is evicted goes on working for who holds it.
 */
export class Registry implements AsyncDisposable, Iterable<Breaker> {
  readonly max: number
  readonly #emitter: Emitter<RegistryEvents> = new Emitter(channels)
  readonly #breakers = new Map<string, Breaker>()
  readonly #collapsers = new Map<string, ObservedCollapser>()
  #warned = false

  /** @throws InvalidOptionError naming the option. */
  constructor(options: RegistryOptions = {}) {
    checkNames('options', options, ['max'])
    this.max = checkInteger('max', options.max ?? 1000, 1, 1_000_000)
  }

  get size(): number {
    return this.#breakers.size
  }

  /** Calls `listener` for each event; the function that comes back ends it. */
  on<Name extends keyof RegistryEvents>(
    name: Name,
    listener: (event: RegistryEvents[Name]) => void,
  ): () => void {
    return this.#emitter.on(name, listener)
  }

  /**
   * A breaker, or what `breaker(…)` gave, under its own name and in place of another one of that name.
   *
   * @throws InvalidOptionError where it is neither.
   */
  add(added: Breaker | { readonly breaker: Breaker }): void {
    const breaker = 'breaker' in Object(added) ? Reflect.get(added, 'breaker') : added
    if (!isBreaker(breaker))
      throw new InvalidOptionError(`add takes a Breaker or a function of breaker(…), not ${shown(added)}`)
    const { name } = breaker
    const replaced = this.#breakers.get(name)
    use(this.#breakers, breaker)
    if (replaced === breaker) return
    if (replaced !== undefined) {
      this.#emitter.emit('duplicate', () => ({ name, breaker, replaced }))
      return
    }
    const evicted = this.#evictFrom(this.#breakers)
    this.#emitter.emit('add', () => ({ name, breaker }))
    if (evicted !== undefined) this.#emitter.emit('evict', () => ({ name: evicted.name, breaker: evicted }))
  }

  /**
   * The metrics of a collapser, or the collapser, for the streams; in place of another one of its name. As many as
   * breakers are kept.
   *
   * @throws InvalidOptionError where it is neither.
   */
  addCollapser(added: ObservedCollapser | { readonly metrics: ObservedCollapser }): void {
    const collapser = 'metrics' in Object(added) ? Reflect.get(added, 'metrics') : added
    if (!isObservedCollapser(collapser))
      throw new InvalidOptionError(`addCollapser takes a collapser or its metrics, not ${shown(added)}`)
    use(this.#collapsers, collapser)
    this.#evictFrom(this.#collapsers)
  }

  /** In the order of their adding. */
  get collapsers(): readonly ObservedCollapser[] {
    return [...this.#collapsers.values()]
  }

  /** The breaker of that name, which counts as used. */
  get(name: string): Breaker | undefined {
    const breaker = this.#breakers.get(name)
    if (breaker !== undefined) use(this.#breakers, breaker)
    return breaker
  }

  /**
   * The breaker of that name, made and added where there is none.
   *
   * @throws InvalidOptionError where `make` is no function, or gives no breaker or one of another name, which would be made
   * again each time.
   */
  getOrCreate(name: string, make: (name: string) => Breaker): Breaker {
    const known = this.get(name)
    if (known !== undefined) return known
    const made: unknown = checkFunction('make', make)(name)
    if (!isBreaker(made))
      throw new InvalidOptionError(
        `getOrCreate(${shown(name)}): make must give a Breaker, not ${shown(made)}`,
      )
    if (made.name !== name)
      throw new InvalidOptionError(
        `getOrCreate(${shown(name)}) made a breaker named ${shown(made.name)}: give it the option name`,
      )
    this.add(made)
    return made
  }

  /** Forgets a breaker, without an end to it. True where it was there. */
  delete(name: string): boolean {
    return this.#breakers.delete(name)
  }

  /** All of now, in the order of their last use, the oldest first. */
  [Symbol.iterator](): Iterator<Breaker> {
    return [...this.#breakers.values()][Symbol.iterator]()
  }

  /** Disposes of its breakers. */
  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#breakers.values()]
    this.#breakers.clear()
    this.#collapsers.clear()
    await Promise.all(all.map((each) => each[Symbol.asyncDispose]()))
  }

  #evictFrom<Entry>(entries: Map<string, Entry>): Entry | undefined {
    if (entries.size <= this.max) return undefined
    const [oldest] = entries
    if (oldest === undefined) return undefined
    const [name, entry] = oldest
    entries.delete(name)
    if (!this.#warned) {
      this.#warned = true
      process.emitWarning(
        `The registry keeps ${this.max} and has let ${shown(name)} go, which was not used for longest. Are names made of what callers send? If they are not, raise max`,
        { type: 'ResilienceWarning', code: 'LOADBEARING_REGISTRY_FULL' },
      )
    }
    return entry
  }
}

// By their shape: a breaker of another copy of this package is one.
function isBreaker(value: unknown): value is Breaker {
  return hasAll(value, ['name', 'state', 'metrics', 'settings', 'force'])
}

function isObservedCollapser(value: unknown): value is ObservedCollapser {
  return hasAll(value, ['name', 'settings', 'rolling', 'batchSize'])
}

function hasAll(value: unknown, members: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && members.every((member) => member in value)
}

/** Maps keep the order of insertion: the last used one is last. */
function use<Entry extends { readonly name: string }>(entries: Map<string, Entry>, entry: Entry): void {
  entries.delete(entry.name)
  entries.set(entry.name, entry)
}
