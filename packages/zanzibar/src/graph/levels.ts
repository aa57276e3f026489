import type { Relation } from '../model/type-system.ts'
import { splitUser, typeOf } from '../tuple/object.ts'
import type { HeldTuples } from './held-tuples.ts'
import { either, failed, no, type Outcome, unknown, yes } from './outcome.ts'
import type { DirectPlan, Plan, Plans } from './plan.ts'

/** A recursion of one relation of which OpenFGA counts levels, and not the steps of each way: see {@link levelWalk}. */
export interface LevelsPlan {
  readonly kind: 'levels'
  readonly relation: Relation
  /** What leads on: the tuples of usersets of the relation itself, or those of the parents. */
  readonly link: Relation
  /** What gives the relation without leading on. */
  readonly own: Plan
  /** Whether a condition may fail where somebody is assigned: then who is assigned elsewhere counts as well, however near. */
  readonly mayFail: boolean
}

/** How deep a step of a walk is where depth does not count: above the first one, whatever the limit. */
export const uncounted = -1

const known = new WeakMap<Plans, (LevelsPlan | 'none' | undefined)[]>()

/** Undefined where steps are counted. */
export function levelsOf(plans: Plans, relation: Relation): LevelsPlan | undefined {
  if (!plans.limited || !plans.isBreadthFirst(relation)) return undefined
  const levels = known.get(plans) ?? []
  known.set(plans, levels)
  const plan = (levels[relation.id] ??= levelsPlan(plans, relation) ?? 'none')
  return plan === 'none' ? undefined : plan
}

function levelsPlan(plans: Plans, relation: Relation): LevelsPlan | undefined {
  const plan = plans.of(relation)
  const of = (link: Relation, own: Plan): LevelsPlan => {
    const assigned = [...directIn(own, plans)].flatMap((each) => each.relation.restrictions)
    const mayFail = assigned.some(({ condition }) => condition !== undefined)
    return { kind: 'levels', relation, link, own, mayFail }
  }
  if (relation.usersets.includes(relation)) return of(relation, without(plan, assignedOnly))
  const parents = partsOf(plan).find(
    (part) => part.kind === 'from' && part.computed.get(relation.type) === relation,
  )
  if (parents?.kind !== 'from') return undefined
  return of(parents.tupleset, without(plan, noParents(relation)))
}

function assignedOnly(part: Plan): Plan {
  if (part.kind !== 'direct') return part
  if (!part.exact && !part.wildcard) return never
  return { ...part, groups: [], groupOf: new Map(), needsUsersets: false, ends: undefined }
}

// Along other parents, which lead to no such user, OpenFGA does not count either.
function noParents(relation: Relation): (part: Plan) => Plan {
  return (part) =>
    part.kind === 'from' && (part.computed.get(relation.type) === relation || !part.isNeeded) ? never : part
}

const never: Plan = { kind: 'never' }

function partsOf(plan: Plan): readonly Plan[] {
  return plan.kind === 'union' ? plan.children.flatMap(partsOf) : [plan]
}

/** The same plan with other leaves. */
function without(plan: Plan, leaf: (part: Plan) => Plan): Plan {
  if (plan.kind === 'exclusion') {
    const base = without(plan.base, leaf)
    const subtract = without(plan.subtract, leaf)
    return base.kind === 'never' || subtract.kind === 'never' ? base : { kind: 'exclusion', base, subtract }
  }
  if (plan.kind !== 'union' && plan.kind !== 'intersection') return leaf(plan)
  const children = plan.children.map((child) => without(child, leaf))
  const left = children.filter(({ kind }) => kind !== 'never')
  if (plan.kind === 'union') return left.length > 0 ? { kind: 'union', children: left } : never
  return left.length === children.length ? { kind: 'intersection', children } : never
}

/** What a walk needs of its check. */
export interface Walked {
  readonly plans: Plans
  readonly tuples: HeldTuples
  readonly user: string
}

/**
 * What a relation of an object comes to by levels, as OpenFGA looks along the whole of such a recursion at once: all that the
 * object leads to, then all that these lead to, each followed once. With room for `room` levels it looks at so many and at no
 * more: who is found on one of them has the relation; it is denied where a level was empty before the last; and else the question
 * leads too far, also where nothing more would have come. Who is assigned nowhere is denied beforehand
 * (`openfga/openfga:internal/graph/recursive_resolver.go`).
 *
 * Yields objects, the first one to begin with, of which `own` of the plan is wanted, and takes what that comes to; between them
 * undefined, a step of work each, for which it takes anything.
 */
