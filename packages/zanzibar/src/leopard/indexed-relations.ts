import type { Relation, Rewrite, TypeSystem } from '../model/type-system.ts'
import { splitUser, typeOf } from '../tuple/object.ts'
import type { TupleKey } from '../tuple/tuple.ts'

type FromRewrite = Extract<Rewrite, { kind: 'from' }>

/** A relation whose objects are nodes of the index. */
export interface IndexedRelation {
  readonly relation: Relation
  /** What may be assigned directly: relations of the same object that it is made of by unions alone, itself included. */
  readonly direct: readonly Relation[]
  readonly from: readonly FromRewrite[]
  /** Whether there is an intersection or an exclusion beside these: then only a yes can be told. */
  readonly isOpen: boolean
  /** The relations that it can lead to, itself included. */
  readonly below: readonly IndexedRelation[]
}

/** A step that a tuple makes, from a relation of its object to one of its user. */
export interface Step {
  readonly from: Relation
  readonly to: Relation
  readonly object: string
  /** Whether what it leads to is no node of the index. */
  readonly isOpen: boolean
}

/**
 * The part of a model that an index follows: relations that lead back to themselves by unions alone, and what those lead to.
 * What no tuple nests is not worth it.
 */
export class IndexedRelations {
  /** What the tuples are of that make steps, and the types of their users. */
  readonly tuples: readonly { readonly relation: Relation; readonly userTypes: readonly string[] }[]
  readonly #byId: (MutableIndexed | undefined)[]
  /** By the relation of a tuple. */
  readonly #from: (MutableIndexed[] | undefined)[] = []
  readonly #types: TypeSystem

  constructor(types: TypeSystem) {
    this.#types = types
    this.#byId = types.relations.map(() => undefined)
    const open = types.relations.filter(({ recursion }) => recursion.isRecursive && recursion.isMonotone)
    for (let relation = open.pop(); relation !== undefined; relation = open.pop()) {
      if (this.#byId[relation.id] !== undefined) continue
      const indexed = flattened(relation)
      this.#byId[relation.id] = indexed
      for (const each of targets(indexed)) if (each.recursion.isMonotone) open.push(each)
    }
    const tuples = new Map<Relation, Set<string>>()
    for (const indexed of this.#byId) {
      if (indexed === undefined) continue
      indexed.below = this.#below(indexed)
      for (const relation of [...indexed.direct, ...indexed.from.map(({ tupleset }) => tupleset)]) {
        const users = tuples.get(relation) ?? new Set()
        tuples.set(relation, users)
        if (this.#from[relation.id]?.at(-1) !== indexed) (this.#from[relation.id] ??= []).push(indexed)
      }
      for (const direct of indexed.direct) {
        for (const { type } of direct.usersets) tuples.get(direct)?.add(type)
      }
      for (const { tupleset, computed } of indexed.from) {
        for (const type of computed.keys()) tuples.get(tupleset)?.add(type)
      }
    }
    this.tuples = [...tuples]
      .filter(([, users]) => users.size > 0)
      .map(([relation, users]) => ({ relation, userTypes: [...users] }))
  }

  of(relation: Relation): IndexedRelation | undefined {
    return this.#byId[relation.id]
  }

  /** The relations whose objects have what is assigned of `relation`. */
  takers(relation: Relation): readonly Relation[] {
    const indexed = this.#from[relation.id] ?? []
    return indexed.filter(({ direct }) => direct.includes(relation)).map((each) => each.relation)
  }

  /** Whether a tuple of that kind can make a difference to what the index answers. */
  concerns({ object, relation }: Pick<TupleKey, 'object' | 'relation'>): boolean {
    const of = this.#types.relation(typeOf(object), relation)
    return of !== undefined && this.#from[of.id] !== undefined
  }

  steps({ object, relation, user }: TupleKey): readonly Step[] {
    const of = this.#types.relation(typeOf(object), relation)
    const indexed = of && this.#from[of.id]
    if (of === undefined || indexed === undefined) return []
    const { object: userObject, relation: userRelation } = splitUser(user)
    const steps: Step[] = []
    for (const { relation: from, direct, from: rewrites } of indexed) {
      const add = (to: Relation | undefined): void => {
        if (to === undefined) return
        steps.push({ from, to, object: userObject, isOpen: this.#byId[to.id] === undefined })
      }
      if (userRelation !== '') {
        if (direct.includes(of)) add(this.#types.relation(typeOf(userObject), userRelation))
        continue
      }
      for (const { tupleset, computed } of rewrites) if (tupleset === of) add(computed.get(typeOf(user)))
    }
    return steps
  }

  #below(start: IndexedRelation): readonly IndexedRelation[] {
    const found = new Set([start])
    for (const indexed of found) {
      for (const { id } of targets(indexed)) {
        const next = this.#byId[id]
        if (next !== undefined) found.add(next)
      }
    }
    return [...found]
  }
}

interface MutableIndexed extends IndexedRelation {
  below: readonly IndexedRelation[]
}

/** What a relation is made of on the same object, as far as unions go. */
function flattened(relation: Relation): MutableIndexed {
  const direct: Relation[] = []
  const from: FromRewrite[] = []
  let isOpen = false
  const seen = new Set([relation])
  for (const of of seen) {
    const rewrites = [of.rewrite]
    for (let rewrite = rewrites.pop(); rewrite !== undefined; rewrite = rewrites.pop()) {
      if (rewrite.kind === 'direct') direct.push(of)
      else if (rewrite.kind === 'computed') seen.add(rewrite.relation)
      else if (rewrite.kind === 'from') from.push(rewrite)
      else if (rewrite.kind === 'union') rewrites.push(...rewrite.children)
      else isOpen = true
    }
  }
  return { relation, direct, from, isOpen, below: [] }
}

function targets({ direct, from }: IndexedRelation): readonly Relation[] {
  return [
    ...direct.flatMap(({ usersets }) => usersets),
    ...from.flatMap(({ computed }) => [...computed.values()]),
  ]
}
