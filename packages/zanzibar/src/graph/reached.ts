import { isZanzibarError } from '../errors.ts'
import type { Relation } from '../model/type-system.ts'
import type { Above } from '../store/snapshot.ts'
import { typeOf } from '../tuple/object.ts'
import type { Tuple } from '../tuple/tuple.ts'
import { type Assigned, aboveOf, certainWaysOf } from './above.ts'
import type { Plans } from './plan.ts'
import type { TupleReader } from './tuple-reader.ts'
import { maxAssigned } from './user-side.ts'

/** How many objects are looked at; what lies further from the user is left to the walk. */
const maxReached = 1000

/** Who asks for which relation. The user is neither a userset nor everyone. */
export interface Asker {
  readonly plans: Plans
  readonly reader: TupleReader
  readonly relation: Relation
  readonly user: string
}

/**
 * What a user is known to have, by the lists above it that are at hand. Where a way down is wide, the way up may be narrow: of
 * a group of a hundred groups a user is in one.
 */
export class Reached {
  readonly #asker: Asker
  /** How many tuples deep it is from there to the user, at most. */
  readonly #heights = new Map<Relation, Map<string, number>>()
  #size = 0

  constructor(asker: Asker) {
    this.#asker = asker
  }

  height(relation: Relation, object: string): number | undefined {
    return this.#size === 0 ? undefined : this.#heights.get(relation)?.get(object)
  }

  /** What a store is to be told; undefined once what the user was assigned is at hand: it was told, or is of no use. */
  get above(): Above | undefined {
    const { plans, relation, user } = this.#asker
    const { assigned } = certainWaysOf(plans, relation)
    const isKnown = assigned.some((each) => this.#assigned(each) !== undefined)
    return isKnown ? undefined : aboveOf(plans, relation, user)
  }

  /** Looks at what is at hand by now; whether that is more than before. */
  grows(): boolean {
    const before = this.#size
    this.#heights.clear()
    this.#size = 0
    const { plans, reader, relation: asked } = this.#asker
    const { assigned, ways } = certainWaysOf(plans, asked)
    const fresh: (readonly [Relation, string, number])[] = []
    const put = (relation: Relation, tuples: readonly Tuple[] | undefined, height: number): void => {
      for (const tuple of tuples ?? []) {
        if (this.#size < maxReached && this.#holds(tuple) && this.#put(relation, tuple.object, height))
          fresh.push([relation, tuple.object, height])
      }
    }
    for (const each of assigned) put(each.relation, this.#assigned(each), 0)
    // The nearest first: what is added is looked at in its turn.
    for (const [relation, object, height] of fresh) {
      for (const { kind, from, to, tupleset } of ways) {
        if (to !== relation) continue
        if (kind === 'computed') {
          if (this.#put(from, object, height)) fresh.push([from, object, height])
          continue
        }
        const user = kind === 'direct' ? `${object}#${relation.name}` : object
        put(from, reader.atHand(tupleset, user), height + 1)
      }
    }
    return this.#size > before
  }

  #assigned({ relation, isEveryone }: Assigned): readonly Tuple[] | undefined {
    const { reader, user } = this.#asker
    return reader.atHand(relation, isEveryone ? `${typeOf(user)}:*` : user, maxAssigned)
  }

  #put(relation: Relation, object: string, height: number): boolean {
    let heights = this.#heights.get(relation)
    if (heights === undefined) {
      heights = new Map()
      this.#heights.set(relation, heights)
    }
    if (heights.has(object)) return false
    heights.set(object, height)
    this.#size++
    return true
  }

  /** What cannot be told counts for nothing here: the walk says why. */
  #holds(tuple: Tuple): boolean {
    const { reader } = this.#asker
    if (!reader.counts(tuple)) return false
    try {
      return reader.isMet(tuple)
    } catch (error) {
      if (!isZanzibarError(error)) throw error
      return false
    }
  }
}
