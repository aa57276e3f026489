import type { Relation, Rewrite, TypeSystem } from '../model/type-system.ts'
import { isTypedWildcard, splitUser, typeOf } from '../tuple/object.ts'
import { isBreadthFirst, isFlat } from './breadth-first.ts'
import type { LevelsPlan } from './levels.ts'
import { cycle, no, type Outcome } from './outcome.ts'
import { userFormsOf } from './user-forms.ts'
import { isWeighted } from './weighted.ts'

/** A relation's rewrite as it is asked for users of one form, without what can never lead to them. */
export type Plan =
  /** False, whatever tuples there are. */
  | { readonly kind: 'never' }
  | DirectPlan
  | { readonly kind: 'computed'; readonly relation: Relation }
  | FromPlan
  | { readonly kind: 'union' | 'intersection'; readonly children: readonly Plan[] }
  | { readonly kind: 'exclusion'; readonly base: Plan; readonly subtract: Plan }
  /** Of a whole recursion, where the limit of depth is near. */
  | LevelsPlan
  /** An error, whatever tuples there are: of OpenFGA's v2. */
  | { readonly kind: 'refused'; readonly reason: string }

export interface DirectPlan {
  readonly kind: 'direct'
  readonly relation: Relation
  /** Whether the tuple of the user itself may be there. */
  readonly exact: boolean
  /** Whether the tuple of `type:*` may be there. */
  readonly wildcard: boolean
  /** The usersets, by what is read together: errors of conditions are hidden by a tuple of the same group. */
  readonly groups: readonly UsersetGroup[]
  /** By `type` and `relation` of a userset. */
  readonly groupOf: ReadonlyMap<string, ReadonlyMap<string, GroupedUserset>>
  /** Whether one of the groups is needed where depth does not matter. */
  readonly needsUsersets: boolean
  /** What its usersets come to, where that is told from the user's side too. */
  readonly ends: readonly End[] | undefined
}

interface GroupedUserset {
  readonly relation: Relation
  /** Index of its group. */
  readonly group: number
}

export interface UsersetGroup {
  readonly usersets: readonly Relation[]
  /** False where none of it leads to the user and no condition can fail: then it only counts at the limit of depth. */
  readonly isNeeded: boolean
}

export interface FromPlan {
  readonly kind: 'from'
  readonly tupleset: Relation
  readonly computed: ReadonlyMap<string, Relation>
  /** As {@link UsersetGroup.isNeeded}. */
  readonly isNeeded: boolean
  /** By type of a parent: what is read together. Undefined where all parents are, also those that lead nowhere. */
  readonly groupOf: ReadonlyMap<string, number> | undefined
  /** What its parents come to, where that is told from the user's side too. */
  readonly ends: readonly End[] | undefined
}

/** A relation at the end of a way: who has it was assigned it, and no tuple leads on from there. */
export interface End {
  readonly relation: Relation
  /** The relations, of the same object, of which one must have been assigned. */
  readonly assigned: readonly { readonly relation: Relation; readonly isEveryone: boolean }[]
}

/** The plans of one model for users of one form, made when they are first asked for. */
export class Plans {
  /** Whether a userset is of itself. */
  readonly isReflexive: boolean
  readonly #types: TypeSystem
  /** `type`, and `type#relation` for usersets; in OpenFGA's v2 also `type:*`. */
  readonly user: string
  /** Whether depth is limited, so that also what leads nowhere is walked at the limit. */
  readonly limited: boolean
  readonly #plans: (Plan | undefined)[] = []
  readonly #isBreadthFirst: (boolean | undefined)[] = []

  constructor(types: TypeSystem, user: string, limited: boolean) {
    this.isReflexive = types.semantics === 'openfga-v1'
    this.#types = types
    this.user = user
    this.limited = limited
  }

  /** Whether a user is neither a userset nor everyone, and of the type that these are for. */
  isForPlain(user: string): boolean {
    const { length } = this.user
    return (
      user.startsWith(this.user) &&
      user.charCodeAt(length) === 0x3a &&
      !user.includes('#') &&
      !isTypedWildcard(user)
    )
  }

  of(relation: Relation): Plan {
    let plan = this.#plans[relation.id]
    if (plan === undefined) {
      plan = this.#reaches(relation) ? this.#compile(relation.rewrite, relation) : never
      this.#plans[relation.id] = plan
    }
    return plan
  }

  /** What a way comes to that leads back to this relation of an object that it came from. */
  onCycle(relation: Relation): Outcome {
    return this.isReflexive && !this.isBreadthFirst(relation) ? cycle : no
  }

