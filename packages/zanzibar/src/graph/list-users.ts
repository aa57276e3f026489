import { isZanzibarError } from '../errors.ts'
import type { Relation, Rewrite, TypeSystem } from '../model/type-system.ts'
import { typeOf } from '../tuple/object.ts'
import { relationReason } from '../tuple/validity.ts'
import { checkEach } from './check-each.ts'
import { tooDeep } from './decision.ts'
import { reachedByFirstOperands } from './first-operands.ts'
import { cycle } from './outcome.ts'
import { type Plans, plansFor } from './plan.ts'
import { answer, type Progress, type Question } from './question.ts'
import { componentsOf, nextOf, SubjectGraph, type SubjectNode } from './subject-graph.ts'
import {
  emptySet,
  exclusion,
  gather,
  intersection,
  openFgaExclusion,
  openSet,
  type SubjectSet,
  setOf,
  union,
} from './subject-set.ts'
import type { Scope } from './tuple-reader.ts'

export interface ListUsersRequest {
  readonly object: string
  readonly relation: string
  /** What kind of users: of a type, or usersets of a type and relation. */
  readonly filter: { readonly type: string; readonly relation?: string | undefined }
}

/** Who has a relation: users by name, and perhaps everyone of the type, but some. */
export interface ListedUsers<User extends string = string> {
  /** `type:id` or `type:id#relation`, without duplicates, in no order. */
  readonly users: readonly User[]
  /** Whether `type:*` has it. */
  readonly everyone: boolean
  /** Whom `everyone` leaves out, as far as tuples name them. */
  readonly except: readonly User[]
}

/** When a list ends with what it has. */
export interface Deadline {
  /** Aborted then, or when nobody wants the list any more. */
  readonly signal: AbortSignal
  /** Whether it was time that aborted it. */
  isOver(): boolean
}

/**
 * Who has a relation to an object. All that it names is defined in the model. Where depth is limited it answers as
 * OpenFGA's ListUsers does; else as checks of everyone would.
 *
 * @throws ZanzibarError `validation_error` for the first condition on the way that cannot be evaluated;
 *   `authorization_model_resolution_too_complex` where it leads too deep, or cycles under exclusions have too many ways;
 *   `cancelled`
 */
export function listUsers(
  scope: Scope,
  request: ListUsersRequest,
  signal?: AbortSignal,
): ListedUsers | Promise<ListedUsers> {
  const expansion = expansionFor(scope, request)
  return expansion === undefined ? nobody : expanded(scope, request, expansion, signal)
}

/**
 * The same; once time is over it ends with those that it has found, and without an error: none of whom what was not
 * looked at could take away.
 *
 * @throws ZanzibarError as {@link listUsers}
 */
export async function listUsersUntil(
  scope: Scope,
  request: ListUsersRequest,
  deadline: Deadline,
): Promise<ListedUsers> {
  const expansion = expansionFor(scope, request)
  if (expansion === undefined) return nobody
  try {
    return await expanded(scope, request, expansion, deadline.signal)
  } catch (error) {
    if (!deadline.isOver()) throw error
    return listed({ ...expansion.soFar(), error: undefined })
  }
}

function expansionFor(scope: Scope, request: ListUsersRequest): Expansion | undefined {
  const relation = scope.types.relation(typeOf(request.object), request.relation)
  if (relation === undefined || !canHave(scope, request, relation)) return undefined
  return new Expansion(scope, request, relation)
}

function expanded(
  scope: Scope,
  request: ListUsersRequest,
  expansion: Expansion,
  signal: AbortSignal | undefined,
): ListedUsers | Promise<ListedUsers> {
  const finish = (set: SubjectSet): ListedUsers | Promise<ListedUsers> =>
    expansion.isExact ? listed(set) : checkedUsers(scope, request, set, signal)
  const found = answer(expansion, scope.snapshot, signal)
  return found instanceof Promise ? found.then(finish) : finish(found)
}

const nobody: ListedUsers = { users: [], everyone: false, except: [] }

function listed({ named, everyone, except, error }: SubjectSet): ListedUsers {
  if (error !== undefined) throw error
  return { users: [...named], everyone, except: [...except] }
}

/** Whether the model lets any such user have the relation. */
function canHave({ types }: Scope, { filter }: ListUsersRequest, relation: Relation): boolean {
  const forms = filter.relation ? [`${filter.type}#${filter.relation}`] : [filter.type, `${filter.type}:*`]
  return reachedByFirstOperands(types, forms).has(relation)
}

