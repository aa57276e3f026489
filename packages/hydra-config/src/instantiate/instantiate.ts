import { HydraConfigError, type HydraConfigErrorOptions } from '../errors.ts'
import { survey } from '../interpolation/survey.ts'
import { merge } from '../merge/merge.ts'
import { SecretTexts } from '../secret/secret-texts.ts'
import { suggestion } from '../suggest.ts'
import { fromPlain } from '../value/from-plain.ts'
import { originText } from '../value/origin-text.ts'
import { plainCopy, plainView } from '../value/plain.ts'
import { scalarString } from '../value/python-string.ts'
import { hasSecret, redact, shownText, showRedacted } from '../value/secret.ts'
import type { StructType } from '../value/typing.ts'
import type { MapValue, Value } from '../value/value.ts'
import { call, partial } from './call.ts'
import type { Made, Registry, Targets } from './registry.ts'

/** A place of a configuration, as `composition.tree.at('model')` gives it. */
export interface InstantiateSource {
  readonly path: string
  readonly raw: Value
  resolved(): Value
  /** The same place where `value` stands at it. */
  with(value: Value): InstantiateSource
}

/** Options of {@link instantiate}. */
export interface InstantiateOptions {
  /** Positional arguments, in place of `_args_`. Default: none. */
  readonly args?: readonly unknown[]
  /** Named arguments, merged over those of the config. Default: none. */
  readonly kwargs?: Readonly<Record<string, unknown>>
}

type Convert = 'none' | 'partial' | 'object' | 'all'

/** What holds for a node and, but for `partial`, for all that is in it. */
interface Modes {
  readonly convert: Convert
  readonly recursive: boolean
  readonly partial: boolean
  /** Whether it is in a structured config that stays one. */
  readonly kept: boolean
}

const argsKey = '_args_'
const modeKeys: ReadonlySet<unknown> = new Set(['_target_', '_convert_', '_recursive_', '_partial_'])

/**
 * Calls what `_target_` names with what stands beside it, as `hydra.utils.instantiate` does: `_args_` are its positional
 * arguments, the other keys are one object behind them; a class is constructed, a function called. Configs with a
 * `_target_` inside are instantiated first, unless `_recursive_` is false. `_partial_: true` gives a function of the
 * arguments that are left. What has no `_target_` is what it is, with all that is in it instantiated.
 *
 * What Hydra hands on as a config is frozen, what it hands on as a dict or list is a copy of its own: with `_convert_:
 * none` (the default) all is frozen; with `partial` only structured configs are, and what is in them; with `object` a
 * structured config is what its `toObject` makes of its fields; with `all` it is an object like any other.
 *
 * Only the registry is asked for a target. With `target` in the options the config has to name that one, and the
 * result is of its type.
 *
 * @throws {HydraConfigError} `UNREGISTERED_TARGET`, `INSTANTIATE`, `MISSING_VALUE`, `INTERPOLATION_UNRESOLVED`, each with
 * the path and the origin of the key at fault
 */
export function instantiate<T extends Targets, Name extends keyof T & string>(
  config: InstantiateSource,
  targets: Registry<T>,
  options: InstantiateOptions & { readonly target: Name },
): Made<T[Name]>
export function instantiate<T extends Targets>(
  config: InstantiateSource,
  targets: Registry<T>,
  options?: InstantiateOptions,
): unknown
export function instantiate(
  config: InstantiateSource,
  targets: Registry<Targets>,
  options: InstantiateOptions & { readonly target?: string } = {},
): unknown {
  const { args = [], kwargs, target } = options
  const value = resolvedWith(config, kwargs === undefined ? undefined : fromPlainWith(kwargs))
  const instantiation = new Instantiation(targets, value, passed(kwargs))
  if (target !== undefined) instantiation.ensureTarget(value, config.path, target)
  return instantiation.whole(value, config.path, args)
}

/** What is no value of a configuration is handed through to the target as it is. */
function passed(kwargs: InstantiateOptions['kwargs']): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(kwargs ?? {}).filter(([, value]) => asValue(value) === undefined))
}

function fromPlainWith(kwargs: Readonly<Record<string, unknown>>): MapValue {
  const entries = Object.entries(kwargs).flatMap(([key, plain]) => {
    const value = asValue(plain)
    return value === undefined ? [] : [[key, value] as const]
  })
  return { kind: 'map', entries: new Map(entries), origin: { kind: 'code' } }
}

function asValue(plain: unknown): Value | undefined {
  try {
    return fromPlain(plain, { kind: 'code' })
  } catch (error) {
    if (error instanceof HydraConfigError) return undefined
    throw error
  }
}

function resolvedWith(config: InstantiateSource, kwargs: MapValue | undefined): Value {
  if (kwargs === undefined || kwargs.entries.size === 0 || config.raw.kind !== 'map') return config.resolved()
  const isInterpolated = survey(config.raw).interpolated || survey(kwargs).interpolated
  return isInterpolated ? config.with(merge(config.raw, kwargs)).resolved() : merge(config.resolved(), kwargs)
}