export function* levelWalk(
  plan: LevelsPlan,
  start: string,
  room: number,
  walked: Walked,
): Generator<string | undefined, Outcome, Outcome> {
  let outcome = yield start
  let level = new Set<string>()
  outcome = either(outcome, yield* onward(plan, start, walked, level))
  if (outcome === yes || level.size === 0) return outcome
  const anywhere = yield* assignedAnywhere(plan, walked)
  if (anywhere !== yes && anywhere !== unknown) return either(outcome, anywhere)
  // What must be fetched of the levels is fetched with it.
  outcome = either(outcome, anywhere === unknown ? unknown : no)
  // The first one is of no level: where ways lead back to it, it is followed again.
  const followed = new Set<string>()
  for (let left = room; ; left--) {
    for (const object of level) {
      if (followed.has(object) || !isOf(plan.relation, object)) continue
      outcome = either(outcome, yield object)
      if (outcome === yes) return yes
    }
    if (left === 1) return outcome === unknown ? unknown : walked.tuples.failures.tooDeep()
    if (level.size === 0) return outcome
    const next = new Set<string>()
    for (const object of level) {
      if (followed.has(object) || !isOf(plan.relation, object)) continue
      followed.add(object)
      outcome = either(outcome, yield* onward(plan, object, walked, next))
    }
    level = next
  }
}

function* assignedAnywhere(plan: LevelsPlan, walked: Walked): Generator<string, Outcome, Outcome> {
  let outcome: Outcome = no
  for (const object of assignedBy(plan.own, walked)) {
    outcome = either(outcome, object === undefined ? unknown : yield object)
    if (outcome === yes) break
  }
  return outcome
}

/** Adds to `level` what an object leads to; comes to the failure that none of it hides. */
function* onward(
  { relation, link }: LevelsPlan,
  object: string,
  { tuples: held }: Walked,
  level: Set<string>,
): Generator<undefined, Outcome, Outcome> {
  yield
  const { reader } = held
  const tuples = link === relation ? reader.usersets(object, link) : reader.users(object, link)
  if (tuples === undefined) return unknown
  let outcome: Outcome = no
  for (const tuple of tuples) {
    yield
    const holds = held.holds(tuple)
    if (holds === yes) level.add(nameOf(relation, tuple.user))
    if (holds === yes || (holds >= failed && outcome !== yes)) outcome = holds
  }
  return outcome === yes ? no : outcome
}

/** The object of a userset of the relation; of another one the userset, which leads nowhere but counts. */
function nameOf({ type, name }: Relation, user: string): string {
  const { object, relation } = splitUser(user)
  return relation === name && typeOf(object) === type ? object : user
}

function isOf({ type }: Relation, object: string): boolean {
  return typeOf(object) === type && !object.includes('#')
}

/** The objects that were assigned to the user, or to everyone of its type, where that may give the plan; undefined where that must be fetched. */
function* assignedBy(plan: Plan, walked: Walked): Generator<string | undefined, void, undefined> {
  for (const each of directIn(plan, walked.plans)) yield* objectsOf(each, walked)
}

/** What assigns a plan, without what is subtracted from it. */
function* directIn(plan: Plan, plans: Plans): Generator<DirectPlan, void, undefined> {
  if (plan.kind === 'direct') yield plan
  else if (plan.kind === 'computed') yield* directIn(plans.of(plan.relation), plans)
  else if (plan.kind === 'exclusion') yield* directIn(plan.base, plans)
  else if (plan.kind === 'union' || plan.kind === 'intersection')
    for (const child of plan.children) yield* directIn(child, plans)
}

/** Of one of so many it is mostly told. */
const fewObjects = 64

function* objectsOf(
  { exact, wildcard, relation }: DirectPlan,
  { tuples: { reader }, user }: Walked,
): Generator<string | undefined, void, undefined> {
  for (const each of [...(exact ? [user] : []), ...(wildcard ? [`${typeOf(user)}:*`] : [])]) {
    const few = reader.objects(relation, each, { hides: true, limit: fewObjects })
    for (const tuple of few ?? [undefined]) yield tuple?.object
    if (few === undefined || few.length <= fewObjects) continue
    for (const tuple of reader.objects(relation, each, { hides: true }) ?? [undefined]) yield tuple?.object
  }
}