/** Leaves what a check, which knows what the way is, does not allow. */
async function checkedUsers(
  scope: Scope,
  { object, relation, filter }: ListUsersRequest,
  set: SubjectSet,
  signal: AbortSignal | undefined,
): Promise<ListedUsers> {
  const { users, everyone, except } = listed(set)
  const asked = everyone ? [...users, `${filter.type}:*`] : users
  const held: string[] = []
  const keys = asked.map((user) => ({ user, relation, object }))
  for await (const part of checkEach(scope, keys, signal)) held.push(...part.map(({ user }) => user))
  const kept = new Set(held)
  if (!kept.delete(`${filter.type}:*`)) return { users: held, everyone: false, except: [] }
  return {
    users: [...kept],
    everyone,
    except: [...except, ...users.filter((user) => !kept.has(user))],
  }
}

/** How many ways are followed through a component where exclusions lead back to themselves. */
const maxWays = 20_000
const maxPath = 500

class Expansion implements Question<SubjectSet> {
  /** Whether what is found is what checks would say. */
  isExact: boolean
  readonly #graph: SubjectGraph
  readonly #limit: number
  readonly #filter: ListUsersRequest['filter']
  readonly #wildcard: string
  readonly #isNative: boolean
  /** Of such users. */
  readonly #plans: Plans
  readonly #sets = new Map<SubjectNode, SubjectSet>()
  readonly #steps: Generator<Progress<never>, SubjectSet, undefined>
  #ways = 0

  constructor(scope: Scope, { object, filter }: ListUsersRequest, relation: Relation) {
    this.#graph = new SubjectGraph(scope)
    this.#limit = scope.depthLimit
    this.#filter = filter
    this.#wildcard = `${filter.type}:*`
    this.#isNative = scope.depthLimit === Number.POSITIVE_INFINITY
    const { type, relation: of } = filter
    this.#plans = plansFor(scope.types, of ? `${type}#${of}` : type, !this.#isNative)
    this.isExact = this.#plans.isReflexive || !of
    this.#steps = this.#run(object, relation)
  }

  advance(steps: number): Progress<SubjectSet> {
    this.#graph.allow(steps)
    const { done, value } = this.#steps.next()
    return done === true ? { state: 'answered', answer: value } : value
  }

