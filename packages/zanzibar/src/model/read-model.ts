import { ZanzibarError } from '../errors.ts'
import {
  type AuthorizationModel,
  type ConditionDefinition,
  type ObjectRelation,
  type ParameterType,
  parameterTypeNames,
  type RelationMetadata,
  type RelationReference,
  type SourceInfo,
  type TypeDefinition,
  type TypeMetadata,
  type Userset,
} from './authorization-model.ts'

/** Rewrites may be nested as deep in each other. */
const maxDepth = 1000

/**
 * Reads a model in JSON, parsed, as OpenFGA's API and tools take it: names in snake_case or lowerCamel, null for nothing, unknown names
 * ignored. Whether the model makes sense is what `validateModel` and `validateDsl` tell.
 *
 * @throws {@link ZanzibarError} `invalid_syntax`: the message names the path of what cannot be read
 */
export function readModel(value: unknown): AuthorizationModel {
  const model = objectOf(value, 'model')
  const conditions = mapOf(model, ['conditions'], 'conditions', readCondition)
  return {
    schema_version: textOf(model, ['schema_version', 'schemaVersion'], 'model') ?? '',
    type_definitions: listOf(model, ['type_definitions', 'typeDefinitions'], '', readType),
    ...(conditions !== undefined && { conditions }),
  }
}

type Fields = Readonly<Record<string, unknown>>

function readType(value: unknown, path: string): TypeDefinition {
  const fields = objectOf(value, path)
  const metadata = own(fields, ['metadata'])
  return {
    type: textOf(fields, ['type'], path) ?? '',
    relations:
      mapOf(fields, ['relations'], `${path}.relations`, (item, at) => readUserset(item, at, 0)) ?? {},
    metadata: metadata === undefined ? null : readTypeMetadata(metadata, `${path}.metadata`),
  }
}

function readTypeMetadata(value: unknown, path: string): TypeMetadata {
  const fields = objectOf(value, path)
  const relations = mapOf(fields, ['relations'], `${path}.relations`, readRelationMetadata)
  return { ...(relations !== undefined && { relations }), ...readSource(fields, path) }
}

function readRelationMetadata(value: unknown, path: string): RelationMetadata {
  const fields = objectOf(value, path)
  const names = ['directly_related_user_types', 'directlyRelatedUserTypes']
  return {
    directly_related_user_types: listOf(fields, names, path, readReference),
    ...readSource(fields, path),
  }
}

function readSource(fields: Fields, path: string): { module?: string; source_info?: SourceInfo } {
  const module = textOf(fields, ['module'], path)
  const source = own(fields, ['source_info', 'sourceInfo'])
  if (source === undefined) return module ? { module } : {}
  const at = `${path}.source_info`
  const file = textOf(objectOf(source, at), ['file'], at)
  return { ...(module && { module }), ...(file !== undefined && { source_info: { file } }) }
}

function readReference(value: unknown, path: string): RelationReference {
  const fields = objectOf(value, path)
  const relation = textOf(fields, ['relation'], path)
  const condition = textOf(fields, ['condition'], path)
  const wildcard = own(fields, ['wildcard'])
  if (wildcard !== undefined) objectOf(wildcard, `${path}.wildcard`)
  return {
    type: textOf(fields, ['type'], path) ?? '',
    ...(relation && { relation }),
    ...(wildcard !== undefined && { wildcard: {} }),
    ...(condition && { condition }),
  }
}

