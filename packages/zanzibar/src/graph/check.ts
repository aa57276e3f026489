import { ZanzibarError } from '../errors.ts'
import type { Relation } from '../model/type-system.ts'
import { maxNarrow } from '../store/snapshot.ts'
import { splitUser, typeOf } from '../tuple/object.ts'
import type { Tuple, TupleKey } from '../tuple/tuple.ts'
import type { Decision } from './decision.ts'
import { downwardOf } from './downward.ts'
import { HeldTuples } from './held-tuples.ts'
import { type LevelsPlan, levelWalk, uncounted } from './levels.ts'
import { begin, both, butNot, either, Failures, no, type Outcome, unknown, yes } from './outcome.ts'
import { Frame, type Node, Path } from './path.ts'
import { type DirectPlan, type FromPlan, type Plan, type Plans, plansFor } from './plan.ts'
import { answer, type Progress, type Question, working } from './question.ts'
import { Shortcuts } from './shortcuts.ts'
import { type Scope, TupleReader } from './tuple-reader.ts'
import { UserSide } from './user-side.ts'

// Beside outcomes and `begin`, what a step may say: another frame must come to one first; its time is over.
const pushed = -2
const paused = -3

/** How many tuples of a way are walked without asking what the user was assigned. */
const fewTuples = 32

/**
 * Whether a user has a relation to an object. All that it names is defined in the model.
 *
 * @throws ZanzibarError `cancelled` when `signal` is aborted
 */
export function check(scope: Scope, key: TupleKey, signal?: AbortSignal): Decision | Promise<Decision> {
  const relation = scope.types.relation(typeOf(key.object), key.relation)
  if (relation === undefined) return { allowed: false, error: undefined, missing: [] }
  return answer(new Check(scope, relation, key), scope.snapshot, signal)
}

/**
 * One check, as `openfga/openfga:internal/graph/check.go` does it (v1); what v2 does otherwise its plans say. The stack is our
 * own, so that tuples may lead to any depth.
 */
export class Check implements Question<Decision> {
  readonly #reader: TupleReader
  readonly #failures: Failures = new Failures()
  readonly #tuples: HeldTuples
  readonly #plans: Plans
  readonly #limit: number
  readonly #userSide: UserSide
  readonly #user: string
  readonly #userObject: string
  readonly #userRelation: string
  readonly #relation: Relation
  readonly #object: string
  readonly #path: Path
  readonly #shortcuts: Shortcuts
  readonly #stack: Frame[] = []
  #size = 0
  #left = 0
  #handed: Outcome = begin
  /** Whether the relation of the question itself is assigned, where that was looked for before the way began. */
  #assignedFirst: Outcome = begin

  constructor(scope: Scope, relation: Relation, { user, object }: Pick<TupleKey, 'user' | 'object'>) {
    this.#reader = new TupleReader(scope)
    this.#tuples = new HeldTuples(this.#reader, this.#failures)
    const plans = plansFor(scope.types, user, scope.depthLimit !== Number.POSITIVE_INFINITY)
    this.#plans = plans
    this.#user = user
    this.#limit = scope.depthLimit
    this.#path = new Path(scope.depthLimit, plans)
    this.#userSide = new UserSide(this.#reader, user)
    const { object: userObject, relation: userRelation } = splitUser(user)
    this.#userObject = userObject
    this.#userRelation = userRelation
    this.#relation = relation
    this.#object = object
    this.#shortcuts = new Shortcuts(scope, { plans, reader: this.#reader, path: this.#path, relation, user })
  }

  advance(steps: number): Progress<Decision> {
    this.#left = steps
    let outcome = this.#run()
    if (outcome === unknown && this.#shortcuts.grow()) {
      this.#reader.missing.length = 0
      outcome = this.#run()
    }
    if (outcome === paused) return working
    if (outcome === unknown) return this.#waiting()
    const error = this.#failures.of(outcome)
    const missing = error === undefined ? [] : this.#failures.missing
    return { state: 'answered', answer: { allowed: outcome === yes, error, missing } }
  }

