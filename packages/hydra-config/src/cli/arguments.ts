import { stringRepr } from '../value/python-string.ts'
import { type OptionName, type OptionSpec, optionSpecs } from './options.ts'

/** What Hydra's flags and overrides say; flags of which nothing was said are undefined or false. */
export interface Arguments {
  readonly overrides: readonly string[]
  readonly help: boolean
  readonly hydraHelp: boolean
  readonly cfg: 'job' | 'hydra' | 'all' | undefined
  readonly resolve: boolean
  readonly package: string | undefined
  readonly run: boolean
  readonly multirun: boolean
  readonly shellCompletion: boolean
  readonly configPath: string | undefined
  readonly configName: string | undefined
  readonly configDir: string | undefined
  readonly rerun: string | undefined
  readonly info: string | undefined
}

export type ParsedArguments =
  | { readonly kind: 'arguments'; readonly arguments: Arguments }
  | { readonly kind: 'version' }
  /** `message` is that of Python's argparse. */
  | { readonly kind: 'usage'; readonly message: string }

/** An argument that looks like a flag: which one (undefined: none that is known), and what it has behind `=` or itself. */
interface Flag {
  readonly spec: OptionSpec | undefined
  readonly explicit: string | undefined
}

class UsageFault extends Error {}

/**
 * Reads a command line as Hydra's `argparse` parser does (Python 3.11): long options may be shortened, short ones
 * joined, `--` ends them, and overrides stand together.
 */
export function parseArguments(argv: readonly string[]): ParsedArguments {
  try {
    const parsing = new Parsing(argv)
    const version = parsing.parse()
    return version ? { kind: 'version' } : { kind: 'arguments', arguments: parsing.result() }
  } catch (error) {
    if (error instanceof UsageFault) return { kind: 'usage', message: error.message }
    throw error
  }
}

class Parsing {
  readonly #argv: readonly string[]
  /** By place in argv. */
  readonly #flags = new Map<number, Flag>()
  /** Index of the first `--`; argv's length where there is none. */
  readonly #end: number
  readonly #values = new Map<OptionName, string>()
  readonly #extras: string[] = []
  #overrides: readonly string[] | undefined

