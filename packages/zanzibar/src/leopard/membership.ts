import { isZanzibarError } from '../errors.ts'
import { begin, cycle, either, no, type Outcome, unknown, yes } from '../graph/outcome.ts'
import { assignable, type Plans } from '../graph/plan.ts'
import type { TupleReader } from '../graph/tuple-reader.ts'
import type { Relation } from '../model/type-system.ts'
import type { Tuple } from '../tuple/tuple.ts'
import type { Closure } from './closure.ts'
import type { IndexView } from './closure-index.ts'

/** How many objects are looked at that a user was assigned; who was assigned more is looked for in the closure. */
const maxAssigned = 256
/** How many objects of a closure are looked at in that case. */
const maxLooked = 1024

/** A way to be assigned what a relation leads to. */
interface Way {
  readonly relation: Relation
  /** Whether it is everyone of the user's type who is assigned. */
  readonly isEveryone: boolean
  /** The relations of the index that take what is assigned that way. */
  readonly of: readonly Relation[]
}

interface Ways {
  readonly ways: readonly Way[]
  /** Whether a relation on the way has an intersection or an exclusion. */
  readonly isOpen: boolean
  /** What a way comes to that leads back to itself; {@link begin} where it counts which one that is. */
  readonly onCycle: Outcome
}

/** What a user was assigned in one way: by object, and as nodes of the index. */
interface Assigned {
  readonly byObject: ReadonlyMap<string, Tuple>
  readonly nodes: readonly (readonly [node: number, tuple: Tuple])[]
}

const tooMany = 'too many'

/**
 * Whether a user is among what a closure leads to: its MEMBER2GROUP, which is asked of the snapshot once a question, and the
 * GROUP2GROUP of the index. The user is neither a userset nor everyone.
 */
export class Membership {
  /** How much was looked at, in steps of a check. */
  work = 0
  readonly #view: IndexView
  readonly #plans: Plans
  readonly #reader: TupleReader
  readonly #user: string
  readonly #everyone: string
  /** By the relation assigned, twice its id and one more where everyone is. */
  readonly #assigned: (Assigned | typeof tooMany | undefined)[] = []

  constructor(view: IndexView, plans: Plans, reader: TupleReader, user: string) {
    this.#view = view
    this.#plans = plans
    this.#reader = reader
    this.#user = user
    this.#everyone = `${user.slice(0, user.indexOf(':'))}:*`
  }

  /** What a relation of an object leads to: see {@link IndexView.closure}. */
  closure(relation: Relation, object: string): ReturnType<IndexView['closure']> {
    return this.#view.relation(relation) === undefined ? undefined : this.#view.closure(relation, object)
  }

  /** What a check of a relation of an object comes to, `closure` being its own; {@link begin} where it must be walked. */
  among(relation: Relation, object: string, closure: Closure | 'alone'): Outcome {
    const { ways, isOpen, onCycle } = this.#ways(relation)
    const isAlone = closure === 'alone'
    let outcome: Outcome = no
    let isUncertain = isOpen || (!isAlone && closure.isOpen)
    for (const way of ways) {
      if (isAlone && !way.of.includes(relation)) continue
      const found = isAlone ? this.#isAssigned(way, object) : this.#isIn(way, closure)
      if (found === yes) return yes
      if (found === begin) isUncertain = true
      else outcome = either(outcome, found)
    }
    if (outcome === unknown) return unknown
    if (isUncertain) return begin
    return isAlone || closure.height !== Number.POSITIVE_INFINITY ? no : onCycle
  }

