import { isHydraConfigError } from '../errors.ts'
import { pythonString } from '../value/python-string.ts'
import { list, type MapKey, map, scalar, type Value } from '../value/value.ts'
import { type InterpolationErrorClass, unresolved } from './errors.ts'
import type { Expression, Interpolation } from './expression.ts'
import { ocResolvers } from './oc-resolvers.ts'
import { parseElement, parseInterpolation } from './parse.ts'
import { interpolationAt, isMissing, Place } from './place.ts'
import type { Environment, Resolver } from './resolver.ts'
import { splitKey } from './split-key.ts'

/** What interpolations may use. */
export interface ResolveOptions {
  /** What `oc.env` reads; without it no variable is set. */
  readonly environment?: Environment
  /** Resolvers besides those that OmegaConf brings, by name. */
  readonly resolvers?: ReadonlyMap<string, Resolver>
  /** Takes the warnings of `oc.deprecated`. */
  readonly warn?: (message: string) => void
}

/** The places that are being resolved, so that a cycle is seen. */
type Visited = Set<Place>

// A longer chain of interpolations is taken for a cycle; OmegaConf runs out of Python's stack before.
const depthMax = 200

const resolutionClasses: ReadonlySet<string | undefined> = new Set<InterpolationErrorClass>([
  'InterpolationResolutionError',
  'InterpolationKeyError',
  'InterpolationToMissingValueError',
  'InterpolationValidationError',
  'UnsupportedInterpolationType',
])

/** Resolves interpolations of one configuration as OmegaConf 2.3 does; nothing is kept from one call to the next. */
export class Resolution {
  readonly #options: ResolveOptions
  #depth = 0

  constructor(options: ResolveOptions) {
    this.#options = options
  }

  /** The place that an interpolation leads to; the place itself where there is none. */
  dereference(place: Place, visited?: Visited): Place {
    const text = interpolationAt(place)
    if (text === undefined) return place
    if (place.parent === undefined) {
      throw unresolved('InterpolationResolutionError', 'an interpolation needs a map or list around it')
    }
    if (this.#depth >= depthMax) {
      throw unresolved(
        'InterpolationResolutionError',
        `interpolations lead on for more than ${depthMax} steps`,
      )
    }
    const expression = parseInterpolation(text)
    this.#depth++
    try {
      return this.#evaluate(expression, place, place.parent, visited)
    } catch (error) {
      if (isHydraConfigError(error) && resolutionClasses.has(error.class)) throw error
      const reason = error instanceof Error ? error.message : String(error)
      const wrapped = unresolved('InterpolationResolutionError', `${JSON.stringify(text)}: ${reason}`)
      wrapped.cause = error
      throw wrapped
    } finally {
      this.#depth--
    }
  }

  /** Follows a path from `from`; undefined where it ends before its last key. */
  select(from: Place, path: string, throwOnMissing: boolean, visited?: Visited): Place | undefined {
    if (path === '') return from
    const keys = splitKey(path)
    const last = keys.pop() ?? ''
    let container = from
    for (const key of keys) {
      const child = step(container, key, throwOnMissing)
      if (child === undefined) return undefined
      container = this.dereference(child, visited)
      if (!container.isContainer) {
        throw unresolved('ConfigTypeError', `${path}: ${JSON.stringify(key)} is neither a map nor a list`)
      }
    }
    const place = step(container, last, throwOnMissing)
    if (place === undefined) return undefined
    if (visited?.has(place)) {
      throw unresolved('InterpolationResolutionError', `${path}: the interpolation leads back to itself`)
    }
    visited?.add(place)
    try {
      return this.dereference(place, visited ?? new Set())
    } finally {
      visited?.delete(place)
    }
  }

  #evaluate(expression: Expression, node: Place, parent: Place, visited?: Visited): Place {
    if (expression.kind === 'node') return this.#nodeInterpolation(expression.parts, node, parent, visited)
    if (expression.kind === 'resolver') return this.#resolverInterpolation(expression, node, parent, visited)
    return new Place(this.#value(expression, node, parent, visited), parent, node.key, true)
  }