  constructor(argv: readonly string[]) {
    this.#argv = argv
    const end = argv.indexOf('--')
    this.#end = end === -1 ? argv.length : end
    for (const [index, argument] of argv.slice(0, this.#end).entries()) {
      const flag = flagOf(argument)
      if (flag !== undefined) this.#flags.set(index, flag)
    }
  }

  /** Whether `--version` came before anything that is wrong. */
  parse(): boolean {
    const places = [...this.#flags.keys()]
    const last = places.at(-1) ?? -1
    let index = 0
    while (index <= last) {
      const next = places.find((place) => place >= index) ?? last
      if (index !== next) {
        const after = this.#takeOverrides(index)
        if (after > index) {
          index = after
          continue
        }
      }
      if (!this.#flags.has(index)) {
        this.#extras.push(...this.#argv.slice(index, next))
        index = next
      }
      const after = this.#takeFlag(index)
      if (after === undefined) return true
      index = after
    }
    this.#extras.push(...this.#argv.slice(this.#takeOverrides(index)))
    if (this.#extras.length > 0) fail(`unrecognized arguments: ${this.#extras.join(' ')}`)
    return false
  }

  result(): Arguments {
    const values = this.#values
    const cfg = values.get('cfg')
    return {
      overrides: this.#overrides ?? [],
      help: values.has('help'),
      hydraHelp: values.has('hydraHelp'),
      cfg: cfg === 'job' || cfg === 'hydra' || cfg === 'all' ? cfg : undefined,
      resolve: values.has('resolve'),
      package: values.get('package'),
      run: values.has('run'),
      multirun: values.has('multirun'),
      shellCompletion: values.has('shellCompletion'),
      configPath: values.get('configPath'),
      configName: values.get('configName'),
      configDir: values.get('configDir'),
      rerun: values.get('rerun'),
      info: values.get('info'),
    }
  }

  /** Overrides are taken once, as many as stand together; the place behind them. */
  #takeOverrides(from: number): number {
    if (this.#overrides !== undefined) return from
    let to = from
    while (to < this.#argv.length && !this.#flags.has(to)) to++
    const taken = this.#argv.slice(from, to)
    const dashes = taken.indexOf('--')
    this.#overrides = dashes === -1 ? taken : taken.toSpliced(dashes, 1)
    return to
  }

  /** The place behind the flag and its argument; undefined for `--version`. */
  #takeFlag(index: number): number | undefined {
    const { spec: first, explicit: given } = this.#flags.get(index) ?? {
      spec: undefined,
      explicit: undefined,
    }
    let spec = first
    let explicit = given
    let short = !(this.#argv[index] ?? '').startsWith('--')
    if (spec === undefined) {
      this.#extras.push(this.#argv[index] ?? '')
      return index + 1
    }
    while (explicit !== undefined && spec.argument === 'none') {
      // Joined short options: the rest are further ones.
      const next: OptionSpec | undefined = optionSpecs.find(({ names }) =>
        names.includes(`-${explicit?.charAt(0)}`),
      )
      if (!short || explicit === '' || next === undefined) {
        return fail(`argument ${spec.names.join('/')}: ignored explicit argument ${quoted(explicit)}`)
      }
      if (spec.option === 'version') return undefined
      this.#values.set(spec.option, '')
      spec = next
      explicit = explicit.slice(1) === '' ? undefined : explicit.slice(1)
      short = true
    }
    return this.#takeArgument(index, spec, explicit)
  }

  #takeArgument(index: number, spec: OptionSpec, explicit: string | undefined): number | undefined {
    if (spec.option === 'version') return undefined
    if (spec.argument === 'none') {
      this.#values.set(spec.option, '')
      return index + 1
    }
    const next = index + 1
    const follows = next < this.#end && !this.#flags.has(next)
    const value = explicit ?? (follows ? this.#argv[next] : undefined)
    if (value === undefined && spec.argument === 'one') {
      return fail(`argument ${spec.names.join('/')}: expected one argument`)
    }
    if (value !== undefined && spec.choices !== undefined && !spec.choices.includes(value)) {
      const choices = spec.choices.map(quoted).join(', ')
      fail(`argument ${spec.names.join('/')}: invalid choice: ${quoted(value)} (choose from ${choices})`)
    }
    this.#values.set(spec.option, value ?? 'all')
    return explicit === undefined && follows ? next + 1 : next
  }
}

/** Undefined for what is no flag. */
function flagOf(argument: string): Flag | undefined {
  if (!argument.startsWith('-') || argument === '-') return undefined
  const exact = optionSpecs.find(({ names }) => names.includes(argument))
  if (exact !== undefined) return { spec: exact, explicit: undefined }
  const { name, explicit } = splitAtEquals(argument)
  const named = explicit === undefined ? undefined : optionSpecs.find(({ names }) => names.includes(name))
  if (named !== undefined) return { spec: named, explicit }
  const [meant, ...others] = matches(argument)
  if (meant !== undefined && others.length > 0) {
    const names = [meant, ...others].map((each) => each.name).join(', ')
    fail(`ambiguous option: ${argument} could match ${names}`)
  }
  if (meant !== undefined) return { spec: meant.spec, explicit: meant.explicit }
  const isOverride = /^-(?:\d+|\d*\.\d+)$/.test(argument) || argument.includes(' ')
  return isOverride ? undefined : { spec: undefined, explicit: undefined }
}

/** The options that a shortened name, or a short name with its argument joined, may mean. */
function matches(argument: string): { name: string; spec: OptionSpec; explicit: string | undefined }[] {
  const { name: prefix, explicit } = splitAtEquals(argument)
  return optionSpecs.flatMap((spec) =>
    spec.names.flatMap((name) => {
      if (argument.startsWith('--')) return name.startsWith(prefix) ? [{ name, spec, explicit }] : []
      if (name === argument.slice(0, 2)) return [{ name, spec, explicit: argument.slice(2) }]
      return name.startsWith(argument) ? [{ name, spec, explicit: undefined }] : []
    }),
  )
}

function splitAtEquals(argument: string): { name: string; explicit: string | undefined } {
  const equals = argument.indexOf('=')
  if (equals === -1) return { name: argument, explicit: undefined }
  return { name: argument.slice(0, equals), explicit: argument.slice(equals + 1) }
}

function quoted(text: string): string {
  return stringRepr(text)
}

function fail(message: string): never {
  throw new UsageFault(message)
}
