import { type Document, isNode, LineCounter, parseDocument } from 'yaml'
import { InvalidOptionError, ResilienceError, shown } from '../errors.ts'
import { durationMax } from '../option-checks.ts'
import { type Random, realRandom } from '../ports.ts'
import { type Resilience4jOptions, resilience4j } from '../preset/resilience4j.ts'
import type { CircuitSettings } from '../settings.ts'
import { checkText } from './properties.ts'
import { springDuration } from './spring-duration.ts'

/** A circuit breaker of the file. */
export interface Resilience4jInstance {
  readonly name: string
  /** For `presets.resilience4j(…)`; durations in milliseconds. */
  readonly options: Resilience4jOptions
  /** For `new Breaker({ circuit })`: the same, with the growing or random waits that `enableExponentialBackoff` and `enableRandomizedWait` ask for. */
  readonly circuit: CircuitSettings
  /** Properties that have no meaning here, such as lists of Java exceptions: `isFailure` of a breaker says what counts. */
  readonly ignored: readonly string[]
}

export interface Resilience4jYaml {
  /** By name, those below `resilience4j.circuitbreaker.instances`. */
  readonly instances: ReadonlyMap<string, Resilience4jInstance>
  /** Of a name: its own, or what `configs.default` says of one that has none. */
  instance(name: string): Resilience4jInstance
}

export interface Resilience4jYamlOptions {
  /** For `enableRandomizedWait`. Default: `Math.random`. */
  readonly random?: Random
}

type Kind = 'number' | 'integer' | 'flag' | 'duration' | 'type' | 'state' | 'text'

const kinds: Readonly<Record<string, Kind>> = {
  failureRateThreshold: 'number',
  slowCallRateThreshold: 'number',
  slowCallDurationThreshold: 'duration',
  permittedNumberOfCallsInHalfOpenState: 'integer',
  maxWaitDurationInHalfOpenState: 'duration',
  transitionToStateAfterWaitDuration: 'state',
  slidingWindowType: 'type',
  slidingWindowSize: 'integer',
  minimumNumberOfCalls: 'integer',
  waitDurationInOpenState: 'duration',
  automaticTransitionFromOpenToHalfOpenEnabled: 'flag',
  enableExponentialBackoff: 'flag',
  exponentialBackoffMultiplier: 'number',
  exponentialMaxWaitDurationInOpenState: 'duration',
  enableRandomizedWait: 'flag',
  randomizedWaitFactor: 'number',
  baseConfig: 'text',
}

const withoutMeaning: ReadonlySet<string> = new Set([
  'allowHealthIndicatorToFail',
  'eventConsumerBufferSize',
  'ignoreClassBindingExceptions',
  'ignoreExceptionPredicate',
  'ignoreExceptions',
  'initialState',
  'recordExceptions',
  'recordFailurePredicate',
  'recordResultPredicate',
  'registerHealthIndicator',
  'slidingWindowSynchronizationStrategy',
  'writableStackTraceEnabled',
])

/** Of resilience4j's properties, those that only ask for a function between waits. */
const intervalNames = [
  'enableExponentialBackoff',
  'exponentialBackoffMultiplier',
  'exponentialMaxWaitDurationInOpenState',
  'enableRandomizedWait',
  'randomizedWaitFactor',
] as const

type Value = string | number | boolean

/**
 * Reads `resilience4j.circuitbreaker` of a Spring Boot YAML file: `configs`, `instances` (or `backends`), `baseConfig`,
 * `configs.default`; names in camelCase or kebab-case, durations as Spring has them (`10s`, `500ms`, `PT10S`, a number of
 * milliseconds). Other parts of the file are left alone. One document; placeholders `${…}` are not resolved.
 *
 * @throws ResilienceError `INVALID_CONFIG` naming line and property: no YAML, a property that resilience4j has not, a value
 * that is none of its, a `baseConfig` that is not there or comes back to itself.
 */
export function fromResilience4jYaml(text: string, options: Resilience4jYamlOptions = {}): Resilience4jYaml {
  checkText(text)
  const { random = realRandom } = options
  const file = new YamlFile(text)
  const entriesOf = (name: string): Map<string, Entry> =>
    joined(
      file
        .below(file.root, ['resilience4j', 'circuitbreaker', name])
        .flatMap((part) => file.entries(part, name)),
    )
  const configs = entriesOf('configs')
  const given = new Map([...entriesOf('backends'), ...entriesOf('instances')])
  const made = (name: string, own: Entry): Resilience4jInstance =>
    instanceOf(name, inherited(own, configs), random)
  for (const [name, own] of configs) made(name, own)
  const instances = new Map([...given].map(([name, own]) => [name, made(name, own)]))
  return {
    instances,
    instance: (name) =>
      instances.get(name) ?? made(name, { where: name, line: undefined, values: new Map() }),
  }
}

