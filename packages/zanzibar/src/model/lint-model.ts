import type { ProblemKind } from '../errors.ts'
import { checkModel } from '../given-kinds.ts'
import type { AuthorizationModel, RelationReference, TypeDefinition, Userset } from './authorization-model.ts'
import { leavesOf } from './fold-rewrite.ts'
import { hasRelation, impossibleRelations, restrictionsOf } from './impossible-relations.ts'
import { printReference } from './print-model.ts'

/** What a problem is about. */
export type Subject =
  | { readonly of: 'schema' }
  | { readonly of: 'model' }
  | { readonly of: 'type'; readonly type: string }
  | { readonly of: 'relation'; readonly type: string; readonly relation: string }
  | { readonly of: 'condition'; readonly condition: string }
  /** The first part of that kind and text in a relation's definition. */
  | {
      readonly of: 'part'
      readonly type: string
      readonly relation: string
      readonly part: 'restriction' | 'user' | 'type' | 'condition' | 'rewrite' | 'tupleset'
    }

/** Something that makes no sense in a model. */
export interface Problem {
  readonly kind: ProblemKind
  readonly message: string
  /** The words at fault. */
  readonly symbol: string
  readonly subject: Subject
}

/**
 * What makes no sense in a model, in the words of OpenFGA's tools (`openfga/language:pkg/js/validator/validate-dsl.ts`): names first; where
 * those are right, what is not defined; then duplicates; then relations that nobody can have; then conditions.
 */
export function lintModel(model: AuthorizationModel): readonly Problem[] {
  checkModel('model', model)
  const problems = lintNames(model)
  const { schema_version: version } = model
  if (version === '') {
    problems.push({
      kind: 'schema-version-required',
      message: 'schema version required',
      symbol: '',
      subject: { of: 'schema' },
    })
  } else if (version !== '1.1' && version !== '1.2') {
    problems.push({
      kind: 'invalid-schema',
      message: `invalid schema ${version}`,
      symbol: version,
      subject: { of: 'schema' },
    })
  } else if (problems.length === 0) {
    for (const lint of [lintReferences, lintDuplicates, lintEntryPoints]) {
      if (problems.length === 0) problems.push(...lint(model))
    }
    problems.push(...lintConditions(model))
  }
  return problems
}

const rules = { type: '^[^:#@\\*\\s]{1,254}$', relation: '^[^:#@\\*\\s]{1,50}$' }
const patterns = { type: new RegExp(rules.type), relation: new RegExp(rules.relation) }

function lintNames(model: AuthorizationModel): Problem[] {
  const problems: Problem[] = []
  const isReserved = (name: string): boolean => name === 'self' || name === 'this'
  for (const { type, relations } of model.type_definitions) {
    const ofType: Subject = { of: 'type', type }
    if (isReserved(type)) {
      const message = "a type cannot be named 'self' or 'this'."
      problems.push({ kind: 'reserved-type-keywords', message, symbol: type, subject: ofType })
    }
    if (!patterns.type.test(type)) {
      const message = `type '${type}' does not match naming rule: '${rules.type}'.`
      problems.push({ kind: 'invalid-name', message, symbol: type, subject: ofType })
    }
    for (const relation of Object.keys(relations ?? {})) {
      const subject: Subject = { of: 'relation', type, relation }
      if (isReserved(relation)) {
        const message = "a relation cannot be named 'self' or 'this'."
        problems.push({ kind: 'reserved-relation-keywords', message, symbol: relation, subject })
      }
      if (!patterns.relation.test(relation)) {
        const message = `relation '${relation}' of type '${type}' does not match naming rule: '${rules.relation}'.`
        problems.push({ kind: 'invalid-name', message, symbol: relation, subject })
      }
    }
  }
  return problems
}

