import type { Relation, Rewrite, TypeSystem } from '../model/type-system.ts'
import { type UserForms, userFormsOf } from './user-forms.ts'
import { isWeighted } from './weighted.ts'

/**
 * Whether OpenFGA looks for users of a type along the whole recursion of a relation at once, level by level, and so notices no
 * cycle: the relation leads to itself alone, by one way, and what else gives it to such users is assigned on the same object.
 * The other strategy that its planner has for these is guessed to take three times as long, and is not drawn
 * (`openfga/openfga:pkg/typesystem/typesystem.go` UsersetUseRecursiveResolver, TTUUseRecursiveResolver;
 * `internal/graph/recursive_resolver.go`).
 */
export function isBreadthFirst(types: TypeSystem, relation: Relation, userType: string): boolean {
  const { recursion } = relation
  if (!recursion.isRecursive || !isWeighted(types)) return false
  if (types.relations.some((other) => other !== relation && other.recursion === recursion)) return false
  const forms = userFormsOf(types)
  return forms.ofRelation(relation).has(userType) && waysBack(relation, userType, forms) === 1
}

/** Whether a relation gives users of a type what is assigned to them on the same object, and nothing else. */
export function isFlat(types: TypeSystem, relation: Relation, userType: string): boolean {
  const forms = userFormsOf(types)
  return forms.ofRelation(relation).has(userType) && isOwn(relation, userType, forms)
}

/** How many ways lead back to a relation; NaN where users have it by something else that is not on the same object. */
function waysBack(relation: Relation, userType: string, forms: UserForms): number {
  const isElsewhere = (to: Relation): boolean => to !== relation && forms.ofRelation(to).has(userType)
  let ways = 0
  const open: Rewrite[] = [relation.rewrite]
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    if (part.kind === 'union') {
      open.push(...withoutRepeats(part.children))
      continue
    }
    const targets =
      part.kind === 'direct' ? relation.usersets : part.kind === 'from' ? [...part.computed.values()] : []
    if (targets.some(isElsewhere)) return Number.NaN
    if (targets.includes(relation)) ways++
    else if (!leadsNowhere(part, relation, userType, forms)) return Number.NaN
  }
  return ways
}

/** Of ways along one tupleset OpenFGA has one edge, where one kind of parent is allowed. */
function withoutRepeats(children: readonly Rewrite[]): readonly Rewrite[] {
  const seen = new Set<string>()
  return children.filter((child) => {
    if (child.kind !== 'from' || child.tupleset.restrictions.length !== 1) return true
    const way = `${child.name} from ${child.tupleset.name}`
    return !seen.has(way) && seen.add(way)
  })
}

function isOwn(relation: Relation, userType: string, forms: UserForms): boolean {
  return !relation.recursion.isRecursive && leadsNowhere(relation.rewrite, relation, userType, forms)
}

/** Whether a part of a relation leads to users of a type by no tuple but one of that very object. */
function leadsNowhere(rewrite: Rewrite, relation: Relation, userType: string, forms: UserForms): boolean {
  if (!forms.of(rewrite, relation).has(userType)) return true
  const isReached = (to: Relation): boolean => forms.ofRelation(to).has(userType)
  switch (rewrite.kind) {
    case 'direct':
      return !relation.usersets.some(isReached)
    case 'from':
      return ![...rewrite.computed.values()].some(isReached)
    case 'computed':
      return isOwn(rewrite.relation, userType, forms)
    case 'union':
    case 'intersection':
      return rewrite.children.every((child) => leadsNowhere(child, relation, userType, forms))
    case 'exclusion':
  }
  return [rewrite.base, rewrite.subtract].every((part) => leadsNowhere(part, relation, userType, forms))
}
