import { HydraConfigError } from '../errors.ts'
import { interpolationAt, isMissing, Place, placePath } from '../value/place.ts'
import { plainView } from '../value/plain.ts'
import type { MapKey } from '../value/value.ts'
import type { Called, Calls, Evaluator } from './calls.ts'
import { Composites } from './composites.ts'
import { unresolved } from './errors.ts'
import { ensureDepth, unsettled } from './operands.ts'
import type { ResolveOptions } from './options.ts'
import type { Combination } from './program.ts'
import { survey } from './survey.ts'
import { type CallSite, UserResolvers, unanswered } from './user-resolvers.ts'

const unkeptMax = 100_000
// Each resolver that selects, or takes a map with interpolations, takes some of JavaScript's own stack.
const nestedMax = 100

/** The calls of the resolvers that a user gives. */
export class UserCalls implements Calls {
  readonly #resolvers: UserResolvers
  readonly #composites = new Composites()
  #nested = 0

  /** @throws {HydraConfigError} `INVALID_OPTION` */
  constructor(options: ResolveOptions) {
    this.#resolvers = new UserResolvers(options)
  }

  get unkept(): number {
    return this.#resolvers.unkept
  }

  has(name: string): boolean {
    return this.#resolvers.has(name)
  }

  count(unkept: number): void {
    if (unkept <= unkeptMax) return
    throw unresolved(
      'InterpolationResolutionError',
      `more than ${unkeptMax} values depend on resolvers that are called each time: use semantics 'strict', or useCache`,
    )
  }

  pending(place: Place): HydraConfigError {
    const path = placePath(place)
    return new HydraConfigError(
      'INTERPOLATION_PENDING',
      `${path || 'the configuration'} waits for a resolver that answers with a promise: await the composition first`,
      { class: 'InterpolationResolutionError', path, origin: place.value.origin },
    )
  }

  made(place: Place, step: Combination, operands: readonly Place[]): void {
    this.#composites.add(place, step, operands)
  }

  ask(called: Called, parent: Place, args: readonly Place[], evaluator: Evaluator): Place {
    const plain: unknown[] = []
    const given = (place: Place): unknown => {
      const value =
        place === unsettled ? undefined : this.#composites.content(place, (each) => evaluator.content(each))
      if (value === undefined) throw unanswered
      ensureDepth(value)
      site.secret ||= survey(value).secret
      return plainView(value)
    }
    const site: CallSite = {
      ...called,
      args: plain,
      select: (path) => {
        const found = evaluator.find(parent, path, false)
        return found === undefined || isMissing(found) ? undefined : given(found)
      },
    }
    const answer = this.#nestedIn(() => {
      try {
        plain.push(...args.map(given))
      } catch (error) {
        if (error === unanswered) return undefined
        throw error
      }
      return this.#resolvers.answer(site)
    })
    return answer === undefined ? unsettled : new Place(answer.value, parent, site.node.key, answer.opaque)
  }

  #nestedIn<Result>(ask: () => Result): Result {
    if (this.#nested >= nestedMax) {
      throw unresolved(
        'InterpolationResolutionError',
        `resolvers need each other through more than ${nestedMax} levels`,
      )
    }
    this.#nested += 1
    try {
      return ask()
    } finally {
      this.#nested -= 1
    }
  }

  async settle(root: Place, evaluator: Evaluator, resolve: (place: Place) => void): Promise<void> {
    if (this.#resolvers.isEmpty) return
    do {
      evaluator.forgetUnsettled()
      this.#askAll(root, (place) => {
        const target = evaluator.dereference(place)
        evaluator.keep(place, target)
        resolve(target)
      })
      if (this.#resolvers.rejection !== undefined) throw this.#resolvers.rejection.error
    } while (await this.#resolvers.settled())
  }

  #askAll(root: Place, ask: (place: Place) => void): void {
    const open = [root]
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      const { value } = place
      const text = interpolationAt(place)
      if (text !== undefined && this.#resolvers.mayBeCalledBy(text)) {
        try {
          ask(place)
        } catch {
          // It is told when somebody wants the value.
        }
      }
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
}