/** A config or an instance, as it stands in the file. */
interface Entry {
  readonly where: string
  readonly line: number | undefined
  readonly values: ReadonlyMap<string, { readonly value: Value; readonly line: number | undefined }>
}

/** What stands in several places, under keys with dots, is one entry. */
function joined(entries: readonly (readonly [name: string, entry: Entry])[]): Map<string, Entry> {
  const all = new Map<string, Entry>()
  for (const [name, entry] of entries) {
    const before = all.get(name)?.values ?? []
    all.set(name, { ...entry, values: new Map([...before, ...entry.values]) })
  }
  return all
}

/** The entry, then its base, the base of that, and so on; the default config where none names one. */
function inherited(own: Entry, configs: ReadonlyMap<string, Entry>): Entry[] {
  const chain = [own]
  let entry = own
  while (true) {
    const base = entry.values.get('baseConfig')
    const name = base?.value ?? (chain.length === 1 && own !== configs.get('default') ? 'default' : undefined)
    if (name === undefined) return chain
    const next = configs.get(String(name))
    if (next === undefined && base === undefined) return chain
    if (next === undefined)
      throw invalid(
        base?.line,
        `${entry.where}.baseConfig`,
        `names ${shown(name)}, which is not among configs`,
      )
    if (chain.includes(next))
      throw invalid(base?.line, `${entry.where}.baseConfig`, `comes back to ${shown(name)}`)
    chain.push(next)
    entry = next
  }
}

function instanceOf(name: string, chain: readonly Entry[], random: Random): Resilience4jInstance {
  const merged = new Map(chain.toReversed().flatMap(({ values }) => [...values]))
  const ignored = [...merged.keys()].filter((key) => withoutMeaning.has(key))
  const own = [...merged].filter(
    ([key]) => Object.hasOwn(kinds, key) && !isInterval(key) && key !== 'baseConfig',
  )
  const options = Object.fromEntries(own.map(([key, { value }]) => [key, value]))
  try {
    const circuit = resilience4j(options)
    const read = (key: (typeof intervalNames)[number]): Value | undefined => merged.get(key)?.value
    return {
      name,
      options,
      circuit: { ...circuit, openFor: intervalOf(circuit.openFor(1), read, random) },
      ignored,
    }
  } catch (error) {
    if (!(error instanceof InvalidOptionError)) throw error
    const [culprit = ''] = error.message.split(' ')
    throw new ResilienceError(
      'INVALID_CONFIG',
      `${lineText(merged.get(culprit)?.line ?? chain[0]?.line)}${chain[0]?.where ?? name}: ${error.message}`,
      { cause: error },
    )
  }
}

function isInterval(key: string): boolean {
  return intervalNames.some((name) => name === key)
}

/** resilience4j's IntervalFunction: `wait * multiplier^(attempt - 1)` up to a maximum, spread by the factor. */
function intervalOf(
  wait: number,
  read: (key: (typeof intervalNames)[number]) => Value | undefined,
  random: Random,
): CircuitSettings['openFor'] {
  const grows = read('enableExponentialBackoff') === true
  const multiplier = grows ? numberOf('exponentialBackoffMultiplier', read, 1.5, 1, 1000) : 1
  const most = numberOf('exponentialMaxWaitDurationInOpenState', read, durationMax, 1, durationMax)
  const spread = read('enableRandomizedWait') === true ? numberOf('randomizedWaitFactor', read, 0.5, 0, 1) : 0
  return (attempt) => {
    const whole = Math.min(wait * multiplier ** (attempt - 1), grows ? most : durationMax)
    return Math.min(durationMax, Math.max(1, whole * (1 - spread + 2 * spread * random.next())))
  }
}

function numberOf(
  key: (typeof intervalNames)[number],
  read: (key: (typeof intervalNames)[number]) => Value | undefined,
  fallback: number,
  min: number,
  max: number,
): number {
  const value = read(key) ?? fallback
  if (typeof value === 'number' && value >= min && value <= max) return value
  throw new InvalidOptionError(`${key} must be a number of ${min} to ${max}, not ${shown(value)}`)
}

/** A part of the document, and the keys that lead to it. */
interface Part {
  readonly value: unknown
  readonly path: readonly unknown[]
}

/** The document, with its lines. */
class YamlFile {
  readonly root: Part
  readonly #document: Document.Parsed
  readonly #lines = new LineCounter()