  /** Whether OpenFGA's v1 looks along the whole recursion of a relation at once for such users. */
  isBreadthFirst(relation: Relation): boolean {
    return (this.#isBreadthFirst[relation.id] ??=
      this.isReflexive && !this.user.includes('#') && isBreadthFirst(this.#types, relation, this.user))
  }

  #reaches(relation: Relation): boolean {
    return this.isReflexive
      ? leads(this.#types, this.user, relation)
      : userFormsOf(this.#types).ofRelation(relation).has(this.user)
  }

  // As deep as the model is written.
  #compile(rewrite: Rewrite, relation: Relation): Plan {
    switch (rewrite.kind) {
      case 'direct':
        return this.#direct(relation)
      case 'computed':
        return this.#reaches(rewrite.relation) ? rewrite : never
      case 'from':
        return this.#from(rewrite)
      case 'union': {
        const children = rewrite.children
          .map((child) => this.#compile(child, relation))
          .filter(({ kind }) => kind !== 'never')
        const [first] = children
        return first === undefined ? never : children.length === 1 ? first : { kind: 'union', children }
      }
      case 'intersection': {
        const children = rewrite.children.map((child) => this.#compile(child, relation))
        return children.some(({ kind }) => kind === 'never') ? never : { kind: 'intersection', children }
      }
      case 'exclusion':
    }
    if (!this.isReflexive && (this.user.includes('#') || this.user.endsWith(':*')))
      return this.#exclusionOfSubjects(rewrite, relation)
    const base = this.#compile(rewrite.base, relation)
    const subtract = this.#compile(rewrite.subtract, relation)
    return base.kind === 'never' || subtract.kind === 'never' ? base : { kind: 'exclusion', base, subtract }
  }

  /** Of usersets and of everyone, as OpenFGA's v2 has it. */
  #exclusionOfSubjects(rewrite: Extract<Rewrite, { kind: 'exclusion' }>, relation: Relation): Plan {
    const forms = userFormsOf(this.#types)
    if (!forms.of(rewrite, relation).has(this.user)) return never
    if (this.user.endsWith(':*')) return { kind: 'refused', reason: noWildcards }
    if (!forms.of(rewrite.subtract, relation).has(this.user)) return { kind: 'refused', reason: noUsersets }
    const base = this.#compile(rewrite.base, relation)
    return { kind: 'exclusion', base, subtract: this.#compile(rewrite.subtract, relation) }
  }

  #direct(relation: Relation): Plan {
    const { exact, wildcard } = assignable(relation, this.user)
    const groups = this.#groups(relation).filter(({ isNeeded }) => isNeeded || this.limited)
    if (!exact && !wildcard && groups.length === 0) return never
    const groupOf = new Map<string, Map<string, GroupedUserset>>()
    for (const [group, { usersets }] of groups.entries()) {
      for (const userset of usersets) {
        const named = groupOf.get(userset.type) ?? new Map<string, GroupedUserset>()
        groupOf.set(userset.type, named.set(userset.name, { relation: userset, group }))
      }
    }
    const needsUsersets = groups.some(({ isNeeded }) => isNeeded)
    const ends = this.#ends(relation, relation.usersets)
    return { kind: 'direct', relation, exact, wildcard, groups, groupOf, needsUsersets, ends }
  }

  // Where it has a weighted graph, OpenFGA reads usersets whose members are all assigned directly each on its own, and the
  // others together (`internal/graph/check.go` checkDirectUsersetTuples).
  #groups(relation: Relation): UsersetGroup[] {
    if (!this.isReflexive) {
      // As its edges, each of which is read on its own.
      const edges = [...new Set(relation.usersets)].filter((userset) => this.#reaches(userset))
      return edges.map((userset) => ({ usersets: [userset], isNeeded: true }))
    }
    const together: Relation[] = []
    const groups: Relation[][] = [together]
    const mayBeAlone = isWeighted(this.#types) && !relation.recursion.isRecursive && !this.user.includes('#')
    for (const userset of new Set(relation.usersets)) {
      if (mayBeAlone && isFlat(this.#types, userset, this.user)) groups.push([userset])
      else together.push(userset)
    }
    return groups
      .filter(({ length }) => length > 0)
      .map((usersets) => ({ usersets, isNeeded: usersets.some((each) => this.#isNeeded(relation, each)) }))
  }

  #isNeeded(relation: Relation, userset: Relation): boolean {
    return (
      this.#reaches(userset) ||
      relation.restrictions.some(
        (each) => each.condition && each.type === userset.type && each.relation === userset.name,
      )
    )
  }

  #from({ tupleset, computed }: Extract<Rewrite, { kind: 'from' }>): Plan {
    const leading = [...computed].filter(([, each]) => this.#reaches(each)).map(([type]) => type)
    const ends = this.#ends(tupleset, computed.values())
    if (!this.isReflexive) {
      const groupOf = new Map(leading.map((type, group) => [type, group]))
      return leading.length > 0 ? { kind: 'from', tupleset, computed, isNeeded: true, groupOf, ends } : never
    }
    const isNeeded = leading.length > 0 || tupleset.restrictions.some(({ condition }) => condition)
    return isNeeded || this.limited
      ? { kind: 'from', tupleset, computed, isNeeded, groupOf: undefined, ends }
      : never
  }

  /** Undefined where one of them leads on, or where a tuple on the way there may fail by its condition. */
  #ends({ restrictions }: Relation, relations: Iterable<Relation>): readonly End[] | undefined {
    if (restrictions.some(({ condition }) => condition)) return undefined
    const ends = [...new Set(relations)].map((relation) => ({ relation, assigned: this.#assigned(relation) }))
    return ends.every(isEnd) ? ends : undefined
  }

  #assigned(end: Relation): End['assigned'] | undefined {
    const assigned: { relation: Relation; isEveryone: boolean }[] = []
    const open: { readonly rewrite: Rewrite; readonly of: Relation }[] = [{ rewrite: end.rewrite, of: end }]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { rewrite, of } = next
      if (of.recursion.isRecursive) return undefined
      if (!this.#reaches(of)) continue
      if (rewrite.kind === 'direct') {
        if (of.usersets.length > 0) return undefined
        const { exact, wildcard } = assignable(of, this.user)
        if (exact) assigned.push({ relation: of, isEveryone: false })
        if (wildcard) assigned.push({ relation: of, isEveryone: true })
      } else if (rewrite.kind === 'computed') {
        open.push({ rewrite: rewrite.relation.rewrite, of: rewrite.relation })
      } else if (rewrite.kind === 'union') {
        for (const child of rewrite.children) open.push({ rewrite: child, of })
      } else return undefined
    }
    return assigned
  }
}

function isEnd(end: {
  readonly relation: Relation
  readonly assigned: End['assigned'] | undefined
}): end is End {
  return end.assigned !== undefined
}

const plansOf = new WeakMap<TypeSystem, { readonly byForm: Map<string, Plans>; last: Plans | undefined }>()

/** The plans of a model for who asks like `user`; kept with the model. */
export function plansFor(types: TypeSystem, user: string, limited: boolean): Plans {
  let known = plansOf.get(types)
  if (known === undefined) {
    known = { byForm: new Map(), last: undefined }
    plansOf.set(types, known)
  }
  const { last } = known
  // Mostly it is the form of who asked before, which is seen without taking the name apart.
  if (last?.limited === limited && last.isForPlain(user)) return last
  const { object, relation } = splitUser(user)
  const own = types.semantics === 'openfga-v2' && isTypedWildcard(user) ? user : typeOf(object)
  const form = relation === '' ? own : `${own}#${relation}`
  const key = limited ? `${form} ` : form
  let plans = known.byForm.get(key)
  if (plans === undefined) {
    plans = new Plans(types, form, limited)
    // Users are of types and relations of the model, or else there is nothing to keep.
    if (types.hasType(typeOf(object))) known.byForm.set(key, plans)
  }
  known.last = plans
  return plans
}

const never: Plan = { kind: 'never' }

// OpenFGA's words (`internal/check/check.go`).
const noUsersets = 'userset request cannot be resolved when exclusion operation is involved'
const noWildcards = 'wildcard request cannot be resolved when intersection or exclusion is involved'

/** Whether tuples may assign a relation to a user of that form itself, and to everyone of its type. */
export function assignable(
  { restrictions }: Relation,
  user: string,
): { readonly exact: boolean; readonly wildcard: boolean } {
  const [form = '', userRelation] = user.split('#')
  const isEveryone = isTypedWildcard(form)
  const type = isEveryone ? form.slice(0, -2) : form
  const exact = restrictions.some(
    (each) =>
      !isEveryone &&
      each.type === type &&
      (userRelation === undefined
        ? !each.relation && each.wildcard === undefined
        : each.relation === userRelation),
  )
  const wildcard =
    userRelation === undefined &&
    restrictions.some((each) => each.type === type && each.wildcard !== undefined)
  return { exact, wildcard }
}

/** Whether the model allows such a user to be assigned. */
export function mayHave({ restrictions }: Relation, user: string): boolean {
  const { object, relation } = splitUser(user)
  const type = typeOf(object)
  const isEveryone = isTypedWildcard(object)
  return restrictions.some(
    (each) =>
      each.type === type &&
      (each.relation ?? '') === relation &&
      (each.wildcard !== undefined) === isEveryone,
  )
}

/** Whether what is assigned is all that a tuple must say for it. */
export function isAssigned(rewrite: Rewrite): boolean {
  return rewrite.kind === 'direct' || (rewrite.kind === 'union' && rewrite.children.some(isAssigned))
}

/** Whether a user, or everyone of its type, can have the relation. */
function leads(types: TypeSystem, user: string, relation: Relation): boolean {
  return types.reaches(user, relation) || (!user.includes('#') && types.reaches(`${user}:*`, relation))
}
