import type { Relation, Rewrite, TypeSystem } from '../model/type-system.ts'
import { isTypedWildcard, splitUser, typeOf } from '../tuple/object.ts'

const known = new WeakMap<TypeSystem, Map<string, ReadonlySet<Relation>>>()

/**
 * The relations that a user of one of these forms (`type`, `type:*`, `type#relation`) can have if of intersections and
 * exclusions only the first operand is looked at: where OpenFGA finds no way so, it lists nothing
 * (`internal/graph/graph.go` GetPrunedRelationshipEdges).
 */
export function reachedByFirstOperands(types: TypeSystem, forms: readonly string[]): ReadonlySet<Relation> {
  let answers = known.get(types)
  if (answers === undefined) {
    answers = new Map()
    known.set(types, answers)
  }
  const key = forms.join(' ')
  let reached = answers.get(key)
  if (reached === undefined) {
    reached = grow(types, new Set(forms))
    answers.set(key, reached)
  }
  return reached
}

function grow(types: TypeSystem, forms: ReadonlySet<string>): ReadonlySet<Relation> {
  const reached = new Set(types.relations.filter(({ type, name }) => forms.has(`${type}#${name}`)))
  for (let before = -1; before !== reached.size; ) {
    before = reached.size
    for (const relation of types.relations) {
      if (leads(relation.rewrite, relation, forms, reached)) reached.add(relation)
    }
  }
  return reached
}

function leads(
  rewrite: Rewrite,
  relation: Relation,
  forms: ReadonlySet<string>,
  reached: ReadonlySet<Relation>,
): boolean {
  switch (rewrite.kind) {
    case 'direct':
      return (
        relation.usersets.some((each) => reached.has(each)) ||
        relation.restrictions.some(
          (each) => !each.relation && forms.has(each.wildcard === undefined ? each.type : `${each.type}:*`),
        )
      )
    case 'computed':
      return reached.has(rewrite.relation)
    case 'from':
      return [...rewrite.computed.values()].some((each) => reached.has(each))
    case 'union':
      return rewrite.children.some((child) => leads(child, relation, forms, reached))
    case 'intersection':
      return rewrite.children.slice(0, 1).some((child) => leads(child, relation, forms, reached))
    case 'exclusion':
  }
  return leads(rewrite.base, relation, forms, reached)
}

/** The forms that a user has, as the model's restrictions say it. */
export function formsOf(user: string): readonly string[] {
  const { object, relation } = splitUser(user)
  const type = typeOf(object)
  if (relation !== '') return [`${type}#${relation}`]
  return isTypedWildcard(user) ? [`${type}:*`] : [type, `${type}:*`]
}
