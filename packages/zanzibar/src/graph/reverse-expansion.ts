import { isZanzibarError } from '../errors.ts'
import type { Relation, Rewrite } from '../model/type-system.ts'
import type { Wanted } from '../store/snapshot.ts'
import { isTypedWildcard, splitUser, typeOf } from '../tuple/object.ts'
import type { Tuple } from '../tuple/tuple.ts'
import { tooDeep } from './decision.ts'
import {
  type Candidates,
  difference,
  Found,
  intersection,
  isEmpty,
  sizeOf,
  uncertain,
  unite,
} from './found.ts'
import { candidatesOf, ListedRelations } from './listed-relations.ts'
import { cycle } from './outcome.ts'
import { isAssigned, mayHave, type Plans, plansFor } from './plan.ts'
import { type Progress, type Question, working } from './question.ts'
import { type Scope, TupleReader } from './tuple-reader.ts'
import { type Way, waysOf } from './upward.ts'
import { leadsTooFar } from './ways-back.ts'
import { isWeighted } from './weighted.ts'

type Steps<Result> = Generator<Progress<never>, Result, undefined>

/**
 * One list, from the user on: the model is walked backwards. Where OpenFGA lists with its pipeline, operands of
 * intersections and exclusions are walked each on their own and put together; else the first operand gives candidates.
 */
export class ReverseExpansion implements Question<Candidates> {
  readonly #plans: Plans
  readonly #reader: TupleReader
  readonly #user: string
  readonly #everyone: string | undefined
  /** The user as an object that has its own relation, where it is a userset. */
  readonly #ownObject: string
  readonly #ownRelation: Relation | undefined
  /** Whether operands are walked each on their own. */
  readonly #isWhole: boolean
  /** What the target is made of. */
  readonly #made: ListedRelations
  readonly #isNative: boolean
  readonly #limit: number
  /** About as many as the longest way has steps, or more. */
  #longest = 0
  /** Whether what is reached may be certain: OpenFGA's v2 has other answers for usersets and for everyone. */
  readonly #mayBeCertain: boolean
  readonly #found = new Map<Relation, Found>()
  readonly #target: Found
  readonly #steps: Steps<Candidates>
  #left = 0

  constructor(scope: Scope, user: string, relation: Relation) {
    this.#reader = new TupleReader(scope)
    this.#plans = plansFor(scope.types, user, false)
    this.#user = user
    const { object, relation: userRelation } = splitUser(user)
    const isPlain = userRelation === '' && !isTypedWildcard(user)
    this.#ownObject = object
    this.#ownRelation = scope.types.relation(typeOf(object), userRelation)
    this.#everyone = isPlain ? `${typeOf(user)}:*` : undefined
    this.#isWhole = isPlain && isWeighted(scope.types)
    this.#limit = scope.depthLimit
    this.#isNative = scope.depthLimit === Number.POSITIVE_INFINITY
    this.#mayBeCertain = isPlain || this.#plans.isReflexive
    this.#made = this.#isWhole
      ? new ListedRelations(relation, true, (each) => this.#plans.of(each).kind !== 'never')
      : candidatesOf(relation, scope.types, user)
    this.#target = this.#foundOf(relation)
    this.#steps = this.#run(relation)
  }

  /** All that is assigned to the user, and where it leads. */
  first(): Wanted {
    const reads = this.#made.relations.flatMap((relation) =>
      this.#assignees(relation).map(
        (user) => ({ kind: 'objects', type: relation.type, relation: relation.name, user }) as const,
      ),
    )
    return { reads, onward: this.#made.upward }
  }

  advance(steps: number): Progress<Candidates> {
    this.#left = steps
    const { done, value } = this.#steps.next()
    return done === true ? { state: 'answered', answer: value } : value
  }

  /** The certain ones that were found since it was last asked. */
  take(): readonly string[] {
    return this.#target.takeCertain()
  }

