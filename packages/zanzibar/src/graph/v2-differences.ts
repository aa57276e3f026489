import { compileCondition } from '../condition/condition.ts'
import { checkModel } from '../given-kinds.ts'
import type { AuthorizationModel } from '../model/authorization-model.ts'
import { type Relation, type Rewrite, type TypeSystem, typeSystem } from '../model/type-system.ts'
import { type UserForms, userFormsOf } from './user-forms.ts'

/** Why OpenFGA's v2 may answer otherwise than v1, in its own words (`openfga/openfga:pkg/server/commands/v2breaking`). */
export type V2Reason =
  /** `o#r` has `r` of `o` in v1, whatever tuples there are. */
  | 'self_referential_userset'
  /** A tuple of a userset that is computed into the one of the question counts for it in v1. */
  | 'alias_userset'
  /** A relation has what is computed into it, of the same object, in v1. */
  | 'computed_userset_self_object'
  /** The relation of a parent counts as a userset in v1. */
  | 'ttu_userset'
  /** Usersets have no answer at an exclusion in v2. */
  | 'userset_with_exclusion'
  /** Everyone of a type has no answer at an exclusion in v2. */
  | 'wildcard_with_exclusion'

/** A question that v2 may answer otherwise. */
export interface V2Difference {
  readonly reason: V2Reason
  readonly type: string
  readonly relation: string
  /** Of whom: `type#relation`, or `type:*`. */
  readonly user: string
}

/**
 * What of a model OpenFGA's v2 may answer otherwise than v1: of the users that its restrictions name, whether or not there
 * are tuples that make the difference. The model must be valid.
 */
export function v2Differences(model: AuthorizationModel): readonly V2Difference[] {
  checkModel('model', model)
  const types = typeSystem(model, compileCondition)
  const users = new Set(
    types.relations.flatMap(({ restrictions }) =>
      restrictions.flatMap(({ type, relation, wildcard }) =>
        relation ? [`${type}#${relation}`] : wildcard === undefined ? [] : [`${type}:*`],
      ),
    ),
  )
  return types.relations.flatMap((relation) =>
    [...users].flatMap((user): readonly V2Difference[] => {
      if (!types.reaches(user, relation)) return []
      const reason = user.endsWith(':*')
        ? wildcardReason(types, relation, user)
        : usersetReason(types, relation, user)
      return reason === undefined ? [] : [{ reason, type: relation.type, relation: relation.name, user }]
    }),
  )
}

/** The first that is so, in OpenFGA's order. */
function usersetReason(types: TypeSystem, target: Relation, user: string): V2Reason | undefined {
  const [type = '', name = ''] = user.split('#')
  const parts = partsOf(target.rewrite)
  if (target.type === type && target.name === name) return 'self_referential_userset'
  if (isAliased(types, target, type, name)) return 'alias_userset'
  if (target.type === type && parts.some((part) => part.kind === 'computed' && part.relation.name === name))
    return 'computed_userset_self_object'
  if (parts.some((part) => part.kind === 'from' && part.computed.get(type)?.name === name))
    return 'ttu_userset'
  return parts.some(({ kind }) => kind === 'exclusion') ? 'userset_with_exclusion' : undefined
}

function isAliased(types: TypeSystem, { usersets }: Relation, type: string, name: string): boolean {
  const own = types.relation(type, name)
  if (own === undefined || usersets.includes(own)) return false
  return usersets.some((userset) => computedOf(userset) === own)
}

/** What a relation is computed of, to the end. */
function computedOf(relation: Relation): Relation {
  const seen = new Set<Relation>()
  let at = relation
  while (at.rewrite.kind === 'computed' && !seen.has(at)) {
    seen.add(at)
    at = at.rewrite.relation
  }
  return at
}

function wildcardReason(types: TypeSystem, target: Relation, user: string): V2Reason | undefined {
  const forms = userFormsOf(types)
  const seen = new Set([target])
  // Also visits what is added meanwhile.
  for (const relation of seen) {
    for (const part of partsOf(relation.rewrite)) {
      if (refuses(part, relation, user, forms)) return 'wildcard_with_exclusion'
      if (part.kind === 'computed') seen.add(part.relation)
      if (part.kind === 'from') for (const next of part.computed.values()) seen.add(next)
    }
  }
  return undefined
}

function refuses(part: Rewrite, relation: Relation, user: string, forms: UserForms): boolean {
  return part.kind === 'exclusion' && forms.of(part.base, relation).has(user)
}

/** A rewrite and all that it is made of. */
function partsOf(rewrite: Rewrite): readonly Rewrite[] {
  const parts = [rewrite]
  for (const part of parts) {
    if (part.kind === 'exclusion') parts.push(part.base, part.subtract)
    else if ('children' in part) parts.push(...part.children)
  }
  return parts
}