function lintReferences(model: AuthorizationModel): Problem[] {
  const types = new Map(model.type_definitions.map((type) => [type.type, type]))
  return model.type_definitions.flatMap((definition) => {
    // Of types of the same name the last one counts.
    const type = types.get(definition.type) ?? definition
    return Object.keys(definition.relations ?? {}).flatMap((relation) => {
      const rewrite = hasRelation(type, relation) ? type.relations?.[relation] : undefined
      if (rewrite === undefined) return []
      return leavesOf(rewrite).flatMap((leaf) => lintLeaf(leaf, { model, types, type, relation }))
    })
  })
}

interface Within {
  readonly model: AuthorizationModel
  readonly types: ReadonlyMap<string, TypeDefinition>
  readonly type: TypeDefinition
  readonly relation: string
}

function lintLeaf(leaf: Userset, within: Within): Problem[] {
  if ('computedUserset' in leaf) {
    const symbol = leaf.computedUserset.relation
    if (symbol === '' || hasRelation(within.type, symbol)) return []
    const message = `the relation \`${symbol}\` does not exist.`
    return [{ kind: 'missing-definition', message, symbol, subject: part(within, 'rewrite') }]
  }
  if ('tupleToUserset' in leaf) {
    const { computedUserset, tupleset } = leaf.tupleToUserset
    return lintTupleToUserset(computedUserset.relation, tupleset.relation, within)
  }
  return lintRestrictions(within)
}

function part({ type, relation }: Within, kind: (Subject & { of: 'part' })['part']): Subject {
  return { of: 'part', type: type.type, relation, part: kind }
}

function lintRestrictions(within: Within): Problem[] {
  const { model, types, type, relation } = within
  const restrictions = restrictionsOf(type, relation)
  if (restrictions.length === 0) {
    return [
      {
        kind: 'assignable-relation-must-have-type',
        message: `assignable relation '${relation}' must have types`,
        symbol: relation,
        subject: { of: 'relation', type: type.type, relation },
      },
    ]
  }
  const problems: Problem[] = []
  for (const reference of restrictions) {
    const { type: user, relation: userset, wildcard, condition } = reference
    if (!types.has(user)) {
      const message = `\`${user}\` is not a valid type.`
      problems.push({ kind: 'invalid-type', message, symbol: user, subject: part(within, 'type') })
    }
    if (condition && !Object.hasOwn(model.conditions ?? {}, condition)) {
      const message = `\`${condition}\` is not a defined condition in the model.`
      problems.push({
        kind: 'condition-not-defined',
        message,
        symbol: condition,
        subject: part(within, 'condition'),
      })
    }
    if (wildcard && userset) {
      const symbol = printReference(reference)
      const message = `type restriction \`${symbol}\` cannot contain both wildcard and relation`
      problems.push({ kind: 'type-wildcard-relation', message, symbol, subject: part(within, 'restriction') })
    } else if (userset && !hasRelation(types.get(user), userset)) {
      const message = `\`${userset}\` is not a valid relation for \`${user}\`.`
      const symbol = `${user}#${userset}`
      problems.push({ kind: 'invalid-relation-type', message, symbol, subject: part(within, 'user') })
    }
  }
  return problems
}

function lintTupleToUserset(computed: string, tupleset: string, within: Within): Problem[] {
  const { types, type } = within
  const symbol = `${computed} from ${tupleset}`
  const subject = part(within, 'rewrite')
  if (!hasRelation(type, tupleset)) {
    const message = `\`${tupleset}\` is not a valid relation for \`${type.type}\`.`
    return [{ kind: 'invalid-relation-type', message, symbol, subject }]
  }
  const notDirect: Problem = {
    kind: 'tupleuserset-not-direct',
    message: `\`${tupleset}\` relation used inside from allows only direct relation.`,
    symbol: tupleset,
    subject: part(within, 'tupleset'),
  }
  const rewrite = type.relations?.[tupleset]
  const users = rewrite !== undefined && 'this' in rewrite ? restrictionsOf(type, tupleset) : []
  if (users.length === 0) return [notDirect]
  const indirect = users.filter((user) => user.wildcard || user.relation)
  const without = users.filter(
    (user) => !user.wildcard && !user.relation && !hasRelation(types.get(user.type), computed),
  )
  return [
    ...indirect.map(() => notDirect),
    ...(without.length < users.length ? [] : without).map((user): Problem => {
      const message = `the \`${computed}\` relation definition on type \`${type.type}\` is not valid: \`${computed}\` does not exist on \`${tupleset}\`, which is of type \`${user.type}\`.`
      return { kind: 'invalid-relation-on-tupleset', message, symbol, subject }
    }),
  ]
}

