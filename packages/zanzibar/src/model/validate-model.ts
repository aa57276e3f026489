import { ZanzibarError } from '../errors.ts'
import type { Limits } from '../limits.ts'
import type {
  AuthorizationModel,
  ConditionDefinition,
  ObjectRelation,
  Userset,
} from './authorization-model.ts'
import {
  type DefinedRelation,
  type DefinedTypes,
  EntryPointSearch,
  type EntryPoints,
} from './entry-points.ts'

/**
 * Looks whether a model may be used. (`openfga/openfga:pkg/typesystem/typesystem.go`, NewAndValidate: relations in the order
 * of their names, the first problem in OpenFGA's words)
 *
 * @param compile reads a condition, and throws where it cannot
 * @throws ZanzibarError `invalid_authorization_model`, `exceeded_entity_limit`
 */
export function validateModel(
  model: AuthorizationModel,
  { maxTypesPerModel }: Pick<Limits, 'maxTypesPerModel'>,
  compile: (definition: ConditionDefinition) => unknown,
): void {
  if (model.type_definitions.length > maxTypesPerModel) {
    throw new ZanzibarError(
      'exceeded_entity_limit',
      `The number of type definitions in an authorization model exceeds the allowed limit of ${maxTypesPerModel}`,
    )
  }
  if (model.schema_version !== '1.1' && model.schema_version !== '1.2') {
    throw invalid('invalid schema version')
  }
  refuseNames(model)
  const types = definedTypes(model)
  const tuplesets = tuplesetsOf(types)
  const search = new EntryPointSearch(types)
  for (const [type, relations] of sorted(types)) {
    const clear = new Set<string>()
    for (const [name, relation] of sorted(relations)) {
      refuseRewrite(types, type, name, relation.rewrite)
      refuseRestrictions(model, types, { type, name, isTupleset: tuplesets.has(`${type}#${name}`) })
      refuseUnreachable(search, type, name)
      refuseCycle(types, type, name, clear)
    }
  }
  for (const [key, condition] of sorted(Object.entries(model.conditions ?? {}))) {
    if (key !== condition.name) {
      throw invalid(`condition key '${key}' does not match condition name '${condition.name}'`)
    }
    compile(condition)
  }
}

function refuseNames({ type_definitions: definitions }: AuthorizationModel): void {
  if (new Set(definitions.map(({ type }) => type)).size < definitions.length) {
    throw invalid('an authorization model cannot contain duplicate types')
  }
  for (const { type, relations } of definitions) {
    if (type === '') throw invalid('the type name of a type definition cannot be an empty string')
    if (isReserved(type)) throw invalid(`the definition of type '${type}' is invalid`)
    for (const name of Object.keys(relations ?? {})) {
      if (name === '') throw invalid(`type '${type}' defines a relation with an empty string for a name`)
      if (isReserved(name)) throw invalidRelation(type, name, 'self and this are reserved keywords')
    }
  }
}

function isReserved(name: string): boolean {
  return name === 'self' || name === 'this'
}

function definedTypes({ type_definitions: definitions }: AuthorizationModel): DefinedTypes {
  return new Map(
    definitions.map(({ type, relations, metadata }) => {
      const described = new Map(Object.entries(metadata?.relations ?? {}))
      const defined = Object.entries(relations ?? {}).map(([name, rewrite]): [string, DefinedRelation] => [
        name,
        { rewrite, restrictions: described.get(name)?.directly_related_user_types ?? [] },
      ])
      return [type, new Map(defined)]
    }),
  )
}

/** The rewrites that a rewrite is made of, itself and its operands however deep. */
function* partsOf(rewrite: Userset): Generator<Userset> {
  const open = [rewrite]
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    yield part
    if ('union' in part) open.push(...part.union.child.toReversed())
    else if ('intersection' in part) open.push(...part.intersection.child.toReversed())
    else if ('difference' in part) open.push(part.difference.subtract, part.difference.base)
  }
}

/** `type#relation` of every relation that another one of its type looks through. */
function tuplesetsOf(types: DefinedTypes): ReadonlySet<string> {
  const tuplesets = new Set<string>()
  for (const [type, relations] of types) {
    for (const { rewrite } of relations.values()) {
      for (const part of partsOf(rewrite)) {
        if ('tupleToUserset' in part) tuplesets.add(`${type}#${part.tupleToUserset.tupleset.relation}`)
      }
    }
  }
  return tuplesets
}

function refuseRewrite(types: DefinedTypes, type: string, name: string, rewrite: Userset): void {
  const relations = types.get(type)
  for (const part of partsOf(rewrite)) {
    if ('computedUserset' in part) {
      const { relation } = part.computedUserset
      if (relation === name) throw invalidRelation(type, name, 'invalid userset rewrite definition')
      if (relations?.has(relation) !== true) throw undefinedRelation(type, relation)
    } else if ('tupleToUserset' in part) {
      refuseFrom(types, type, part.tupleToUserset)
    } else if (!isOperation(part)) {
      throw invalidRelation(type, name, 'invalid userset rewrite definition')
    }
  }
}

function isOperation(rewrite: Userset): boolean {
  return 'this' in rewrite || 'union' in rewrite || 'intersection' in rewrite || 'difference' in rewrite
}

