import type { Context } from '../tuple/tuple.ts'
import type { TupleRules } from '../tuple/validity.ts'
import type {
  AuthorizationModel,
  ConditionDefinition,
  RelationReference,
  Userset,
} from './authorization-model.ts'

/**
 * How questions are answered. `openfga-v1`: as OpenFGA does by default. `openfga-v2`: as its weighted graph does, where a
 * userset is of itself, or of what its relation is computed into, only by a tuple that says so; where usersets that what is
 * taken away cannot have, and everyone of a type, have no answer at an exclusion; where tuples that lead back to themselves
 * take nothing away, which v1 denies; and where depth has no limit.
 */
export type Semantics = 'openfga-v1' | 'openfga-v2'

/** A condition as it is asked of a tuple. */
export interface TypeSystemCondition {
  /** `context`: the request's first, the tuple's overrides it. Throws a {@link ZanzibarError} where it cannot be evaluated. */
  evaluate(
    context: readonly Context[],
    options: { readonly maxCost: number },
  ): { readonly met: boolean; readonly missing: readonly string[] }
  /** Why a tuple's context does not suit it. */
  contextProblem(context: Context): string | undefined
}

/** A relation of a type, its references resolved. */
export interface Relation {
  /** Its index in {@link TypeSystem.relations}. */
  readonly id: number
  readonly type: string
  readonly name: string
  readonly rewrite: Rewrite
  /** Who may be assigned directly. */
  readonly restrictions: readonly RelationReference[]
  /** The relations of `type#relation` among the restrictions. */
  readonly usersets: readonly Relation[]
  /** Whether it is the `parent` of a `viewer from parent`. */
  readonly isTupleset: boolean
  /** The relations that can lead to each other and to this one. */
  readonly recursion: Recursion
}

/** A strongly connected component of the model's graph. */
interface Recursion {
  readonly id: number
  /** Whether a relation of it leads back to itself. */
  readonly isRecursive: boolean
  /** Whether it leads back through unions only: then answers do not depend on the way that was taken. */
  readonly isMonotone: boolean
}

/** What a relation is made of. */
export type Rewrite =
  | { readonly kind: 'direct' }
  | { readonly kind: 'computed'; readonly relation: Relation }
  | {
      readonly kind: 'from'
      readonly tupleset: Relation
      readonly name: string
      /** By the types that the tupleset allows and that have such a relation. */
      readonly computed: ReadonlyMap<string, Relation>
    }
  | { readonly kind: 'union' | 'intersection'; readonly children: readonly Rewrite[] }
  | { readonly kind: 'exclusion'; readonly base: Rewrite; readonly subtract: Rewrite }

/** A step of a relation to what it asks next. */
interface ModelEdge {
  readonly from: Relation
  readonly to: Relation
  readonly kind: 'computed' | 'direct' | 'from'
  /** The relation of the tuples to be read; `from` itself where the step is direct, none where it is computed. */
  readonly tupleset?: Relation
  /** Whether an intersection or an exclusion stands over it. */
  readonly isConditional: boolean
}

/** A model to be asked. */
export interface TypeSystem extends TupleRules {
  readonly model: AuthorizationModel
  readonly semantics: Semantics
  readonly relations: readonly Relation[]
  relation(type: string, name: string): Relation | undefined
  relationsOf(type: string): ReadonlyMap<string, Relation> | undefined
  condition(name: string): TypeSystemCondition | undefined
  /** Whether a user of that form (`type`, `type:*` or `type#relation`) can have the relation, under some tuples. */
  reaches(user: string, relation: Relation): boolean
}

/**
 * Resolves a model's references and finds what leads where. The model must be valid; what leads nowhere is left out.
 * Conditions are compiled when they are first asked for.
 */
export function typeSystem(
  model: AuthorizationModel,
  compile: (definition: ConditionDefinition) => TypeSystemCondition,
  semantics: Semantics = 'openfga-v1',
): TypeSystem {
  const types = new Map<string, Map<string, MutableRelation>>()
  const relations: MutableRelation[] = []
  for (const { type, relations: definitions, metadata } of model.type_definitions) {
    const named = new Map<string, MutableRelation>()
    types.set(type, named)
    for (const name of Object.keys(definitions ?? {})) {
      const relation: MutableRelation = {
        id: relations.length,
        type,
        name,
        rewrite: { kind: 'union', children: [] },
        restrictions: own(metadata?.relations, name)?.directly_related_user_types ?? [],
        usersets: [],
        isTupleset: false,
        recursion: { id: -1, isRecursive: false, isMonotone: true },
      }
      named.set(name, relation)
      relations.push(relation)
    }
  }
  const edges: ModelEdge[] = []
  for (const { type, relations: definitions } of model.type_definitions) {
    for (const [name, userset] of Object.entries(definitions ?? {})) {
      const relation = types.get(type)?.get(name)
      if (relation === undefined) continue
      relation.usersets = relation.restrictions.flatMap((restriction) => {
        const found = restriction.relation && types.get(restriction.type)?.get(restriction.relation)
        return found ? [found] : []
      })
      relation.rewrite = resolve(userset, relation, types, edges)
    }
  }
  markRecursions(relations, edges)
  return new ResolvedModel({ model, semantics, types, relations, edges, compile })
}

