import { HydraConfigError } from '../errors.ts'
import type { MapKey, Value } from '../value/value.ts'
import { Content } from './content.ts'
import type { Read } from './frame.ts'
import { Machine } from './machine.ts'
import { unsettled } from './operands.ts'
import type { ResolveOptions } from './options.ts'
import { interpolationAt, Place, placePath } from './place.ts'
import { survey } from './survey.ts'
import { UserResolvers } from './user-resolvers.ts'

/**
 * Resolves the interpolations of one snapshot, as OmegaConf 2.3 does. What was resolved is kept, so that however many
 * interpolations lead to a value, it is evaluated once; see {@link ResolveOptions.semantics} for resolvers.
 */
export class Resolution {
  readonly #resolvers: UserResolvers
  readonly #machine: Machine
  /** As `OmegaConf.resolve`, and as `to_container(resolve=True)`. */
  readonly #inPlace: Content
  readonly #exact: Content

  /** @throws HydraConfigError `INVALID_OPTION` */
  constructor(options: ResolveOptions = {}) {
    this.#resolvers = new UserResolvers(options)
    this.#machine = new Machine({
      options,
      resolvers: this.#resolvers,
      content: (place) => this.#exact.of(place),
    })
    this.#inPlace = new Content(this.#machine, this.#resolvers, true)
    this.#exact = new Content(this.#machine, this.#resolvers, false)
  }

  /**
   * The place that the interpolation at a place leads to; the place itself where there is none.
   * @throws HydraConfigError `INTERPOLATION_UNRESOLVED`, `INTERPOLATION_CYCLE`, `INTERPOLATION_PARSE`,
   * `INTERPOLATION_PENDING`
   */
  dereference(place: Place): Place {
    return this.#answered(() => notUnsettled(this.#machine.dereference(place)), place)
  }

  /**
   * The place at a path such as `a.b[0]` below `from`; undefined where nothing is.
   * @throws HydraConfigError as {@link Resolution.dereference}
   */
  select(from: Place, path: string, throwOnMissing: boolean = false): Place | undefined {
    const relative = path.startsWith('.') ? path : `.${path}`
    let found: Place | undefined
    this.#answered(() => {
      found = this.#machine.find(from, relative, throwOnMissing)
      return found === unsettled ? undefined : from
    }, from)
    return found
  }

  /**
   * The value of a place with every interpolation resolved, as `OmegaConf.to_container(resolve=True)` has it.
   * @throws HydraConfigError as {@link Resolution.dereference}
   */
  content(place: Place): Value {
    return this.#answered(() => this.#exact.of(place), place)
  }

  /**
   * As {@link Resolution.content}, but what leads to a missing value is missing (`???`), as `OmegaConf.resolve` has it.
   * @throws HydraConfigError as {@link Resolution.dereference}
   */
  all(root: Place): Value {
    return this.#answered(() => this.#inPlace.of(root), root)
  }

  /** What the interpolation at a place reads, in the order of reading; up to its failure where it fails. */
  readsOf(place: Place): readonly Read[] {
    return this.#machine.readsOf(place)
  }

  /**
   * Asks every resolver that answers with a promise, all at once where they do not need each other, and waits for them.
   * Afterwards the other methods have their answers. Each resolver that the configuration mentions is called, also one that
   * answers at once, and what it answered stays. Other errors wait until somebody wants the value.
   * @throws HydraConfigError `INTERPOLATION_UNRESOLVED` where one is rejected, `ABORTED` by the signal
   */
  async settle(root: Place): Promise<void> {
    if (this.#resolvers.isEmpty) return
    do {
      this.#machine.forgetUnsettled()
      this.#askAll(root)
      if (this.#resolvers.rejection !== undefined) throw this.#resolvers.rejection.error
    } while (await this.#resolvers.settled())
  }

  #askAll(root: Place): void {
    const open = [root]
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      const { value } = place
      const text = interpolationAt(place)
      if (text !== undefined && this.#resolvers.mayBeCalledBy(text)) this.#ask(place)
      if (value.kind !== 'scalar' && survey(value).interpolated) {
        const keys: readonly MapKey[] =
          value.kind === 'map' ? [...value.entries.keys()] : value.items.map((_, index) => BigInt(index))
        for (const key of keys.toReversed()) {
          const child = place.child(key)
          if (child !== undefined) open.push(child)
        }
      }
    }
  }

  #ask(place: Place): void {
    try {
      const target = this.#machine.dereference(place)
      this.#machine.keep(place, target)
      this.#inPlace.of(target)
    } catch {
      // It is told when somebody wants the value.
    }
  }

  /** Tells of what no promise has answered yet. */
  #answered<Result>(find: () => Result | undefined, place: Place): Result {
    this.#machine.forgetUnsettled()
    const found = find()
    if (found !== undefined) return found
    const path = placePath(place)
    throw new HydraConfigError(
      'INTERPOLATION_PENDING',
      `${path || 'the configuration'} waits for a resolver that answers with a promise: await the composition first`,
      { class: 'InterpolationResolutionError', path, origin: place.value.origin },
    )
  }
}

function notUnsettled(place: Place): Place | undefined {
  return place === unsettled ? undefined : place
}

export type { ResolveOptions } from './options.ts'
