import type { CommandOptions } from '../command.ts'
import { InvalidOptionError, ResilienceError, shown } from '../errors.ts'
import { hystrix } from '../preset/hystrix.ts'
import { checkText, type Property, readProperties } from './properties.ts'

/** What Hystrix's properties say of a collapser, as options of `collapser(…)`. */
export interface CollapserProperties {
  /** `maxRequestsInBatch`. */
  readonly max?: number
  /** `timerDelayInMilliseconds`. */
  readonly window?: number
  /** `requestCache.enabled`. */
  readonly cache?: boolean
}

/** Where the pool of a command is looked for, unless its property `threadPoolKeyOverride` says. */
export interface CommandKeys {
  /** The group key. */
  readonly group?: string
  /** The thread pool key. Default: the group key, or the command key. */
  readonly threadPool?: string
}

/** Hystrix's configuration, by keys. */
export interface HystrixProperties {
  /** Keys that a command has properties of its own for. */
  readonly commands: readonly string[]
  readonly threadPools: readonly string[]
  readonly collapsers: readonly string[]
  /** Keys of the file that are not below `hystrix.command.`, `hystrix.threadpool.` or `hystrix.collapser.` */
  readonly ignored: readonly string[]
  /**
   * Options of `command(…)`, and with it of `presets.hystrix(…)`: what the file says of the key, or else of `default`.
   * What it says of neither is left out. Where it says anything of the pool, `coreSize` is there, 10 if need be.
   *
   * @throws ResilienceError `INVALID_CONFIG` where its own and the defaults do not go together.
   */
  command(key: string, keys?: CommandKeys): CommandOptions & { readonly name: string }
  collapser(key: string): CollapserProperties
}

type Kind = 'integer' | 'flag' | 'strategy' | 'text'
type Value = number | boolean | string

const rolling: readonly (readonly [string, Kind])[] = [
  ['metrics.rollingStats.timeInMilliseconds', 'integer'],
  ['metrics.rollingStats.numBuckets', 'integer'],
]

const percentiles: readonly (readonly [string, Kind])[] = [
  ['metrics.rollingPercentile.enabled', 'flag'],
  ['metrics.rollingPercentile.timeInMilliseconds', 'integer'],
  ['metrics.rollingPercentile.numBuckets', 'integer'],
  ['metrics.rollingPercentile.bucketSize', 'integer'],
]

const commandKinds: ReadonlyMap<string, Kind> = new Map([
  ['execution.isolation.strategy', 'strategy'],
  ['execution.isolation.thread.timeoutInMilliseconds', 'integer'],
  ['execution.isolation.thread.interruptOnTimeout', 'flag'],
  ['execution.isolation.thread.interruptOnFutureCancel', 'flag'],
  ['execution.isolation.semaphore.maxConcurrentRequests', 'integer'],
  ['execution.timeout.enabled', 'flag'],
  ['fallback.isolation.semaphore.maxConcurrentRequests', 'integer'],
  ['fallback.enabled', 'flag'],
  ['circuitBreaker.enabled', 'flag'],
  ['circuitBreaker.requestVolumeThreshold', 'integer'],
  ['circuitBreaker.sleepWindowInMilliseconds', 'integer'],
  ['circuitBreaker.errorThresholdPercentage', 'integer'],
  ['circuitBreaker.forceOpen', 'flag'],
  ['circuitBreaker.forceClosed', 'flag'],
  ...rolling,
  ...percentiles,
  ['metrics.healthSnapshot.intervalInMilliseconds', 'integer'],
  ['requestCache.enabled', 'flag'],
  ['requestLog.enabled', 'flag'],
  ['threadPoolKeyOverride', 'text'],
])

const poolKinds: ReadonlyMap<string, Kind> = new Map([
  ['coreSize', 'integer'],
  ['maximumSize', 'integer'],
  ['maxQueueSize', 'integer'],
  ['queueSizeRejectionThreshold', 'integer'],
  ['keepAliveTimeMinutes', 'integer'],
  ['allowMaximumSizeToDivergeFromCoreSize', 'flag'],
  ...rolling,
])

const collapserKinds: ReadonlyMap<string, Kind> = new Map([
  ['maxRequestsInBatch', 'integer'],
  ['timerDelayInMilliseconds', 'integer'],
  ['requestCache.enabled', 'flag'],
  ...rolling,
  ...percentiles,
])

/**
 * Reads Hystrix's configuration from a properties file, as Archaius gives it to Hystrix 1.5.18:
 * `hystrix.command.<key or default>.circuitBreaker.requestVolumeThreshold=20` and so on. Keys may have dots. What stands
 * twice has its last value, as in Java.
 *
 * @throws ResilienceError `INVALID_CONFIG` naming the line: a property that Hystrix has not, a value that is none of its.
 */
export function fromArchaius(text: string): HystrixProperties {
  checkText(text)
  const commands = new Section('hystrix.command.', commandKinds)
  const pools = new Section('hystrix.threadpool.', poolKinds)
  const collapsers = new Section('hystrix.collapser.', collapserKinds)
  const ignored: string[] = []
  for (const property of readProperties(text)) {
    const section = [commands, pools, collapsers].find(({ prefix }) => property.key.startsWith(prefix))
    if (section === undefined) ignored.push(property.key)
    else section.add(property)
  }
  const read: HystrixProperties = {
    commands: commands.keys,
    threadPools: pools.keys,
    collapsers: collapsers.keys,
    ignored,
    command: (key, { group, threadPool = group ?? key } = {}) => {
      const { threadPoolKeyOverride, ...own } = Object.fromEntries(commands.of(key))
      const pool = poolOptions(
        pools.of(typeof threadPoolKeyOverride === 'string' ? threadPoolKeyOverride : threadPool),
      )
      const options = { ...own, ...pool }
      return { ...commands.checked(key, options), ...(group === undefined ? {} : { group }), name: key }
    },
    collapser: (key) => collapserOptions(collapsers.of(key)),
  }
  for (const key of ['default', ...commands.keys]) read.command(key)
  return read
}