interface MutableRelation extends Relation {
  rewrite: Rewrite
  usersets: readonly Relation[]
  isTupleset: boolean
  recursion: Recursion
}

type Types = ReadonlyMap<string, ReadonlyMap<string, MutableRelation>>

interface Resolution {
  readonly model: AuthorizationModel
  readonly semantics: Semantics
  readonly types: Types
  readonly relations: readonly Relation[]
  readonly edges: readonly ModelEdge[]
  readonly compile: (definition: ConditionDefinition) => TypeSystemCondition
}

class ResolvedModel implements TypeSystem {
  readonly model: AuthorizationModel
  readonly semantics: Semantics
  readonly relations: readonly Relation[]
  readonly #types: Types
  readonly #compile: (definition: ConditionDefinition) => TypeSystemCondition
  readonly #conditions = new Map<string, TypeSystemCondition>()
  readonly #edgesTo: readonly (readonly ModelEdge[])[]
  /** By the form of a user: the relations that it can have. */
  readonly #reached = new Map<string, Uint8Array>()

  constructor({ model, semantics, types, relations, edges, compile }: Resolution) {
    this.model = model
    this.semantics = semantics
    this.relations = relations
    this.#types = types
    this.#compile = compile
    const edgesTo: ModelEdge[][] = relations.map(() => [])
    for (const edge of edges) edgesTo[edge.to.id]?.push(edge)
    this.#edgesTo = edgesTo
  }

  relation(type: string, name: string): Relation | undefined {
    return this.#types.get(type)?.get(name)
  }

  relationsOf(type: string): ReadonlyMap<string, Relation> | undefined {
    return this.#types.get(type)
  }

  hasType(type: string): boolean {
    return this.#types.has(type)
  }

  restrictionsOf(type: string, relation: string): readonly RelationReference[] | undefined {
    return this.relation(type, relation)?.restrictions
  }

  isTupleset(type: string, relation: string): boolean {
    return this.relation(type, relation)?.isTupleset ?? false
  }

  hasCondition(name: string): boolean {
    return own(this.model.conditions, name) !== undefined
  }

  contextProblem(condition: string, context: Context): string | undefined {
    return this.condition(condition)?.contextProblem(context)
  }

  condition(name: string): TypeSystemCondition | undefined {
    let condition = this.#conditions.get(name)
    if (condition === undefined) {
      const definition = own(this.model.conditions, name)
      if (definition === undefined) return undefined
      condition = this.#compile(definition)
      this.#conditions.set(name, condition)
    }
    return condition
  }

  reaches(user: string, relation: Relation): boolean {
    let reached = this.#reached.get(user)
    if (reached === undefined) {
      reached = this.#reachedBy(user)
      this.#reached.set(user, reached)
    }
    return reached[relation.id] === 1
  }

  #reachedBy(user: string): Uint8Array {
    const reached = new Uint8Array(this.relations.length)
    const hash = user.indexOf('#')
    const itself = hash === -1 ? undefined : this.relation(user.slice(0, hash), user.slice(hash + 1))
    const open = itself === undefined ? this.relations.filter((each) => allows(each, user)) : [itself]
    for (const { id } of open) reached[id] = 1
    for (let to = open.pop(); to !== undefined; to = open.pop()) {
      for (const { from } of this.#edgesTo[to.id] ?? []) {
        if (reached[from.id] === 1) continue
        reached[from.id] = 1
        open.push(from)
      }
    }
    return reached
  }
}

/** Whether `user`, `type` or `type:*`, is assigned directly. */
function allows({ restrictions }: Relation, user: string): boolean {
  return restrictions.some(
    ({ type, relation, wildcard }) => !relation && (wildcard === undefined ? type : `${type}:*`) === user,
  )
}

interface Draft {
  readonly relation: MutableRelation
  readonly types: Types
  readonly edges: ModelEdge[]
}

