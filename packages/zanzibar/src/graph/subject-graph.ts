import { isZanzibarError, ZanzibarError } from '../errors.ts'
import type { Relation, Rewrite } from '../model/type-system.ts'
import { splitUser, typeOf } from '../tuple/object.ts'
import type { Tuple } from '../tuple/tuple.ts'
import { tooDeep } from './decision.ts'
import { type Progress, working } from './question.ts'
import { type Scope, TupleReader } from './tuple-reader.ts'

/** A relation of an object, with what its tuples say. */
export interface SubjectNode {
  readonly object: string
  /** Undefined where the object's type has no such relation. */
  readonly relation: Relation | undefined
  /** By the parts of the rewrite that lead on. */
  readonly leaves: ReadonlyMap<Rewrite, Leaf>
  /** The fewest steps from the start, computed relations counted. */
  readonly depth: number
}

/** What a part of a rewrite gives. */
export interface Leaf {
  /** Users that are no usersets. */
  readonly users: readonly string[]
  readonly nodes: readonly SubjectNode[]
  readonly error: ZanzibarError | undefined
}

interface OpenNode extends SubjectNode {
  readonly leaves: Map<Rewrite, Leaf>
}

/** All that an object's relation is made of, read level by level: what a level needs is fetched together. */
export class SubjectGraph {
  readonly nodes: readonly SubjectNode[]
  readonly #nodes: OpenNode[] = []
  readonly #byObject = new Map<string, Map<string, OpenNode>>()
  readonly #scope: Scope
  readonly #reader: TupleReader
  #left = 0

  constructor(scope: Scope) {
    this.#scope = scope
    this.#reader = new TupleReader(scope)
    this.nodes = this.#nodes
  }

  /** How many steps may be taken until the next {@link working}. */
  allow(steps: number): void {
    this.#left = steps
  }

  /** @throws ZanzibarError `authorization_model_resolution_too_complex` where even the shortest way is too deep */
  *discover(object: string, relation: Relation): Generator<Progress<never>, SubjectNode, undefined> {
    const root = this.#node(object, relation.name, 0)
    for (let at = 0; at < this.#nodes.length; ) {
      const level = this.#nodes.slice(at)
      at = this.#nodes.length
      let open = level
      while (open.length > 0) {
        const waiting: OpenNode[] = []
        for (const node of open) {
          if (this.#left-- <= 0) yield working
          if (node.depth >= this.#scope.depthLimit) throw tooDeep()
          if (node.relation !== undefined && !this.#read(node, node.relation, node.relation.rewrite)) {
            waiting.push(node)
          }
        }
        open = waiting
        if (open.length > 0) yield { state: 'waiting', reads: this.#reader.missing.splice(0) }
      }
    }
    return root
  }

  /** Whether all that the rewrite needs was at hand. */
  #read(node: OpenNode, relation: Relation, rewrite: Rewrite): boolean {
    switch (rewrite.kind) {
      case 'union':
      case 'intersection': {
        let isComplete = true
        for (const child of rewrite.children) if (!this.#read(node, relation, child)) isComplete = false
        return isComplete
      }
      case 'exclusion': {
        const base = this.#read(node, relation, rewrite.base)
        return this.#read(node, relation, rewrite.subtract) && base
      }
      case 'computed': {
        const next = this.#node(node.object, rewrite.relation.name, node.depth + 1)
        node.leaves.set(rewrite, { users: [], nodes: [next], error: undefined })
        return true
      }
      case 'direct':
      case 'from':
    }
    if (node.leaves.has(rewrite)) return true
    const read = rewrite.kind === 'direct' ? relation : rewrite.tupleset
    const name = rewrite.kind === 'direct' ? undefined : rewrite.name
    // OpenFGA's lists see also what a contextual tuple hides from its checks.
    const hides = name === undefined && this.#scope.depthLimit === Number.POSITIVE_INFINITY
    const tuples = this.#reader.users(node.object, read, { hides })
    if (tuples === undefined) return false
    node.leaves.set(rewrite, this.#leaf(tuples, node.depth + 1, name))
    return true
  }

  /** `name`: the relation that is asked of the users, as objects; else they are users, and usersets lead on. */
  #leaf(tuples: readonly Tuple[], depth: number, name: string | undefined): Leaf {
    const users: string[] = []
    const nodes: SubjectNode[] = []
    let failure: ZanzibarError | undefined
    for (const tuple of tuples) {
      this.#left--
      try {
        if (!this.#reader.counts(tuple) || !this.#reader.isMet(tuple)) continue
      } catch (error) {
        if (!isZanzibarError(error)) throw error
        failure ??= error
        continue
      }
      const { object, relation } = splitUser(tuple.user)
      if (name !== undefined) nodes.push(this.#node(tuple.user, name, depth))
      else if (relation === '') users.push(tuple.user)
      else nodes.push(this.#node(object, relation, depth))
    }
    return { users, nodes, error: failure }
  }

  #node(object: string, name: string, depth: number): OpenNode {
    let named = this.#byObject.get(object)
    if (named === undefined) {
      named = new Map()
      this.#byObject.set(object, named)
    }
    let node = named.get(name)
    if (node === undefined) {
      const relation = this.#scope.types.relation(typeOf(object), name)
      node = { object, relation, leaves: new Map(), depth }
      named.set(name, node)
      this.#nodes.push(node)
    }
    return node
  }
}

/** What a node leads to. */
export function nextOf(node: SubjectNode): readonly SubjectNode[] {
  return [...node.leaves.values()].flatMap(({ nodes }) => nodes)
}

/** The strongly connected components that a node leads to, each after those that it leads to (Tarjan, with a stack of our own). */
export function componentsOf(root: SubjectNode): readonly (readonly SubjectNode[])[] {
  const order = new Map<SubjectNode, number>()
  const low = new Map<SubjectNode, number>()
  const isOpen = new Set<SubjectNode>()
  const open: SubjectNode[] = []
  const components: SubjectNode[][] = []
  const frames: { readonly node: SubjectNode; readonly next: readonly SubjectNode[]; at: number }[] = []
  const enter = (node: SubjectNode): void => {
    order.set(node, order.size)
    low.set(node, order.size - 1)
    isOpen.add(node)
    open.push(node)
    frames.push({ node, next: nextOf(node), at: 0 })
  }
  const lower = (node: SubjectNode, to: number): void => {
    low.set(node, Math.min(low.get(node) ?? to, to))
  }
  enter(root)
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const { node } = frame
    const next = frame.next[frame.at++]
    if (next !== undefined) {
      if (!order.has(next)) enter(next)
      else if (isOpen.has(next)) lower(node, order.get(next) ?? 0)
      continue
    }
    frames.pop()
    const above = frames.at(-1)?.node
    if (above !== undefined) lower(above, low.get(node) ?? 0)
    if (low.get(node) !== order.get(node)) continue
    const component = open.splice(open.lastIndexOf(node))
    for (const each of component) isOpen.delete(each)
    components.push(component)
  }
  return components
}