const longestName = Math.max(
  ...[...commandKinds.keys(), ...collapserKinds.keys()].map(({ length }) => length),
)

interface Given {
  readonly value: Value
  readonly line: number
}

/** The properties below a prefix, by key and name. */
class Section {
  readonly prefix: string
  readonly #kinds: ReadonlyMap<string, Kind>
  readonly #given = new Map<string, Map<string, Given>>()

  constructor(prefix: string, kinds: ReadonlyMap<string, Kind>) {
    this.prefix = prefix
    this.#kinds = kinds
  }

  get keys(): string[] {
    return [...this.#given.keys()].filter((key) => key !== 'default')
  }

  add({ key: whole, value, line }: Property): void {
    const path = whole.slice(this.prefix.length)
    // Of several dots that could end the key, the first: the longest property.
    const first = Math.max(0, path.length - longestName - 1)
    const dots = [...path.slice(first).matchAll(/\./g)].map(({ index }) => first + index)
    const dot = dots.find((at) => this.#kinds.has(path.slice(at + 1)))
    const kind = dot === undefined ? undefined : this.#kinds.get(path.slice(dot + 1))
    if (dot === undefined || dot === 0 || kind === undefined)
      throw new ResilienceError(
        'INVALID_CONFIG',
        `line ${line}: ${shown(whole)} is no property of Hystrix; below a key there are ${[...this.#kinds.keys()].join(', ')}`,
      )
    const key = path.slice(0, dot)
    const own = this.#given.get(key) ?? new Map<string, Given>()
    this.#given.set(key, own)
    own.set(path.slice(dot + 1), { value: readValue(whole, kind, value, line), line })
  }

  /** Of the key, or else of `default`. */
  of(key: string): Map<string, Value> {
    const given = [...(this.#given.get('default') ?? []), ...(this.#given.get(key) ?? [])]
    return new Map(given.map(([name, { value }]) => [name, value]))
  }

  /** @throws ResilienceError `INVALID_CONFIG` naming the line of a property that cannot be. */
  checked(key: string, options: object): CommandOptions {
    try {
      if (isCommandOptions(options)) {
        hystrix(options)
        return options
      }
    } catch (error) {
      if (!(error instanceof InvalidOptionError)) throw error
      const line = this.#lineOf(key, error.message)
      const where = line === undefined ? '' : `line ${line}: `
      throw new ResilienceError('INVALID_CONFIG', `${where}${this.prefix}${key}: ${error.message}`, {
        cause: error,
      })
    }
    throw new ResilienceError('INVALID_CONFIG', `${this.prefix}${key} cannot be read`)
  }

  #lineOf(key: string, message: string): number | undefined {
    for (const own of [this.#given.get(key), this.#given.get('default')]) {
      for (const [name, { line }] of own ?? []) if (message.includes(name)) return line
    }
    return undefined
  }
}

function readValue(key: string, kind: Kind, text: string, line: number): Value {
  const value = text.trim()
  if (kind === 'text') return value
  if (kind === 'integer' && /^[+-]?\d{1,10}$/.test(value) && Math.abs(Number(value)) < 2 ** 31)
    return Number(value)
  if (kind === 'flag' && /^(?:true|false)$/i.test(value)) return value.toLowerCase() === 'true'
  if (kind === 'strategy' && /^(?:THREAD|SEMAPHORE)$/i.test(value)) return value.toUpperCase()
  const wanted = { integer: 'a whole number', flag: 'true or false', strategy: 'THREAD or SEMAPHORE' }[kind]
  throw new ResilienceError(
    'INVALID_CONFIG',
    `line ${line}: ${shown(key)} must be ${wanted}, not ${shown(text)}`,
  )
}

// Without those that are of no effect in Node: the time that threads are kept, the pool's own metrics.
function poolOptions(given: ReadonlyMap<string, Value>): Record<string, Value> {
  if (given.size === 0) return {}
  const core = given.get('coreSize') ?? 10
  const most =
    given.get('allowMaximumSizeToDivergeFromCoreSize') === true ? given.get('maximumSize') : undefined
  const sized: Record<string, Value> = { coreSize: most !== undefined && most > core ? most : core }
  for (const name of ['maxQueueSize', 'queueSizeRejectionThreshold']) {
    const value = given.get(name)
    if (value !== undefined) sized[name] = value
  }
  return sized
}

function collapserOptions(given: ReadonlyMap<string, Value>): CollapserProperties {
  const max = given.get('maxRequestsInBatch')
  const window = given.get('timerDelayInMilliseconds')
  const cache = given.get('requestCache.enabled')
  return {
    ...(typeof max === 'number' ? { max } : {}),
    ...(typeof window === 'number' ? { window } : {}),
    ...(typeof cache === 'boolean' ? { cache } : {}),
  }
}

const typeOf: Readonly<Record<Kind, string>> = {
  integer: 'number',
  flag: 'boolean',
  strategy: 'string',
  text: 'string',
}

function isCommandOptions(options: object): options is CommandOptions {
  return Object.entries(options).every(([name, value]) => {
    const kind = commandKinds.get(name) ?? poolKinds.get(name)
    return kind !== undefined && typeof value === typeOf[kind]
  })
}