  *#run(object: string, relation: Relation): Generator<Progress<never>, SubjectSet, undefined> {
    const root = yield* this.#graph.discover(object, relation)
    const components = componentsOf(root)
    this.#checkDepth(root, components)
    return this.#evaluate(root, components)
  }

  /** Those that have it whatever is not looked at yet. */
  soFar(): SubjectSet {
    const [root] = this.#graph.nodes
    if (root === undefined || !this.isExact) return emptySet
    try {
      return this.#evaluate(root, componentsOf(root))
    } catch (error) {
      if (isZanzibarError(error)) return emptySet
      throw error
    }
  }

  #evaluate(root: SubjectNode, components: readonly (readonly SubjectNode[])[]): SubjectSet {
    for (const component of components) {
      const [node] = component
      if (node === undefined) continue
      if (component.length === 1 && !nextOf(node).includes(node)) this.#sets.set(node, this.#setOf(node))
      else this.#expandCycle(component)
    }
    return this.#sets.get(root) ?? emptySet
  }

  /** OpenFGA follows every way, and counts a step before it sees where that leads back to: the longest way counts. */
  #checkDepth(root: SubjectNode, components: readonly (readonly SubjectNode[])[]): void {
    if (this.#graph.nodes.length < this.#limit) return
    const longest = new Map<SubjectNode, number>([[root, 0]])
    // From the root on, each component after those that lead to it; within one, as many steps as it has nodes, the last of
    // them back.
    for (const component of components.toReversed()) {
      const entries = component.flatMap((node) => {
        const depth = longest.get(node)
        return depth === undefined ? [] : [{ node, left: this.#limit - depth }]
      })
      const from = this.#limit - Math.min(...entries.map(({ left }) => left))
      if (from >= this.#limit || hasWay(component, entries)) throw tooDeep()
      for (const node of component) {
        for (const next of nextOf(node)) {
          if (!component.includes(next)) longest.set(next, Math.max(longest.get(next) ?? 0, from + 1))
        }
      }
    }
  }

  /** What leads back to itself: through unions only, all of it has what one of it has. */
  #expandCycle(component: readonly SubjectNode[]): void {
    const inside = new Set(component)
    if (this.#isNative && component.some((node) => this.#isDenied(node)))
      this.isExact &&= !this.#hasExclusion()
    if (component.every(({ relation }) => relation?.recursion.isMonotone === true)) {
      const outside = component.map((node) =>
        this.#setOf(node, (next) => (inside.has(next) ? emptySet : undefined)),
      )
      const all = gather(outside)
      for (const node of component) this.#sets.set(node, { ...all, isCyclic: isSimple(node) })
      return
    }
    if (component.length > maxPath) throw tooDeep()
    for (const node of component) this.#sets.set(node, this.#along(node, inside, new Set()))
  }

  /** Whether a check takes what leads back to it as subtracted. */
  #isDenied({ relation }: SubjectNode): boolean {
    return relation !== undefined && this.#plans.onCycle(relation) === cycle
  }

  #hasExclusion(): boolean {
    return this.#graph.nodes.some(({ relation }) => relation !== undefined && excludes(relation.rewrite))
  }

  /** A node of a component, as it is on a way through it. */
  #along(node: SubjectNode, inside: ReadonlySet<SubjectNode>, path: ReadonlySet<SubjectNode>): SubjectSet {
    if (path.has(node)) return { ...emptySet, isCyclic: true }
    if (++this.#ways > maxWays) throw tooDeep()
    const longer = new Set(path).add(node)
    return this.#setOf(node, (next) => (inside.has(next) ? this.#along(next, inside, longer) : undefined))
  }

  #setOf(node: SubjectNode, within?: (next: SubjectNode) => SubjectSet | undefined): SubjectSet {
    const { object, relation } = node
    if (relation === undefined) return emptySet
    const setOfNext = (next: SubjectNode): SubjectSet => within?.(next) ?? this.#sets.get(next) ?? emptySet
    const set = this.#rewritten(relation.rewrite, node, setOfNext)
    const isItself = relation.type === this.#filter.type && relation.name === this.#filter.relation
    const whole = isItself ? gather([setOf([`${object}#${relation.name}`], ''), set]) : set
    return isSimple(node) ? whole : { ...whole, isCyclic: false }
  }

  #rewritten(rewrite: Rewrite, node: SubjectNode, next: (node: SubjectNode) => SubjectSet): SubjectSet {
    switch (rewrite.kind) {
      case 'union':
        return union(rewrite.children.map((child) => this.#rewritten(child, node, next)))
      case 'intersection':
        return intersection(rewrite.children.map((child) => this.#rewritten(child, node, next)))
      case 'exclusion': {
        const base = this.#rewritten(rewrite.base, node, next)
        const subtract = this.#rewritten(rewrite.subtract, node, next)
        return this.#isNative ? exclusion(base, subtract) : openFgaExclusion(base, subtract)
      }
      case 'direct':
      case 'computed':
      case 'from':
    }
    const leaf = node.leaves.get(rewrite)
    if (leaf === undefined) return openSet
    const users = leaf.users.filter((user) => this.#fits(user))
    const all = gather([{ ...setOf(users, this.#wildcard), error: leaf.error }, ...leaf.nodes.map(next)])
    return rewrite.kind === 'from' ? { ...all, isCyclic: false } : all
  }

  // OpenFGA looks only at the type of users that are no usersets, also where usersets are asked for.
  #fits(user: string): boolean {
    return typeOf(user) === this.#filter.type && (!this.#isNative || !this.#filter.relation)
  }
}

/** Whether a node is made of its assignments, or of a computed relation, alone. */
function isSimple({ relation }: SubjectNode): boolean {
  const kind = relation?.rewrite.kind
  return kind === 'direct' || kind === 'computed'
}

function excludes(rewrite: Rewrite): boolean {
  return rewrite.kind === 'exclusion' || ('children' in rewrite && rewrite.children.some(excludes))
}

/** Whether from a node a way of as many steps as are left leads through its component, and meets itself at the last one only; as far as can be told soon. */
function hasWay(
  component: readonly SubjectNode[],
  entries: readonly { readonly node: SubjectNode; readonly left: number }[],
): boolean {
  const inside = new Set(component)
  let ways = maxWays
  for (const { node: start, left } of entries) {
    if (left > component.length) continue
    const path = new Set([start])
    const frames = [{ node: start, next: nextOf(start), at: 0 }]
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      if (ways-- <= 0) return false
      const node = frame.next[frame.at++]
      if (node === undefined) {
        path.delete(frame.node)
        frames.pop()
      } else if (inside.has(node) && frames.length === left) {
        return true
      } else if (inside.has(node) && !path.has(node)) {
        path.add(node)
        frames.push({ node, next: nextOf(node), at: 0 })
      }
    }
  }
  return false
}

/** Why users cannot be listed by a filter, `type` or `type#relation`, in its parts. */
export function filterReason(
  types: TypeSystem,
  { type, relation, rest }: { type: string; relation: string | undefined; rest: readonly string[] },
): string | undefined {
  if (rest.length > 0) return 'the filter is neither a type nor type#relation'
  if (!types.hasType(type)) return `type '${type}' not found`
  return relation === undefined ? undefined : relationReason(types, { object: `${type}:`, relation })
}