  #value(expression: Expression, node: Place, parent: Place, visited?: Visited): Value {
    const valueOf = (inner: Expression): Value => this.#value(inner, node, parent, visited)
    if (expression.kind === 'literal') return scalar(expression.value)
    if (expression.kind === 'list') return list(expression.items.map(valueOf))
    if (expression.kind === 'dict') {
      return map(expression.pairs.map(([key, item]) => [keyOf(valueOf(key)), valueOf(item)] as const))
    }
    if (expression.kind !== 'text') return this.#evaluate(expression, node, parent, visited).value
    const text = expression.parts.map((part) =>
      typeof part === 'string' ? part : pythonString(valueOf(part)),
    )
    return scalar(text.join(''))
  }

  #nodeInterpolation(
    parts: readonly (string | Interpolation)[],
    node: Place,
    parent: Place,
    visited?: Visited,
  ): Place {
    const written = parts.map((part) => this.#textOf(part, node, parent, visited)).join('')
    const { start, path } = startOf(written, parent)
    if (start === undefined)
      throw unresolved('InterpolationKeyError', `${written}: there is nothing above the root`)
    let found: Place | undefined
    try {
      found = this.select(start, path, true, visited)
    } catch (error) {
      if (!isHydraConfigError(error) || error.class !== 'MissingMandatoryValue') throw error
      throw unresolved('InterpolationToMissingValueError', error.message)
    }
    if (found === undefined)
      throw unresolved('InterpolationKeyError', `the key ${JSON.stringify(path)} is not there`)
    for (let above: Place | undefined = parent; above !== undefined; above = above.parent) {
      if (above === found) {
        throw unresolved('InterpolationResolutionError', `${written}: an interpolation to what holds it`)
      }
    }
    return found
  }

  #resolverInterpolation(
    expression: Interpolation & { kind: 'resolver' },
    node: Place,
    parent: Place,
    visited?: Visited,
  ): Place {
    const name = expression.name.map((part) => this.#textOf(part, node, parent, visited)).join('.')
    const args = expression.arguments.map((argument) => this.#evaluate(argument, node, parent, visited))
    const resolver = this.#options.resolvers?.get(name) ?? ocResolvers.get(name)
    if (resolver === undefined) {
      throw unresolved('UnsupportedInterpolationType', `there is no resolver ${JSON.stringify(name)}`)
    }
    const result = resolver(args, {
      node,
      parent,
      environment: this.#options.environment ?? (() => undefined),
      warn: this.#options.warn ?? (() => undefined),
      select: (path, throwOnMissing) => this.find(parent, path, throwOnMissing),
      decode: (text) => this.#value(parseElement(text), node, parent),
    })
    return result instanceof Place ? result : new Place(result, parent, node.key, true)
  }

  /** Finds by a path from the root, or from `from` where it begins with a dot; undefined where it passes a scalar. */
  find(from: Place, written: string, throwOnMissing: boolean): Place | undefined {
    const { start, path } = startOf(written, from)
    if (start === undefined) throw unresolved('ConfigKeyError', `${written}: there is nothing above the root`)
    try {
      return this.select(start, path, throwOnMissing)
    } catch (error) {
      if (
        isHydraConfigError(error) &&
        error.class === 'ConfigTypeError' &&
        !(error.cause instanceof TypeError)
      ) {
        return undefined
      }
      throw error
    }
  }

  #textOf(part: string | Interpolation, node: Place, parent: Place, visited?: Visited): string {
    if (typeof part === 'string') return part
    const { value } = this.#evaluate(part, node, parent, visited)
    if (value.kind === 'scalar' && typeof value.value === 'string') return value.value
    throw unresolved(
      'InterpolationResolutionError',
      `a key or the name of a resolver is no text: ${pythonString(value).slice(0, 60)}`,
    )
  }
}

/** Where a path starts: at the root, or for each leading dot after the first one level above `from`. */
function startOf(written: string, from: Place): { start: Place | undefined; path: string } {
  if (!written.startsWith('.')) return { start: from.root, path: written }
  let start: Place | undefined = from
  let path = written.slice(1)
  while (path.startsWith('.') && start !== undefined) {
    start = start.parent
    path = path.slice(1)
  }
  return { start, path }
}

function step(container: Place, key: string, throwOnMissing: boolean): Place | undefined {
  const child = container.child(container.value.kind === 'list' ? indexOf(key) : key)
  if (child !== undefined && throwOnMissing && isMissing(child)) {
    throw unresolved('MissingMandatoryValue', `${JSON.stringify(key)} is missing ('???')`)
  }
  return child
}

function indexOf(key: string): bigint {
  const digits = key.trim()
  if (/^[+-]?[0-9]+(?:_[0-9]+)*$/.test(digits)) return BigInt(digits.replace(/[_+]/g, ''))
  const error = unresolved('ConfigTypeError', `${JSON.stringify(key)} is no index of a list`)
  error.cause = new TypeError(error.message)
  throw error
}

function keyOf(value: Value): MapKey {
  return value.kind === 'scalar' ? value.value : pythonString(value)
}