  *#run(target: Relation): Steps<Candidates> {
    // What is assigned to the user is found before what it comes by on the longest ways.
    if (this.#made.relations.includes(target) && isAssigned(target.rewrite))
      yield* this.#assigned(target, this.#target)
    for (const relations of this.#made.recursions) yield* this.#expand(relations)
    const { objects, error } = this.#target
    if (error !== undefined) throw error
    if (!this.#isWhole && 2 * this.#longest > this.#limit && (yield* this.#leadsTooFar())) throw tooDeep()
    return objects
  }

  *#leadsTooFar(): Steps<boolean> {
    const { ways, relations } = this.#made
    const along = (way: Way, users: Candidates, found: Found): Steps<void> => this.#along(way, users, found)
    const first = new Map<Relation, Found>()
    if (this.#ownRelation !== undefined) {
      const own = new Found()
      own.put(this.#ownObject, true)
      first.set(this.#ownRelation, own)
      return yield* leadsTooFar(ways, first, this.#limit, along)
    }
    for (const relation of relations) {
      const found = new Found()
      yield* this.#assigned(relation, found)
      first.set(relation, found)
    }
    return yield* leadsTooFar(ways, first, this.#limit - 1, along)
  }

  *#expand(relations: readonly Relation[]): Steps<void> {
    const inside = new Set(relations[0]?.recursion.isRecursive === true ? relations : [])
    for (const relation of inside) this.#foundOf(relation).keepFresh()
    for (const relation of relations) {
      const found = this.#foundOf(relation)
      yield* this.#objects(relation.rewrite, relation, inside, found)
      if (relation === this.#ownRelation) found.put(this.#ownObject, this.#mayBeCertain)
    }
    this.#longest++
    if (inside.size === 0) return
    const ways = this.#made.ways.filter(({ from }) => inside.has(from))
    for (let isGrowing = true; isGrowing; ) {
      isGrowing = false
      this.#longest += inside.size
      for (const to of inside) {
        const fresh = this.#foundOf(to).takeFresh()
        if (sizeOf(fresh) === 0) continue
        isGrowing = true
        for (const way of ways) if (way.to === to) yield* this.#along(way, fresh, this.#foundOf(way.from))
      }
    }
    const failed = relations
      .map((relation) => this.#foundOf(relation))
      .find(({ error }) => error !== undefined)
    for (const relation of inside) this.#foundOf(relation).error = failed?.error
  }

  /** Adds the objects of a rewrite to `all`; what is `inside` grows later. */
  *#objects(rewrite: Rewrite, relation: Relation, inside: ReadonlySet<Relation>, all: Found): Steps<void> {
    switch (rewrite.kind) {
      case 'direct':
      case 'computed':
      case 'from': {
        // Of the target they were the first.
        if (rewrite.kind === 'direct' && all !== this.#target) yield* this.#assigned(relation, all)
        for (const way of waysOf(rewrite, relation, this.#isWhole)) {
          if (inside.has(way.to)) continue
          const { objects, error } = this.#foundOf(way.to)
          yield* this.#along(way, objects, all)
          all.error ??= error
        }
        return
      }
      case 'union': {
        for (const child of rewrite.children) yield* this.#objects(child, relation, inside, all)
        return
      }
      case 'intersection':
      case 'exclusion':
    }
    const first = rewrite.kind === 'exclusion' ? rewrite.base : rewrite.children[0]
    if (first === undefined) return
    let found = yield* this.#operand(first, relation, inside)
    if (!this.#isWhole) unite(all, found, true)
    else if ('children' in rewrite) {
      for (const child of rewrite.children.slice(1)) {
        if (isEmpty(found)) break
        found = intersection(found, yield* this.#operand(child, relation, inside))
      }
      unite(all, found)
    } else if (!this.#isNative || !isEmpty(found)) {
      // OpenFGA walks what is subtracted also where there is nothing to subtract from, and fails by what it meets there.
      found = difference(found, yield* this.#operand(rewrite.subtract, relation, inside))
      // A check of v1 takes what a cycle leads to as subtracted; OpenFGA's lists do not.
      unite(all, found, this.#isNative && this.#mayDeny(rewrite.subtract, relation))
    }
  }

  *#operand(rewrite: Rewrite, relation: Relation, inside: ReadonlySet<Relation>): Steps<Found> {
    const found = new Found()
    yield* this.#objects(rewrite, relation, inside, found)
    return found
  }

  /** From objects, as users of tuples, to the objects that these lead to. */
  *#along(way: Way, users: Candidates, found: Found): Steps<void> {
    if (way.kind === 'computed') {
      found.putAll(way.isCertain ? users : uncertain(users))
      return
    }
    const suffix = way.kind === 'direct' ? `#${way.to.name}` : ''
    const sources: [string, boolean][] = []
    for (const object of users.certain) sources.push([`${object}${suffix}`, way.isCertain])
    for (const object of users.open) sources.push([`${object}${suffix}`, false])
    yield* this.#tuples(way.tupleset, sources, found, false)
  }

  *#assigned(relation: Relation, found: Found): Steps<void> {
    yield* this.#tuples(
      relation,
      this.#assignees(relation).map((user) => [user, true]),
      found,
      // OpenFGA's lists see also what a contextual tuple hides from its checks.
      this.#isNative,
    )
  }

  /** The user, and everyone of its type, where a tuple may assign the relation to them. */
  #assignees(relation: Relation): string[] {
    const users = this.#everyone === undefined ? [this.#user] : [this.#user, this.#everyone]
    return users.filter((user) => mayHave(relation, user))
  }

  /** The objects of the tuples of these users; what is not at hand is fetched together. */
  *#tuples(
    relation: Relation,
    users: readonly [string, boolean][],
    found: Found,
    hides: boolean,
  ): Steps<void> {
    let open = users
    while (open.length > 0) {
      const missing: [string, boolean][] = []
      for (const source of open) {
        if (this.#left-- <= 0) yield working
        const tuples = this.#reader.objects(relation, source[0], { hides })
        if (tuples === undefined) missing.push(source)
        else yield* this.#take(tuples, source[1], found)
      }
      open = missing
      if (missing.length > 0)
        yield { state: 'waiting', reads: this.#reader.missing.splice(0), onward: this.#made.upward }
    }
  }

  *#take(tuples: readonly Tuple[], isCertain: boolean, found: Found): Steps<void> {
    // What the model says of the first one without a condition it says of all such: they are of one user, relation and type.
    let counts: boolean | undefined
    for (const tuple of tuples) {
      if (this.#left-- <= 0) yield working
      if (tuple.condition === undefined) {
        counts ??= this.#reader.counts(tuple)
        if (counts) found.put(tuple.object, isCertain && this.#mayBeCertain)
        continue
      }
      if (!this.#reader.counts(tuple)) continue
      try {
        if (this.#reader.isMet(tuple)) found.put(tuple.object, isCertain && this.#mayBeCertain)
      } catch (error) {
        if (!isZanzibarError(error)) throw error
        found.error ??= error
      }
    }
  }

  /** Whether a cycle may be below a rewrite that a check counts as one. */
  #mayDeny(rewrite: Rewrite, relation: Relation): boolean {
    const seen = new Set<Relation>()
    const open = waysOf(rewrite, relation, this.#isWhole)
    for (let way = open.pop(); way !== undefined; way = open.pop()) {
      if (way.to.recursion.isRecursive && this.#plans.onCycle(way.to) === cycle) return true
      if (!seen.has(way.to)) open.push(...waysOf(way.to.rewrite, way.to, this.#isWhole))
      seen.add(way.to)
    }
    return false
  }

  #foundOf(relation: Relation): Found {
    let found = this.#found.get(relation)
    if (found === undefined) {
      found = new Found()
      this.#found.set(relation, found)
    }
    return found
  }
}