function refuseFrom(
  types: DefinedTypes,
  type: string,
  rewrite: { readonly tupleset: ObjectRelation; readonly computedUserset: ObjectRelation },
): void {
  const tupleset = rewrite.tupleset.relation
  const relation = types.get(type)?.get(tupleset)
  if (relation === undefined) throw undefinedRelation(type, tupleset)
  if (!('this' in relation.rewrite)) {
    throw invalid(
      `the '${type}#${tupleset}' relation is referenced in at least one tupleset and thus must be a direct relation`,
    )
  }
  const computed = rewrite.computedUserset.relation
  if (relation.restrictions.some((parent) => types.get(parent.type)?.has(computed) === true)) return
  const parents = relation.restrictions.map(protobufText).join(' ')
  throw invalid(
    `undefined relation: ${computed} does not appear as a relation in any of the directly related user types [${parents}]`,
  )
}

interface Restricted {
  readonly type: string
  readonly name: string
  readonly isTupleset: boolean
}

function refuseRestrictions(
  model: AuthorizationModel,
  types: DefinedTypes,
  { type, name, isTupleset }: Restricted,
): void {
  const { rewrite, restrictions } = definitionOf(types, type, name)
  const isAssignable = partsOf(rewrite).some((part) => 'this' in part)
  if (isAssignable && restrictions.length === 0) {
    throw invalid(
      `the assignable relation '${name}' in object type '${type}' must contain at least one relation type`,
    )
  }
  if (!isAssignable && restrictions.length > 0) {
    throw invalid(
      `the non-assignable relation '${name}' in object type '${type}' should not contain a relation type`,
    )
  }
  for (const { type: user, relation, wildcard, condition = '' } of restrictions) {
    const isObject = relation === undefined && wildcard === undefined
    const written = relation === undefined || relation === '' ? user : `${user}#${relation}`
    const isKnown =
      types.has(user) && (isObject || !isTupleset) && (!relation || types.get(user)?.has(relation))
    if (isKnown !== true) {
      throw invalid(`the relation type '${written}' on '${name}' in object type '${type}' is not valid`)
    }
    if (relation === '') {
      throw invalid(
        `the relation type '${user}' on '${name}' in object type '${type}' has an empty relation reference: empty relation reference`,
      )
    }
    if (condition !== '' && !Object.hasOwn(model.conditions ?? {}, condition)) {
      throw invalid(`condition ${condition} is undefined for relation ${name}`)
    }
  }
}

function refuseUnreachable(search: EntryPointSearch, type: string, name: string): void {
  let found: EntryPoints
  try {
    found = search.find(type, name)
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause), cause)
  }
  if (found === 'none') throw invalidRelation(type, name, 'no entrypoints defined')
  if (found === 'loop') throw invalidRelation(type, name, 'potential loop')
}

/**
 * Follows computed relations as they are written: of one that is not there and one that is on the way already, it tells what
 * comes first. `clear` are those of the type that were followed without either.
 */
function refuseCycle(types: DefinedTypes, type: string, start: string, clear: Set<string>): void {
  const following = new Map<string, Iterator<string>>()
  const way = [start]
  for (let name = way.at(-1); name !== undefined; name = way.at(-1)) {
    const rest = following.get(name) ?? computedOf(definitionOf(types, type, name).rewrite)
    following.set(name, rest)
    const { done, value } = rest.next()
    if (done === true) {
      clear.add(name)
      following.delete(name)
      way.pop()
    } else if (following.has(value)) {
      throw invalidRelation(type, start, 'an authorization model cannot contain a cycle')
    } else if (!clear.has(value)) way.push(value)
  }
}

function* computedOf(rewrite: Userset): Generator<string, void, undefined> {
  for (const part of partsOf(rewrite)) if ('computedUserset' in part) yield part.computedUserset.relation
}

function definitionOf(types: DefinedTypes, type: string, name: string): DefinedRelation {
  const definition = types.get(type)?.get(name)
  if (definition === undefined) throw undefinedRelation(type, name)
  return definition
}

/** A restriction as protobuf prints it in Go. */
function protobufText(restriction: {
  readonly type: string
  readonly relation?: string
  readonly wildcard?: object
  readonly condition?: string
}): string {
  const { type, relation, wildcard, condition } = restriction
  const fields = [`type:${JSON.stringify(type)}`]
  if (relation !== undefined) fields.push(`relation:${JSON.stringify(relation)}`)
  if (wildcard !== undefined) fields.push('wildcard:{}')
  if (condition) fields.push(`condition:${JSON.stringify(condition)}`)
  return fields.join('  ')
}

function sorted<Value>(entries: Iterable<readonly [string, Value]>): readonly (readonly [string, Value])[] {
  return [...entries].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function undefinedRelation(type: string, relation: string): ZanzibarError {
  return invalid(`'${type}#${relation}' relation is undefined`)
}

function invalidRelation(type: string, relation: string, why: string): ZanzibarError {
  return invalid(`the definition of relation '${relation}' in object type '${type}' is invalid: ${why}`)
}

function invalid(message: string, cause?: unknown): ZanzibarError {
  return new ZanzibarError('invalid_authorization_model', message, { cause })
}
