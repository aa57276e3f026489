import { checkWhole } from '../given-kinds.ts'
import type { Relation, Rewrite } from '../model/type-system.ts'
import { splitUser, typeOf } from '../tuple/object.ts'
import type { Tuple } from '../tuple/tuple.ts'
import { answer, type Progress, type Question, working } from './question.ts'
import { type Scope, TupleReader } from './tuple-reader.ts'

/** What a relation of an object is made of, as OpenFGA's Expand has it. */
export type UsersetTree = { readonly name: string } & (
  | {
      readonly leaf: UsersetLeaf
      /** The trees of the usersets that the leaf names; only where more than one level was asked for. */
      readonly expanded?: readonly UsersetTree[]
    }
  | { readonly union: { readonly nodes: readonly UsersetTree[] } }
  | { readonly intersection: { readonly nodes: readonly UsersetTree[] } }
  | { readonly difference: { readonly base: UsersetTree; readonly subtract: UsersetTree } }
)

export type UsersetLeaf =
  | { readonly users: { readonly users: readonly string[] } }
  | { readonly computed: Computed }
  | { readonly tupleToUserset: { readonly tupleset: string; readonly computed: readonly Computed[] } }

/** `type:id#relation`. */
export interface Computed {
  readonly userset: string
}

export interface ExpandRequest {
  readonly object: string
  readonly relation: string
  /** Levels of tuples; what is met again is not expanded again. Default: 1, as in OpenFGA. */
  readonly depth?: number | undefined
}

/**
 * The tree of a relation of an object, which the model defines. Conditions are not looked at.
 *
 * @throws ZanzibarError `invalid_option` for a depth that is no number of levels, `cancelled`
 */
export function expand(
  scope: Scope,
  request: ExpandRequest,
  signal?: AbortSignal,
): UsersetTree | Promise<UsersetTree> {
  const { depth = 1 } = request
  checkWhole('depth', depth, 'levels', 1)
  return answer(new TreeExpansion(scope, request), scope.snapshot, signal)
}

type Steps<Result> = Generator<Progress<never>, Result, undefined>

interface OpenLeaf {
  readonly name: string
  readonly leaf: UsersetLeaf
  expanded?: readonly UsersetTree[]
}

class TreeExpansion implements Question<UsersetTree> {
  readonly #scope: Scope
  readonly #reader: TupleReader
  readonly #steps: Steps<UsersetTree>
  readonly #seen = new Set<string>()
  /** Leaves of the level at hand, with the usersets that they name. */
  #leaves: { readonly tree: OpenLeaf; readonly usersets: readonly string[] }[] = []
  #left = 0

  constructor(scope: Scope, request: ExpandRequest) {
    this.#scope = scope
    this.#reader = new TupleReader(scope)
    this.#steps = this.#run(request)
  }

  advance(steps: number): Progress<UsersetTree> {
    this.#left = steps
    const { done, value } = this.#steps.next()
    return done === true ? { state: 'answered', answer: value } : value
  }

  *#run({ object, relation, depth = 1 }: ExpandRequest): Steps<UsersetTree> {
    const root = yield* this.#userset(`${object}#${relation}`)
    for (let level = 1; level < depth && this.#leaves.length > 0; level++) {
      const leaves = this.#leaves
      this.#leaves = []
      yield* this.#fetch(leaves.flatMap(({ usersets }) => usersets).filter((each) => !this.#seen.has(each)))
      for (const { tree, usersets } of leaves) {
        const expanded: UsersetTree[] = []
        for (const userset of usersets)
          if (!this.#seen.has(userset)) expanded.push(yield* this.#userset(userset))
        tree.expanded = expanded
      }
    }
    return root
  }

  /** Brings to hand, together, what the trees of these usersets are made of. */
  *#fetch(usersets: readonly string[]): Steps<void> {
    for (const userset of new Set(usersets)) {
      const { object, relation: name } = splitUser(userset)
      const relation = this.#scope.types.relation(typeOf(object), name)
      if (relation !== undefined) this.#read(relation.rewrite, relation, object)
    }
    if (this.#reader.missing.length > 0) yield { state: 'waiting', reads: this.#reader.missing.splice(0) }
  }

  #read(rewrite: Rewrite, relation: Relation, object: string): void {
    if (rewrite.kind === 'direct') this.#reader.users(object, relation)
    else if (rewrite.kind === 'from') this.#reader.users(object, rewrite.tupleset)
    else if (rewrite.kind === 'exclusion') {
      this.#read(rewrite.base, relation, object)
      this.#read(rewrite.subtract, relation, object)
    } else if ('children' in rewrite)
      for (const child of rewrite.children) this.#read(child, relation, object)
  }

  *#userset(name: string): Steps<UsersetTree> {
    this.#seen.add(name)
    const { object, relation: relationName } = splitUser(name)
    const relation = this.#scope.types.relation(typeOf(object), relationName)
    return relation === undefined
      ? { name, union: { nodes: [] } }
      : yield* this.#tree(relation.rewrite, relation, object, name)
  }

  *#tree(rewrite: Rewrite, relation: Relation, object: string, name: string): Steps<UsersetTree> {
    switch (rewrite.kind) {
      case 'direct': {
        const tuples = yield* this.#tuples(object, relation)
        const users = [...new Set(tuples.map(({ user }) => user))].toSorted(byCodePoint)
        const usersets = users.filter((user) => user.includes('#'))
        return this.#leaf(name, { users: { users } }, usersets)
      }
      case 'computed': {
        const userset = `${object}#${rewrite.relation.name}`
        return this.#leaf(name, { computed: { userset } }, [userset])
      }
      case 'from': {
        const tuples = yield* this.#tuples(object, rewrite.tupleset)
        const usersets = [...new Set(tuples.map(({ user }) => `${user}#${rewrite.name}`))]
        const computed = usersets.map((userset) => ({ userset }))
        const tupleset = `${object}#${rewrite.tupleset.name}`
        return this.#leaf(name, { tupleToUserset: { tupleset, computed } }, usersets)
      }
      case 'exclusion': {
        const base = yield* this.#tree(rewrite.base, relation, object, name)
        const subtract = yield* this.#tree(rewrite.subtract, relation, object, name)
        return { name, difference: { base, subtract } }
      }
      case 'union':
      case 'intersection':
    }
    const nodes: UsersetTree[] = []
    for (const child of rewrite.children) nodes.push(yield* this.#tree(child, relation, object, name))
    return rewrite.kind === 'union' ? { name, union: { nodes } } : { name, intersection: { nodes } }
  }

  #leaf(name: string, leaf: UsersetLeaf, usersets: readonly string[]): UsersetTree {
    const tree: OpenLeaf = { name, leaf }
    this.#leaves.push({ tree, usersets })
    return tree
  }

  *#tuples(object: string, relation: Relation): Steps<readonly Tuple[]> {
    for (;;) {
      const tuples = this.#reader.users(object, relation)
      if (tuples !== undefined) {
        this.#left -= tuples.length
        if (this.#left <= 0) yield working
        return tuples.filter((tuple) => this.#reader.counts(tuple))
      }
      yield { state: 'waiting', reads: this.#reader.missing.splice(0) }
    }
  }
}

/** As Go sorts texts: by code points, where the halves of pairs come after all else of two bytes. */
function byCodePoint(a: string, b: string): number {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)]
    if (left === right) continue
    const isPair = left >= 0xd800 && left < 0xe000
    return isPair === (right >= 0xd800 && right < 0xe000) ? left - right : isPair ? 1 : -1
  }
  return a.length - b.length
}