function readUserset(value: unknown, path: string, depth: number): Userset {
  if (depth > maxDepth) refuse(path, `is nested more than ${maxDepth} deep`)
  const fields = objectOf(value, path)
  const within = (names: readonly string[]): unknown => own(fields, names)
  const children = (operator: unknown, name: string): { child: readonly Userset[] } => ({
    child: listOf(objectOf(operator, `${path}.${name}`), ['child'], `${path}.${name}`, (item, at) =>
      readUserset(item, at, depth + 1),
    ),
  })
  const { union, intersection } = { union: within(['union']), intersection: within(['intersection']) }
  const computed = within(['computedUserset', 'computed_userset'])
  const fromTuples = within(['tupleToUserset', 'tuple_to_userset'])
  const difference = within(['difference'])
  const self = within(['this'])
  const given = [union, intersection, computed, fromTuples, difference, self].filter(
    (item) => item !== undefined,
  )
  if (given.length !== 1) {
    refuse(path, 'must have one of this, computedUserset, tupleToUserset, union, intersection, difference')
  }
  if (union !== undefined) return { union: children(union, 'union') }
  if (intersection !== undefined) return { intersection: children(intersection, 'intersection') }
  if (computed !== undefined)
    return { computedUserset: readObjectRelation(computed, `${path}.computedUserset`) }
  if (fromTuples !== undefined) {
    const at = `${path}.tupleToUserset`
    const both = objectOf(fromTuples, at)
    return {
      tupleToUserset: {
        tupleset: readObjectRelation(own(both, ['tupleset']), `${at}.tupleset`),
        computedUserset: readObjectRelation(
          own(both, ['computedUserset', 'computed_userset']),
          `${at}.computedUserset`,
        ),
      },
    }
  }
  if (difference !== undefined) {
    const at = `${path}.difference`
    const both = objectOf(difference, at)
    return {
      difference: {
        base: readUserset(own(both, ['base']), `${at}.base`, depth + 1),
        subtract: readUserset(own(both, ['subtract']), `${at}.subtract`, depth + 1),
      },
    }
  }
  objectOf(self, `${path}.this`)
  return { this: {} }
}

function readObjectRelation(value: unknown, path: string): ObjectRelation {
  const fields = objectOf(value, path)
  const object = textOf(fields, ['object'], path)
  return { ...(object && { object }), relation: textOf(fields, ['relation'], path) ?? '' }
}

function readCondition(value: unknown, path: string): ConditionDefinition {
  const fields = objectOf(value, path)
  const parameters = mapOf(fields, ['parameters'], `${path}.parameters`, (item, at) =>
    readParameter(item, at, 0),
  )
  const metadata = own(fields, ['metadata'])
  return {
    name: textOf(fields, ['name'], path) ?? '',
    expression: textOf(fields, ['expression'], path) ?? '',
    ...(parameters !== undefined && { parameters }),
    ...(metadata !== undefined && {
      metadata: readSource(objectOf(metadata, `${path}.metadata`), `${path}.metadata`),
    }),
  }
}

function readParameter(value: unknown, path: string, depth: number): ParameterType {
  if (depth > maxDepth) refuse(path, `is nested more than ${maxDepth} deep`)
  const fields = objectOf(value, path)
  const given = own(fields, ['type_name', 'typeName'])
  const name = parameterTypeNames.find((type, i) => type === given || i + 1 === given)
  if (name === undefined) refuse(`${path}.type_name`, `must be one of ${parameterTypeNames.join(', ')}`)
  const generics = own(fields, ['generic_types', 'genericTypes'])
  if (generics === undefined) return { type_name: name }
  const names = ['generic_types', 'genericTypes']
  return {
    type_name: name,
    generic_types: listOf(fields, names, path, (item, at) => readParameter(item, at, depth + 1)),
  }
}

/** The first of the names that is given; null is as good as nothing. */
function own(fields: Fields, names: readonly string[]): unknown {
  for (const name of names) {
    if (Object.hasOwn(fields, name) && fields[name] !== null) return fields[name]
  }
  return undefined
}

function objectOf(value: unknown, path: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(path, 'must be an object')
  return value as Fields
}

function textOf(fields: Fields, names: readonly string[], path: string): string | undefined {
  const value = own(fields, names)
  if (value !== undefined && typeof value !== 'string') refuse(`${path}.${names[0]}`, 'must be a string')
  return value
}

function listOf<T>(
  fields: Fields,
  names: readonly string[],
  path: string,
  read: (item: unknown, path: string) => T,
): readonly T[] {
  const value = own(fields, names) ?? []
  const at = path === '' ? `${names[0]}` : `${path}.${names[0]}`
  if (!Array.isArray(value)) refuse(at, 'must be a list')
  return value.map((item, i) => read(item, `${at}[${i}]`))
}

function mapOf<T>(
  fields: Fields,
  names: readonly string[],
  path: string,
  read: (item: unknown, path: string) => T,
): Readonly<Record<string, T>> | undefined {
  const value = own(fields, names)
  if (value === undefined) return undefined
  const entries = Object.entries(objectOf(value, path))
  return Object.fromEntries(entries.map(([key, item]) => [key, read(item, `${path}.${key}`)]))
}

function refuse(path: string, problem: string): never {
  throw new ZanzibarError('invalid_syntax', `the model cannot be read: ${path} ${problem}`)
}