  #isAssigned(way: Way, object: string): Outcome {
    const assigned = this.#assignedBy(way)
    if (assigned === undefined) return unknown
    if (assigned === tooMany) return begin
    const tuple = assigned.byObject.get(object)
    return tuple === undefined ? no : this.#holds(tuple)
  }

  #isIn(way: Way, closure: Closure): Outcome {
    const assigned = this.#assignedBy(way)
    if (assigned === undefined) return unknown
    if (assigned === tooMany) return this.#isAssignedIn(way, closure)
    this.work += assigned.nodes.length >>> 3
    let outcome: Outcome = no
    for (const [node, tuple] of assigned.nodes) {
      if (!closure.hasNode(node)) continue
      const holds = this.#holds(tuple)
      if (holds === yes) return yes
      if (holds === begin) outcome = begin
    }
    return outcome
  }

  /** The other way round: each object of the closure, whether the user was assigned that. */
  #isAssignedIn({ relation, isEveryone, of }: Way, closure: Closure): Outcome {
    if (closure.size > maxLooked) return begin
    this.work += closure.size
    let outcome: Outcome = no
    let isUncertain = false
    for (const { id } of of) {
      for (const object of closure.objects(id)) {
        const tuples = isEveryone
          ? this.#reader.wildcards(object, relation, this.#everyone)
          : this.#reader.exact(object, relation, this.#user)
        if (tuples === undefined) outcome = unknown
        for (const tuple of tuples ?? []) {
          const holds = this.#holds(tuple)
          if (holds === yes) return yes
          if (holds === begin) isUncertain = true
        }
      }
    }
    return outcome === no && isUncertain ? begin : outcome
  }

  /** {@link begin} where it cannot be told: the walk says why. */
  #holds(tuple: Tuple): Outcome {
    if (!this.#reader.counts(tuple)) return no
    try {
      return this.#reader.isMet(tuple) ? yes : no
    } catch (error) {
      if (!isZanzibarError(error)) throw error
      return begin
    }
  }

  #assignedBy({ relation, isEveryone, of }: Way): Assigned | typeof tooMany | undefined {
    const key = 2 * relation.id + Number(isEveryone)
    const known = this.#assigned[key]
    if (known !== undefined) return known
    const tuples = this.#reader.objects(relation, isEveryone ? this.#everyone : this.#user, {
      hides: true,
      limit: maxAssigned,
    })
    if (tuples === undefined) return undefined
    this.work += tuples.length
    let assigned: Assigned | typeof tooMany = tooMany
    if (tuples.length <= maxAssigned) {
      const nodes = tuples.flatMap((tuple) =>
        of
          .map((each) => [this.#view.node(each, tuple.object), tuple] as const)
          .filter(([node]) => node !== -1),
      )
      assigned = { byObject: new Map(tuples.map((tuple) => [tuple.object, tuple])), nodes }
    }
    this.#assigned[key] = assigned
    return assigned
  }

  #ways(relation: Relation): Ways {
    let known = waysOf.get(this.#plans)
    if (known === undefined) {
      known = []
      waysOf.set(this.#plans, known)
    }
    return (known[relation.id] ??= this.#findWays(relation))
  }

  #findWays(start: Relation): Ways {
    const below = this.#view.relation(start)?.below ?? []
    const plans = this.#plans
    const ways: Way[] = []
    for (const relation of new Set(below.flatMap(({ direct }) => direct))) {
      const { exact, wildcard } = assignable(relation, plans.user)
      const of = this.#view.takers(relation)
      if (exact) ways.push({ relation, isEveryone: false, of })
      if (wildcard) ways.push({ relation, isEveryone: true, of })
    }
    return {
      ways,
      isOpen: below.some((each) => each.isOpen),
      onCycle: this.#onCycle(below.map(({ relation }) => relation)),
    }
  }

  /** Where all of them can lead to the user each is walked, and what leads back to itself is met. */
  #onCycle(below: readonly Relation[]): Outcome {
    const plans = this.#plans
    const recursive = below.filter(({ recursion }) => recursion.isRecursive)
    if (recursive.every((relation) => plans.onCycle(relation) === no)) return no
    const areAllWalked = below.every((relation) => plans.of(relation).kind !== 'never')
    return areAllWalked && recursive.every((relation) => plans.onCycle(relation) === cycle) ? cycle : begin
  }
}

const waysOf = new WeakMap<Plans, (Ways | undefined)[]>()
