import type { Relation, TypeSystem } from '../model/type-system.ts'
import type { Upward } from '../store/snapshot.ts'
import { formsOf, reachedByFirstOperands } from './first-operands.ts'
import { upwardOf, type Way, waysOf } from './upward.ts'

/** What a relation is made of, as a list of its objects walks it. */
export class ListedRelations {
  /** What is needed comes first, relations that lead to each other together. */
  readonly recursions: readonly (readonly Relation[])[]
  readonly relations: readonly Relation[]
  readonly #isWhole: boolean
  #ways: readonly Way[] | undefined
  #upward: Upward | undefined

  /** @param isWhole whether operands are walked each on their own; else only what gives candidates */
  constructor(target: Relation, isWhole: boolean, canHave: (relation: Relation) => boolean) {
    this.#isWhole = isWhole
    this.recursions = recursionsOf(target, isWhole, canHave)
    this.relations = this.recursions.flat()
  }

  /** All that lead from one of them to another one. */
  get ways(): readonly Way[] {
    this.#ways ??= this.relations.flatMap((relation) => waysOf(relation.rewrite, relation, this.#isWhole))
    return this.#ways
  }

  /** Where the list leads on to; undefined where it does not. */
  get upward(): Upward | undefined {
    this.#upward ??= upwardOf(this.relations, this.ways)
    return this.#upward
  }
}

/** What gives candidates for a user, if of intersections and exclusions only the first operand is looked at. */
export function candidatesOf(target: Relation, types: TypeSystem, user: string): ListedRelations {
  const reached = reachedByFirstOperands(types, formsOf(user))
  return new ListedRelations(target, false, (relation) => reached.has(relation))
}

function recursionsOf(
  target: Relation,
  isWhole: boolean,
  canHave: (relation: Relation) => boolean,
): readonly (readonly Relation[])[] {
  const seen = new Set<Relation>()
  const open = [target]
  const together = new Map<number, Relation[]>()
  for (let relation = open.pop(); relation !== undefined; relation = open.pop()) {
    if (seen.has(relation) || !canHave(relation)) continue
    seen.add(relation)
    const { id } = relation.recursion
    const others = together.get(id)
    if (others === undefined) together.set(id, [relation])
    else others.push(relation)
    for (const { to } of waysOf(relation.rewrite, relation, isWhole)) open.push(to)
  }
  // Components are numbered as Tarjan closes them: what one needs has a lower number.
  return [...together].toSorted(([a], [b]) => a - b).map(([, relations]) => relations)
}