  #waiting(): Progress<Decision> {
    const down = this.#shortcuts.isIndexed ? undefined : downwardOf(this.#plans, this.#relation, this.#user)
    const onward = down && { ...down, above: this.#shortcuts.above }
    return { state: 'waiting', reads: this.#reader.missing.splice(0), onward }
  }

  #run(): Outcome {
    let handed = this.#handed
    if (this.#size === 0) {
      this.#path.start()
      handed = this.#first()
    }
    for (let frame = this.#current(); frame !== undefined; frame = this.#current()) {
      if (handed === pushed || handed === paused) handed = begin
      if (this.#left-- <= 0) {
        this.#handed = handed
        return paused
      }
      handed = this.#step(frame, handed)
      if (handed >= 0) this.#size--
    }
    return handed
  }

  /** Most checks end with the tuple of the user itself: for that no way is kept. */
  #first(): Outcome {
    const plan = this.#plans.of(this.#relation)
    this.#assignedFirst = begin
    if (plan.kind === 'direct' && !this.#shortcuts.isIndexed && this.#limit > 0) {
      this.#assignedFirst = this.#assigned(plan, this.#object)
      if (this.#assignedFirst === yes) return yes
    }
    return this.#enter(this.#relation, this.#object, 0)
  }

  #current(): Frame | undefined {
    return this.#size === 0 ? undefined : this.#stack[this.#size - 1]
  }

  #step(frame: Frame, handed: Outcome): Outcome {
    const { plan } = frame
    if (frame.isNode) {
      let outcome = handed === begin ? this.#evaluate(plan, frame) : handed
      if (outcome !== yes || frame.isWalked) outcome = this.#byLevels(frame, outcome)
      if (outcome >= 0) this.#path.leave(frame, outcome)
      return outcome
    }
    switch (plan.kind) {
      case 'direct':
        return this.#usersets(frame, plan, handed)
      case 'from':
        return this.#parents(frame, plan, handed)
      case 'exclusion':
        return this.#exclusion(frame, plan.base, plan.subtract, handed)
      case 'union':
        return this.#children(frame, plan.children, handed, either, yes)
      case 'intersection':
        return this.#children(frame, plan.children, handed, both, no)
      case 'levels':
        return this.#levels(frame, plan, handed)
      case 'never':
      case 'refused':
      case 'computed':
    }
    // These have no frames.
    return no
  }

  /** What a relation of an object comes to: at once, or by a frame that is pushed. */
  #enter(relation: Relation, object: string, depth: number): Outcome {
    this.#left--
    const { top } = this.#path
    if (depth >= this.#limit) {
      if (top !== undefined) top.limited = true
      return this.#failures.tooDeep()
    }
    if (top !== undefined && depth > top.deepest) top.deepest = depth
    if (this.#plans.isReflexive && object === this.#userObject && relation.name === this.#userRelation)
      return yes
    const plan = this.#plans.of(relation)
    if (plan.kind === 'never') return no
    if (plan.kind === 'direct' && plan.groups.length === 0) {
      return top === undefined && this.#assignedFirst !== begin
        ? this.#assignedFirst
        : this.#assigned(plan, object)
    }
    const node = this.#path.node(relation, object)
    let outcome = this.#path.recall(node, depth)
    if (outcome === begin) outcome = this.#lookUp(node, object, depth)
    if (outcome !== begin) return outcome
    if (!this.#path.mayEnter(node)) return this.#failures.tooManyWays(object, relation.name)
    this.#path.enter(node, this.#push(plan, object, depth))
    return pushed
  }

  /** What a node comes to without being entered; {@link begin} where it must be. */
  #lookUp(node: Node, object: string, depth: number): Outcome {
    const outcome = this.#shortcuts.lookUp(node, object, depth)
    this.#left -= this.#shortcuts.work
    this.#shortcuts.work = 0
    return outcome
  }

  /** What a plan comes to for the node of `frame`, or for the one that `frame` is of. */
  #evaluate(plan: Plan, frame: Frame): Outcome {
    const { object, depth } = frame
    switch (plan.kind) {
      case 'never':
        return no
      case 'refused':
        return this.#failures.add(new ZanzibarError('validation_error', plan.reason))
      case 'computed':
        return this.#enter(plan.relation, object, depth)
      case 'direct': {
        const isFirst = depth === 0 && this.#assignedFirst !== begin && plan.relation === this.#relation
        const assigned = isFirst ? this.#assignedFirst : this.#assigned(plan, object)
        if (assigned === yes || plan.groups.length === 0) return assigned
        if (!plan.needsUsersets && this.#isAbove(depth)) return assigned
        return this.#follow(plan, frame, assigned)
      }
      case 'from': {
        if (!plan.isNeeded && this.#isAbove(depth)) return no
        return this.#follow(plan, frame, no)
      }
      case 'union':
      case 'intersection':
      case 'exclusion':
      case 'levels':
    }
    this.#push(plan, object, depth)
    return pushed
  }

  /** Whether what is one tuple deeper is still above the limit; counted as walked. */
  #isAbove(depth: number): boolean {
    const { top } = this.#path
    if (top !== undefined && depth + 1 > top.deepest) top.deepest = depth + 1
    return depth + 1 < this.#limit
  }

  /** Along usersets or parents: from the object, or from the user where that is less. `outcome` is what was found before. */
  #follow(plan: DirectPlan | FromPlan, frame: Frame, outcome: Outcome): Outcome {
    const { object, depth } = frame
    const read = (limit?: number): readonly Tuple[] | undefined =>
      plan.kind === 'from'
        ? this.#reader.users(object, plan.tupleset, { limit })
        : this.#reader.usersets(object, plan.relation, limit)
    if (plan.ends === undefined || depth + 1 >= this.#limit) return this.#walk(plan, frame, outcome, read())
    const few = read(fewTuples)
    if (few !== undefined && few.length <= fewTuples) return this.#walk(plan, frame, outcome, few)
    // What must be fetched is fetched of both sides at once.
    const found = this.#userSide.among(plan, object)
    this.#left -= this.#userSide.work
    this.#userSide.work = 0
    if (few === undefined) return either(outcome, unknown)
    if (found === begin) return this.#walk(plan, frame, outcome, read())
    this.#isAbove(depth)
    return either(outcome, found)
  }

  #walk(plan: Plan, { object, depth }: Frame, outcome: Outcome, list: readonly Tuple[] | undefined): Outcome {
    if (list === undefined) return either(outcome, unknown)
    if (list.length === 0) return outcome
    if (list.length > maxNarrow) this.#shortcuts.meetWide()
    const frame = this.#push(plan, object, depth)
    frame.list = list
    frame.outcome = outcome
    frame.groups.length = 0
    return pushed
  }

  /** Assigned by a tuple of the user itself, or of everyone of its type. */
  #assigned(plan: DirectPlan, object: string): Outcome {
    let outcome: Outcome = no
    if (plan.exact)
      outcome = this.#tuples.anyOf(plan.relation, this.#userSide.assigned(object, plan.relation, false))
    if (outcome === yes || !plan.wildcard) return outcome
    const everyone = this.#userSide.assigned(object, plan.relation, true)
    return either(outcome, this.#tuples.anyOf(plan.relation, everyone))
  }

  #usersets(frame: Frame, { groupOf, groups }: DirectPlan, handed: Outcome): Outcome {
    if (handed !== begin) frame.outcome = either(frame.outcome, handed)
    while (frame.outcome !== yes && frame.at < frame.list.length) {
      if (this.#left-- <= 0) return paused
      const tuple = frame.list[frame.at++]
      if (tuple === undefined) break
      const { object, relation } = splitUser(tuple.user)
      const to = groupOf.get(object.slice(0, object.indexOf(':')))?.get(relation)
      if (to === undefined || !frame.isUsable(to.group, this.#tuples.holds(tuple))) continue
      const outcome = this.#enter(to.relation, object, frame.depth + 1)
      if (outcome === pushed) return pushed
      frame.outcome = either(frame.outcome, outcome)
    }
    return frame.withHidden(groups.length)
  }

  #parents(frame: Frame, { computed, groupOf }: FromPlan, handed: Outcome): Outcome {
    if (handed !== begin) frame.outcome = either(frame.outcome, handed)
    while (frame.outcome !== yes && frame.at < frame.list.length) {
      if (this.#left-- <= 0) return paused
      const tuple = frame.list[frame.at++]
      if (tuple === undefined) break
      const type = tuple.user.slice(0, tuple.user.indexOf(':'))
      const group = groupOf === undefined ? 0 : groupOf.get(type)
      if (group === undefined || !frame.isUsable(group, this.#tuples.holds(tuple))) continue
      const relation = computed.get(type)
      if (relation === undefined) continue
      const outcome = this.#enter(relation, tuple.user, frame.depth + 1)
      if (outcome === pushed) return pushed
      frame.outcome = either(frame.outcome, outcome)
    }
    return frame.withHidden(groupOf?.size ?? 1)
  }

  #children(
    frame: Frame,
    children: readonly Plan[],
    handed: Outcome,
    reduce: (a: Outcome, b: Outcome) => Outcome,
    decides: Outcome,
  ): Outcome {
    let outcome = handed
    for (;;) {
      if (outcome !== begin) {
        frame.outcome = frame.at === 1 ? outcome : reduce(frame.outcome, outcome)
        if (frame.outcome === decides) return decides
      }
      const child = children[frame.at]
      if (child === undefined) return frame.outcome
      frame.at++
      outcome = this.#evaluate(child, frame)
      if (outcome === pushed) return pushed
    }
  }

  #exclusion(frame: Frame, base: Plan, subtract: Plan, handed: Outcome): Outcome {
    let outcome = handed
    if (frame.at === 0) {
      frame.at = 1
      outcome = this.#evaluate(base, frame)
      if (outcome === pushed) return pushed
    }
    if (frame.at === 1) {
      if (outcome === no) return no
      frame.outcome = outcome
      frame.at = 2
      outcome = this.#evaluate(subtract, frame)
      if (outcome === pushed) return pushed
    }
    return butNot(frame.outcome, outcome)
  }

  /** What a recursion comes to of which levels count, where its steps led to the limit of depth, nearly, or failed. */
  #byLevels(frame: Frame, outcome: Outcome): Outcome {
    const plan = this.#path.walkLevels(frame, outcome)
    if (plan === undefined) return outcome
    const { object, depth } = frame
    const walked = { plans: this.#plans, tuples: this.#tuples, user: this.#user }
    const walk = levelWalk(plan, object, this.#limit - depth, walked)
    walk.next()
    const inner = this.#push(plan, object, depth)
    inner.walk = walk
    inner.outcome = begin
    return pushed
  }

  /** The outcome of `frame` is {@link begin} while one is wanted of its object, else what the walk takes for a step of work. */
  #levels(frame: Frame, { own }: LevelsPlan, handed: Outcome): Outcome {
    for (let outcome = handed === begin ? frame.outcome : handed; ; ) {
      if (outcome !== begin) {
        const next = frame.walk?.next(outcome)
        if (next === undefined || next.done === true) return next?.value ?? no
        frame.object = next.value ?? frame.object
        frame.outcome = next.value === undefined ? no : begin
        frame.depth = uncounted
      }
      if (this.#left-- <= 0) return paused
      outcome = frame.outcome === begin ? this.#evaluate(own, frame) : frame.outcome
      if (outcome === pushed) return pushed
    }
  }

  #push(plan: Plan, object: string, depth: number): Frame {
    let frame = this.#stack[this.#size]
    if (frame === undefined) {
      frame = new Frame()
      this.#stack.push(frame)
    }
    this.#size++
    frame.plan = plan
    frame.object = object
    frame.depth = depth
    frame.isNode = false
    frame.at = 0
    frame.outcome = no
    return frame
  }
}
