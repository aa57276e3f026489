import { isZanzibarError } from '../errors.ts'
import type { Relation } from '../model/type-system.ts'
import { isTypedWildcard, typeOf } from '../tuple/object.ts'
import type { Tuple } from '../tuple/tuple.ts'
import { begin, no, type Outcome, unknown, yes } from './outcome.ts'
import type { DirectPlan, FromPlan } from './plan.ts'
import type { TupleReader } from './tuple-reader.ts'

/** How many objects of a relation are asked for one by one before what the user was assigned is read at once. */
const askedFirst = 32
/** How much that may be; who was assigned more is asked for one by one. */
export const maxAssigned = 64

const none: readonly Tuple[] = []
const oneByOne = 'one by one'

/** The tuples of one user, by object. */
type ByObject = ReadonlyMap<string, readonly Tuple[]>

/**
 * What the user of a check was assigned directly. From that side a way may be shorter: of a thousand parents of an object
 * a user has a few.
 */
export class UserSide {
  /** How much was looked at, in steps of a check. */
  work = 0
  readonly #reader: TupleReader
  readonly #user: string
  readonly #everyone: string
  readonly #isPlain: boolean
  /** By relation, twice its id and one more for everyone: how often it was asked for, and all of it. */
  readonly #asked: number[] = []
  readonly #known: (ByObject | typeof oneByOne | undefined)[] = []

  constructor(reader: TupleReader, user: string) {
    this.#reader = reader
    this.#user = user
    this.#everyone = `${typeOf(user)}:*`
    this.#isPlain = !user.includes('#') && !isTypedWildcard(user)
  }

  /** The tuples that assign `object` to the user itself, or to everyone of its type; undefined where they must be fetched. */
  assigned(object: string, relation: Relation, isEveryone: boolean): readonly Tuple[] | undefined {
    const key = 2 * relation.id + Number(isEveryone)
    const asked = (this.#asked[key] ?? 0) + 1
    this.#asked[key] = asked
    const all = asked > askedFirst ? this.#all(relation, isEveryone) : this.#known[key]
    if (all !== undefined && all !== oneByOne) return all.get(object) ?? none
    const tuples = isEveryone
      ? this.#reader.wildcards(object, relation, this.#everyone)
      : this.#reader.exact(object, relation, this.#user)
    // What must be fetched is fetched together, however many they are.
    if (tuples === undefined) this.#known[key] ??= oneByOne
    return tuples
  }

  /**
   * What the usersets or parents of `object` come to, each of what the user was assigned being looked for among them; {@link
   * begin} where they must be walked. As a walk along all of them above the limit of depth.
   */
  among(plan: DirectPlan | FromPlan, object: string): Outcome {
    const { ends } = plan
    if (ends === undefined || !this.#isPlain) return begin
    const link = plan.kind === 'from' ? plan.tupleset : plan.relation
    let outcome: Outcome = no
    let isUncertain = false
    for (const { relation: end, assigned } of ends) {
      for (const { relation, isEveryone } of assigned) {
        const all = this.#all(relation, isEveryone)
        if (all === oneByOne) return begin
        if (all === undefined) outcome = unknown
        for (const [source, tuples] of all ?? []) {
          this.work++
          const user = plan.kind === 'from' ? source : `${source}#${end.name}`
          const links = this.#reader.exact(object, link, user)
          if (links === undefined) outcome = unknown
          // The link itself has no condition, or there were no ends.
          if (links?.some((tuple) => this.#reader.counts(tuple)) !== true) continue
          const held = this.#anyOf(tuples)
          if (held === yes) return yes
          if (held === begin) isUncertain = true
        }
      }
    }
    return outcome === no && isUncertain ? begin : outcome
  }

  /** {@link begin} where it cannot be told: the walk says why. */
  #anyOf(tuples: readonly Tuple[]): Outcome {
    let outcome: Outcome = no
    for (const tuple of tuples) {
      if (!this.#reader.counts(tuple)) continue
      try {
        if (this.#reader.isMet(tuple)) return yes
      } catch (error) {
        if (!isZanzibarError(error)) throw error
        outcome = begin
      }
    }
    return outcome
  }

  #all(relation: Relation, isEveryone: boolean): ByObject | typeof oneByOne | undefined {
    const key = 2 * relation.id + Number(isEveryone)
    const known = this.#known[key]
    if (known !== undefined) return known
    const user = isEveryone ? this.#everyone : this.#user
    const tuples = this.#reader.objects(relation, user, { hides: true, limit: maxAssigned })
    if (tuples === undefined) return undefined
    const all = tuples.length > maxAssigned ? oneByOne : byObject(tuples, isEveryone)
    this.#known[key] = all
    return all
  }
}

/** Of the user's own tuples one decides, the contextual one, which is the first; of everyone's each does. */
function byObject(tuples: readonly Tuple[], isEveryone: boolean): ByObject {
  const all = new Map<string, Tuple[]>()
  for (const tuple of tuples) {
    const same = all.get(tuple.object)
    if (same === undefined) all.set(tuple.object, [tuple])
    else if (isEveryone) same.push(tuple)
  }
  return all
}
