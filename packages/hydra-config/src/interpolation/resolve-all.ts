import { isHydraConfigError } from '../errors.ts'
import { list, map, scalar, type Value } from '../value/value.ts'
import { unresolved } from './errors.ts'
import { isMissing, Place } from './place.ts'
import { Resolution, type ResolveOptions } from './resolve.ts'

const depthMax = 200
const valuesMax = 1_000_000

/**
 * Resolves every interpolation, as `OmegaConf.resolve` does; what leads to a missing value becomes missing (`???`).
 * @throws HydraConfigError `INTERPOLATION_UNRESOLVED` with the class of OmegaConf's error
 */
export function resolveAll(root: Value, options: ResolveOptions = {}): Value {
  return new Content(new Resolution(options), true).of(new Place(root))
}

/**
 * The value at a path such as `a.b[0]`, with its interpolations resolved; undefined where nothing, null or a missing
 * value stands there.
 * @throws HydraConfigError `INTERPOLATION_UNRESOLVED` with the class of OmegaConf's error
 */
export function select(
  root: Value,
  path: string,
  options: ResolveOptions & { readonly throwOnMissing?: boolean } = {},
): Value | undefined {
  const resolution = new Resolution(options)
  const relative = path.startsWith('.') ? path : `.${path}`
  const found = resolution.find(new Place(root), relative, options.throwOnMissing ?? false)
  if (found === undefined || isMissing(found)) return undefined
  const value = new Content(resolution, false).of(found)
  return value.kind === 'scalar' && value.value === null ? undefined : value
}

class Content {
  readonly #resolution: Resolution
  readonly #missingAllowed: boolean
  #depth = 0
  #count = 0

  constructor(resolution: Resolution, missingAllowed: boolean) {
    this.#resolution = resolution
    this.#missingAllowed = missingAllowed
  }

  of(place: Place): Value {
    const { value } = place
    if (!place.isContainer || value.kind === 'scalar') return value
    if (++this.#depth > depthMax || ++this.#count > valuesMax) {
      throw unresolved(
        'InterpolationResolutionError',
        'interpolations lead in a circle, or to too many values',
      )
    }
    const resolved =
      value.kind === 'list'
        ? list(
            value.items.map((item, index) => this.#child(place, BigInt(index), item)),
            value.origin,
          )
        : map(
            [...value.entries].map(([key, item]) => [key, this.#child(place, key, item)] as const),
            value.origin,
          )
    this.#depth--
    return resolved
  }

  #child(container: Place, key: Parameters<Place['child']>[0], item: Value): Value {
    if (item.kind === 'scalar' && (typeof item.value !== 'string' || !item.value.includes('${'))) return item
    const child = container.child(key)
    if (child === undefined) return item
    try {
      return this.of(this.#resolution.dereference(child))
    } catch (error) {
      if (
        !this.#missingAllowed ||
        !isHydraConfigError(error) ||
        error.class !== 'InterpolationToMissingValueError'
      ) {
        throw error
      }
      return scalar('???', item.origin)
    }
  }
}