function resolve(userset: Userset, relation: MutableRelation, types: Types, edges: ModelEdge[]): Rewrite {
  return resolveUnder(userset, { relation, types, edges }, false)
}

// As deep as the model is written, which its size limits; readers of models refuse what is nested too deep.
function resolveUnder(userset: Userset, draft: Draft, isConditional: boolean): Rewrite {
  if ('union' in userset) {
    const children = userset.union.child.map((child) => resolveUnder(child, draft, isConditional))
    return { kind: 'union', children }
  }
  if ('intersection' in userset) {
    const children = userset.intersection.child.map((child) => resolveUnder(child, draft, true))
    return { kind: 'intersection', children }
  }
  if ('difference' in userset) {
    const base = resolveUnder(userset.difference.base, draft, true)
    return { kind: 'exclusion', base, subtract: resolveUnder(userset.difference.subtract, draft, true) }
  }
  if ('computedUserset' in userset) {
    const { relation } = draft
    const to = draft.types.get(relation.type)?.get(userset.computedUserset.relation)
    if (to === undefined) return { kind: 'union', children: [] }
    draft.edges.push({ from: relation, to, kind: 'computed', isConditional })
    return { kind: 'computed', relation: to }
  }
  return 'tupleToUserset' in userset
    ? resolveFrom(userset.tupleToUserset, draft, isConditional)
    : resolveDirect(draft, isConditional)
}

function resolveDirect({ relation, edges }: Draft, isConditional: boolean): Rewrite {
  for (const to of new Set(relation.usersets)) {
    edges.push({ from: relation, to, kind: 'direct', tupleset: relation, isConditional })
  }
  return { kind: 'direct' }
}

function resolveFrom(
  rewrite: {
    readonly tupleset: { readonly relation: string }
    readonly computedUserset: { readonly relation: string }
  },
  { relation, types, edges }: Draft,
  isConditional: boolean,
): Rewrite {
  const tupleset = types.get(relation.type)?.get(rewrite.tupleset.relation)
  if (tupleset === undefined) return { kind: 'union', children: [] }
  tupleset.isTupleset = true
  const name = rewrite.computedUserset.relation
  const computed = new Map<string, Relation>()
  for (const { type } of tupleset.restrictions) {
    const to = types.get(type)?.get(name)
    if (to === undefined || computed.has(type)) continue
    computed.set(type, to)
    edges.push({ from: relation, to, kind: 'from', tupleset, isConditional })
  }
  return { kind: 'from', tupleset, name, computed }
}

/** Strongly connected components, after Tarjan, with a stack of its own. */
function markRecursions(relations: readonly MutableRelation[], edges: readonly ModelEdge[]): void {
  const next: ModelEdge[][] = relations.map(() => [])
  for (const edge of edges) next[edge.from.id]?.push(edge)
  const order = new Int32Array(relations.length)
  const low = new Int32Array(relations.length)
  const component = new Int32Array(relations.length).fill(-1)
  const open: number[] = []
  let entered = 0
  let components = 0
  for (const { id: root } of relations) {
    if (order[root] !== 0) continue
    const frames: { readonly id: number; at: number }[] = []
    const enter = (id: number): void => {
      order[id] = low[id] = ++entered
      open.push(id)
      frames.push({ id, at: 0 })
    }
    enter(root)
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const { id } = frame
      const to = next[id]?.[frame.at++]?.to.id
      if (to !== undefined) {
        if (order[to] === 0) enter(to)
        else if (component[to] === -1) low[id] = Math.min(low[id] ?? 0, order[to] ?? 0)
        continue
      }
      frames.pop()
      const above = frames.at(-1)?.id
      if (above !== undefined) low[above] = Math.min(low[above] ?? 0, low[id] ?? 0)
      if (low[id] !== order[id]) continue
      for (let member = open.pop(); member !== undefined; member = open.pop()) {
        component[member] = components
        if (member === id) break
      }
      components++
    }
  }
  const inside = edges.filter(({ from, to }) => component[from.id] === component[to.id])
  const recursive = new Set(inside.map(({ from }) => component[from.id]))
  const conditional = new Set(
    inside.filter((edge) => edge.isConditional).map(({ from }) => component[from.id]),
  )
  const recursions = Array.from({ length: components }, (_, id) => ({
    id,
    isRecursive: recursive.has(id),
    isMonotone: !conditional.has(id),
  }))
  for (const relation of relations) {
    const recursion = recursions[component[relation.id] ?? -1]
    if (recursion !== undefined) relation.recursion = recursion
  }
}

function own<T>(record: Readonly<Record<string, T>> | null | undefined, key: string): T | undefined {
  return record !== null && record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined
}