function lintDuplicates(model: AuthorizationModel): Problem[] {
  const problems: Problem[] = []
  const types = new Set<string>()
  for (const definition of model.type_definitions) {
    const { type } = definition
    if (types.has(type)) {
      const message = `the type \`${type}\` is a duplicate.`
      problems.push({ kind: 'duplicated-error', message, symbol: type, subject: { of: 'type', type } })
    }
    types.add(type)
    for (const [relation, rewrite] of Object.entries(definition.relations ?? {})) {
      const subject = { of: 'part', type, relation } as const
      for (const symbol of repeated(restrictionsOf(definition, relation).map(printReference))) {
        const message = `the type restriction \`${symbol}\` is a duplicate in the relation \`${relation}\`.`
        problems.push({
          kind: 'duplicated-error',
          message,
          symbol,
          subject: { ...subject, part: 'restriction' },
        })
      }
      for (const symbol of repeated(namesOf(rewrite))) {
        const message = `the partial relation definition \`${symbol}\` is a duplicate in the relation \`${relation}\`.`
        problems.push({ kind: 'duplicated-error', message, symbol, subject: { ...subject, part: 'rewrite' } })
      }
    }
  }
  return problems
}

/** Each but the first of equal ones. */
function repeated(names: readonly string[]): readonly string[] {
  const seen = new Set<string>()
  return names.filter((name) => seen.size === seen.add(name).size)
}

/** The operands of the uppermost operator that are no operators themselves. */
function namesOf(rewrite: Userset): readonly string[] {
  let operands: readonly Userset[] = []
  if ('union' in rewrite) operands = rewrite.union.child
  else if ('intersection' in rewrite) operands = rewrite.intersection.child
  else if ('difference' in rewrite) operands = [rewrite.difference.base, rewrite.difference.subtract]
  return operands.flatMap((operand) => {
    if ('computedUserset' in operand) return [operand.computedUserset.relation]
    if (!('tupleToUserset' in operand)) return []
    return [
      `${operand.tupleToUserset.computedUserset.relation} from ${operand.tupleToUserset.tupleset.relation}`,
    ]
  })
}

function lintEntryPoints(model: AuthorizationModel): Problem[] {
  const impossible = impossibleRelations(model)
  return model.type_definitions.flatMap(({ type, relations }) =>
    Object.keys(relations ?? {}).flatMap((relation): Problem[] => {
      const why = impossible.get(type)?.get(relation)
      if (why === undefined) return []
      const message = `\`${relation}\` is an impossible relation for \`${type}\` (${why === 'loop' ? 'potential loop' : why}).`
      return [
        {
          kind: 'relation-no-entry-point',
          message,
          symbol: relation,
          subject: { of: 'relation', type, relation },
        },
      ]
    }),
  )
}

function lintConditions(model: AuthorizationModel): Problem[] {
  const references = model.type_definitions.flatMap(({ metadata }): readonly RelationReference[] =>
    Object.values(metadata?.relations ?? {}).flatMap(
      (relation) => relation.directly_related_user_types ?? [],
    ),
  )
  const used = new Set(references.map(({ condition }) => condition))
  return Object.entries(model.conditions ?? {}).flatMap(([key, { name }]) => {
    const subject: Subject = { of: 'condition', condition: key }
    const problems: Problem[] = []
    if (name !== key) {
      const message = `condition key is \`${key}\` but nested name property is ${name}`
      problems.push({
        kind: 'different-nested-condition-name',
        message,
        symbol: name,
        subject: { of: 'model' },
      })
    }
    if (!used.has(key)) {
      const message = `\`${key}\` condition is not used in the model.`
      problems.push({ kind: 'condition-not-used', message, symbol: key, subject })
    }
    return problems
  })
}