  constructor(text: string) {
    try {
      this.#document = parseDocument(text, { lineCounter: this.#lines, merge: true, prettyErrors: false })
      const [error] = this.#document.errors
      if (error !== undefined) throw invalid(this.#lines.linePos(error.pos[0]).line, 'YAML', error.message)
      // Maps, so that no key is special; more aliases than that stand for a bomb.
      const value: unknown = this.#document.toJS({ mapAsMap: true, maxAliasCount: 100 })
      this.root = { value, path: [] }
    } catch (error) {
      if (error instanceof ResilienceError) throw error
      const message = error instanceof Error ? error.message : String(error)
      throw new ResilienceError('INVALID_CONFIG', `This YAML cannot be read: ${message}`, { cause: error })
    }
  }

  /** What stands below those names, of which some may be one key with dots between them. */
  below({ value, path }: Part, names: readonly string[]): Part[] {
    if (names.length === 0) return [{ value, path }]
    if (!(value instanceof Map)) return []
    const whole = `${names.join('.')}.`
    return [...value].flatMap(([key, inner]) => {
      const inside = [...path, key]
      if (plain(key).startsWith(whole)) {
        const more = String(key).split('.').slice(names.length)
        const held = more.reduceRight<unknown>((each, name) => new Map([[name, each]]), inner)
        return [{ value: held, path: inside }]
      }
      return names.flatMap((_, at) =>
        plain(key) === names.slice(0, at + 1).join('.')
          ? this.below({ value: inner, path: inside }, names.slice(at + 1))
          : [],
      )
    })
  }

  /** The configs or instances of a part. */
  entries(part: Part, what: string): (readonly [name: string, entry: Entry])[] {
    return this.#children(part, what).map(([name, own]) => {
      const where = `${what}.${name}`
      const properties = this.#children(own, where).map(([property, { value, path }]) => {
        const line = this.#lineOf(path)
        const key = canonical.get(plain(property))
        if (key === undefined)
          throw invalid(line, `${where}.${property}`, 'is no property of a circuit breaker of resilience4j')
        return [key, { value: readValue(key, value, line, where), line }] as const
      })
      return [name, { where, line: this.#lineOf(own.path), values: new Map(properties) }] as const
    })
  }

  #children({ value, path }: Part, what: string): [name: string, part: Part][] {
    if (value === null) return []
    if (!(value instanceof Map))
      throw invalid(this.#lineOf(path), what, `must have names below it, not be ${shown(value)}`)
    return [...value].map(([key, inner]) => [String(key), { value: inner, path: [...path, key] }])
  }

  // Undefined for what was merged from elsewhere.
  #lineOf(path: readonly unknown[]): number | undefined {
    const node: unknown = this.#document.getIn(path, true)
    return isNode(node) && node.range ? this.#lines.linePos(node.range[0]).line : undefined
  }
}

/** Spring takes names in any case, with or without dashes. */
function plain(key: unknown): string {
  return String(key).replaceAll(/[-_]/g, '').toLowerCase()
}

const canonical: ReadonlyMap<string, string> = new Map(
  [...Object.keys(kinds), ...withoutMeaning].map((name) => [plain(name), name]),
)

function readValue(key: string, value: unknown, line: number | undefined, where: string): Value {
  const kind = Object.hasOwn(kinds, key) ? kinds[key] : undefined
  if (kind === undefined) return ''
  const read = readers[kind](value)
  if (read !== undefined) return read
  throw invalid(line, `${where}.${key}`, `must be ${wanted[kind]}, not ${shown(value)}`)
}

const wanted: Readonly<Record<Kind, string>> = {
  number: 'a number',
  integer: 'a whole number',
  flag: 'true or false',
  duration: 'a duration such as 10s, 500ms, PT10S or a number of milliseconds',
  type: 'COUNT_BASED or TIME_BASED',
  state: 'OPEN or CLOSED',
  text: 'the name of a config',
}

const readers: Readonly<Record<Kind, (value: unknown) => Value | undefined>> = {
  number: readNumber,
  integer: (value) => {
    const number = readNumber(value)
    return Number.isInteger(number) ? number : undefined
  },
  flag: (value) => (/^(?:true|false)$/i.test(String(value)) ? /^true$/i.test(String(value)) : undefined),
  duration: springDuration,
  type: (value) => oneOf(value, ['COUNT_BASED', 'TIME_BASED']),
  state: (value) => oneOf(value, ['OPEN', 'CLOSED']),
  text: (value) => (typeof value === 'string' && value !== '' ? value : undefined),
}

function readNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^[+-]?\d{1,16}(?:\.\d{1,16})?$/.test(value) ? Number(value) : undefined
}

function oneOf(value: unknown, names: readonly string[]): string | undefined {
  return names.find((name) => typeof value === 'string' && plain(name) === plain(value))
}

function invalid(line: number | undefined, what: string, why: string): ResilienceError {
  return new ResilienceError('INVALID_CONFIG', `${lineText(line)}${what} ${why}`)
}

function lineText(line: number | undefined): string {
  return line === undefined ? '' : `line ${line}: `
}