class Instantiation {
  readonly #targets: Registry<Targets>
  readonly #passed: ReadonlyMap<string, unknown>
  readonly #secrets: SecretTexts

  constructor(targets: Registry<Targets>, value: Value, passedThrough: ReadonlyMap<string, unknown>) {
    this.#targets = targets
    this.#passed = passedThrough
    this.#secrets = new SecretTexts([value])
  }

  ensureTarget(value: Value, path: string, wanted: string): void {
    const target = value.kind === 'map' ? value.entries.get('_target_') : undefined
    if (target?.kind === 'scalar' && target.value === wanted) return
    const found = target === undefined ? 'nothing' : `'${shownText(target)}'`
    throw this.#failure(
      `_target_ must be '${wanted}', not ${found}`,
      below(path, '_target_'),
      target ?? value,
    )
  }

  whole(value: Value, path: string, args: readonly unknown[]): unknown {
    const modes: Modes = { convert: 'none', recursive: true, partial: false, kept: false }
    if (value.kind === 'scalar' && value.value !== null) {
      throw this.#failure(`only a map or a list can be instantiated, not '${shownText(value)}'`, path, value)
    }
    if (value.kind !== 'map') return this.#node(value, path, modes, args, this.#passed)
    // Of the whole, the keys of its modes are no arguments, whether it has a target or not.
    const entries = value.entries.entries().filter(([key]) => key === '_target_' || !modeKeys.has(key))
    const bare: MapValue = { ...value, entries: new Map(entries) }
    return this.#map(bare, path, this.#modesOf(value, path, modes), args, this.#passed)
  }

  #node(
    value: Value,
    path: string,
    inherited: Modes,
    args: readonly unknown[] = [],
    passedThrough: ReadonlyMap<string, unknown> = new Map(),
  ): unknown {
    if (value.kind === 'scalar') return plainView(value)
    if (value.kind === 'list') {
      const modes = { ...inherited, partial: false }
      const items = value.items.map((item, index) =>
        this.#node(this.#present(item, `${path}[${index}]`), `${path}[${index}]`, modes),
      )
      return this.#container(items, modes, value)
    }
    return this.#map(value, path, this.#modesOf(value, path, inherited), args, passedThrough)
  }

  #map(
    value: MapValue,
    path: string,
    modes: Modes,
    args: readonly unknown[],
    passedThrough: ReadonlyMap<string, unknown>,
  ): unknown {
    const target = value.entries.get('_target_')
    if (target === undefined || isMissing(target)) return this.#plainMap(value, path, modes)
    return this.#target(target, value, path, modes, args, passedThrough)
  }

  #modesOf({ entries }: MapValue, path: string, inherited: Modes): Modes {
    const flag = (key: '_recursive_' | '_partial_', otherwise: boolean): boolean => {
      const given = entries.get(key)
      if (given === undefined || isMissing(given)) return otherwise
      if (given.kind === 'scalar' && typeof given.value === 'boolean') return given.value
      const message = `${key} must be true or false, not '${shownText(given)}'`
      throw this.#failure(message, below(path, key), given, { class: 'TypeError' })
    }
    const convert = entries.get('_convert_')
    return {
      kept: inherited.kept,
      convert:
        convert === undefined || isMissing(convert) ? inherited.convert : this.#convertOf(convert, path),
      recursive: flag('_recursive_', inherited.recursive),
      partial: flag('_partial_', inherited.partial),
    }
  }

  #convertOf(given: Value, path: string): Convert {
    const text = given.kind === 'scalar' ? given.value : undefined
    if (text === 'none' || text === 'partial' || text === 'object' || text === 'all') return text
    const message = `_convert_ must be none, partial, object or all, not '${shownText(given)}'`
    throw this.#failure(message, below(path, '_convert_'), given)
  }

  #plainMap(value: MapValue, path: string, modes: Modes): unknown {
    const made = {}
    const struct = structOf(value)
    const kept = modes.kept || (struct !== undefined && modes.convert === 'partial')
    const inside = { ...modes, partial: false, kept }
    // What is missing is told before anything is called.
    for (const [key, item] of value.entries) this.#present(item, below(path, scalarString(key)))
    for (const [key, item] of value.entries) {
      const name = scalarString(key)
      define(made, name, this.#node(item, below(path, name), inside))
    }
    const shown = this.#container(made, inside, value)
    return modes.convert === 'object' && struct?.toObject !== undefined ? struct.toObject(shown) : shown
  }

  #target(
    named: Value,
    value: MapValue,
    path: string,
    modes: Modes,
    given: readonly unknown[],
    passedThrough: ReadonlyMap<string, unknown>,
  ): unknown {
    const target = this.#registered(named, path)
    const kwargs = {}
    let ofConfig: { readonly argument: unknown; readonly item: Value } | undefined
    for (const [key, item] of value.entries) {
      if (modeKeys.has(key)) continue
      if (typeof key !== 'string') {
        throw this.#failure(
          `'${scalarString(key)}' is no name of an argument`,
          below(path, scalarString(key)),
          item,
        )
      }
      if (modes.partial && isMissing(item)) continue
      const at = below(path, key)
      const argument = this.#argument(this.#present(item, at), at, modes)
      if (key === argsKey) ofConfig = { argument, item }
      else define(kwargs, key, argument)
    }
    const positional = this.#positional(ofConfig, below(path, argsKey), given, modes)
    for (const [key, each] of passedThrough) define(kwargs, key, each)
    if (hasSecret(value)) showRedacted(kwargs, () => plainView(redact(value)))
    const run = (args: readonly unknown[], names: object): unknown =>
      this.#call(() => call(target, args, names), named, path)
    return modes.partial ? partial(run, positional, kwargs) : run(positional, kwargs)
  }

  #positional(
    ofConfig: { readonly argument: unknown; readonly item: Value } | undefined,
    path: string,
    given: readonly unknown[],
    { convert }: Modes,
  ): readonly unknown[] {
    if (ofConfig === undefined) return given
    const { argument, item } = ofConfig
    if (!Array.isArray(argument) || item.kind !== 'list') {
      throw this.#failure(`_args_ must be a list, not '${shownText(item)}'`, path, item)
    }
    // In a list of its own `???` is a text like any other.
    if (given.length > 0 || convert !== 'none') return given.length > 0 ? given : argument
    const missing = item.items.findIndex(isMissing)
    if (missing === -1) return argument
    throw this.#failure('an argument is missing (???)', `${path}[${missing}]`, item)
  }

  #argument(value: Value, path: string, modes: Modes): unknown {
    if (modes.recursive) return this.#node(value, path, { ...modes, partial: false, kept: false })
    return this.#converted(value, path, modes.convert, false)
  }

  /** What is handed on without a look for targets in it. In what becomes an object of its own nothing may be missing. */
  #converted(value: Value, path: string, convert: Convert, inObject: boolean): unknown {
    if (convert === 'none') return plainView(value)
    if (convert === 'all' || value.kind === 'scalar') return plainCopy(value)
    const struct = structOf(value)
    if (struct !== undefined && convert === 'partial') return plainView(value)
    const inner = inObject || struct !== undefined
    const part = (item: Value, at: string): unknown =>
      this.#converted(inner ? this.#present(item, at) : item, at, convert, inner)
    if (value.kind === 'list') return value.items.map((item, index) => part(item, `${path}[${index}]`))
    const made = {}
    for (const [key, item] of value.entries) {
      const name = scalarString(key)
      define(made, name, part(item, below(path, name)))
    }
    if (hasSecret(value)) showRedacted(made, () => plainView(redact(value)))
    return struct?.toObject === undefined ? made : struct.toObject(made)
  }

  #registered(named: Value, path: string): NonNullable<ReturnType<Registry<Targets>['get']>> {
    const at = below(path, '_target_')
    const name = named.kind === 'scalar' ? named.value : undefined
    if (typeof name !== 'string') {
      throw this.#failure(`_target_ must be a name of the registry, not '${shownText(named)}'`, at, named)
    }
    const target = this.#targets.get(name)
    if (target !== undefined) return target
    const { names } = this.#targets
    const similar = suggestion(name, names)
    throw new HydraConfigError(
      'UNREGISTERED_TARGET',
      `${at}: the registry has no target '${shownText(named)}'${similar}; it has ${names.join(', ') || 'none'}${where(named)}`,
      { class: 'InstantiationException', path: at, origin: named.origin },
    )
  }

  #present(value: Value, path: string): Value {
    if (!isMissing(value)) return value
    throw new HydraConfigError('MISSING_VALUE', `${path} is missing (???)${where(value)}`, {
      class: 'MissingMandatoryValue',
      path,
      origin: value.origin,
    })
  }

  #call(run: () => unknown, named: Value, path: string): unknown {
    try {
      return run()
    } catch (cause) {
      const told = this.#secrets.scrub(cause instanceof Error ? cause.message : String(cause))
      const message = `the target '${shownText(named)}' failed: ${told}`
      throw this.#failure(message, path, named, this.#secrets.isIn(cause) ? {} : { cause })
    }
  }

  #container<T extends object>(made: T, { convert, kept }: Modes, value: Value): T {
    if (hasSecret(value)) showRedacted(made, () => plainView(redact(value)))
    return convert === 'none' || kept ? Object.freeze(made) : made
  }

  #failure(
    message: string,
    path: string,
    value: Value,
    options: HydraConfigErrorOptions = {},
  ): HydraConfigError {
    return new HydraConfigError('INSTANTIATE', `${path || 'the config'}: ${message}${where(value)}`, {
      class: 'InstantiationException',
      path,
      origin: value.origin,
      ...options,
    })
  }
}

function structOf({ typing }: Value): StructType | undefined {
  return typing?.struct
}

function where({ origin }: Value): string {
  return origin === undefined ? '' : ` (${originText(origin)})`
}

function below(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`
}

function isMissing(value: Value): boolean {
  return value.kind === 'scalar' && value.value === '???'
}

/** Sets a property of any name, `__proto__` too. */
function define(target: object, key: string, value: unknown): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
}
