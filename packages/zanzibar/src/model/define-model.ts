import { checkList, checkRecord, checkText } from '../given-kinds.ts'
import type {
  ConditionDefinition,
  ParameterType,
  ParameterTypeName,
  RelationMetadata,
  RelationReference,
  TypeDefinition,
  Userset,
} from './authorization-model.ts'
import type { CheckedDefinitions, ConditionDefinitions, TypedModel } from './typed-model.ts'

/** Users who are given a relation by tuples: `user`, `user:*` or `group#member`, each also `… with condition`. */
export interface Direct<User extends string> {
  readonly direct: readonly User[]
}

/** Who has a relation to the object that `tupleset` leads to. */
export interface From<Relation extends string, Tupleset extends string> {
  readonly from: readonly [relation: Relation, tupleset: Tupleset]
}

/** Operands of which one, all, or the first without the second must hold. */
export interface Operation<Operands extends readonly Definition[]> {
  readonly operator: 'or' | 'and' | 'but not'
  readonly operands: Operands
}

/** What a relation is: the name of another one of the type, or one of {@link direct}, {@link from}, {@link or}, {@link and}, {@link butNot}. */
export type Definition = string | Direct<string> | From<string, string> | Operation<readonly Definition[]>

/** Types with their relations. */
export type Definitions = Readonly<Record<string, Readonly<Record<string, Definition>>>>

/** `[user, group#member]` of the DSL. */
export function direct<const User extends string>(...users: readonly User[]): Direct<User> {
  for (const [at, user] of users.entries()) checkText(`direct[${at}]`, user)
  return { direct: users }
}

/** `relation from tupleset` of the DSL. */
export function from<const Relation extends string, const Tupleset extends string>(
  relation: Relation,
  tupleset: Tupleset,
): From<Relation, Tupleset> {
  return { from: [relation, tupleset] }
}

/** `a or b` of the DSL. */
export function or<const Operands extends readonly [Definition, Definition, ...Definition[]]>(
  ...operands: Operands
): Operation<Operands> {
  return { operator: 'or', operands }
}

/** `a and b` of the DSL. */
export function and<const Operands extends readonly [Definition, Definition, ...Definition[]]>(
  ...operands: Operands
): Operation<Operands> {
  return { operator: 'and', operands }
}

/** `a but not b` of the DSL. */
export function butNot<const Base extends Definition, const Subtract extends Definition>(
  base: Base,
  subtract: Subtract,
): Operation<readonly [Base, Subtract]> {
  return { operator: 'but not', operands: [base, subtract] }
}

/**
 * A model out of TypeScript. What it mentions must be defined in it, else it does not compile; the model's types are those of the questions
 * that may be asked of it. What makes no sense all the same is found when the model is opened.
 *
 * @param conditions by name: `parameters` as the DSL writes their types (`list<string>`), `expression` in CEL
 */
export function defineModel<const D extends Definitions, const C extends ConditionDefinitions = never>(
  definitions: D & CheckedDefinitions<D, C>,
  conditions?: C,
): TypedModel<D, C> {
  checkRecord('definitions', definitions)
  const named = Object.entries<ConditionDefinitions[string]>(conditions ?? {})
  return {
    schema_version: '1.1',
    type_definitions: Object.entries<Definitions[string]>(definitions).map(([type, relations]) =>
      typeDefinition(type, relations),
    ),
    ...(named.length > 0 && {
      conditions: Object.fromEntries(named.map(([name, of]) => [name, conditionDefinition(name, of)])),
    }),
  }
}

function typeDefinition(type: string, relations: Definitions[string]): TypeDefinition {
  checkRecord(`definitions.${type}`, relations)
  const entries = Object.entries(relations)
  const metadata = entries.map(([name, definition]): [string, RelationMetadata] => [
    name,
    { directly_related_user_types: [...new Set(usersOf(definition))].map(reference) },
  ])
  return {
    type,
    relations: Object.fromEntries(entries.map(([name, definition]) => [name, userset(definition)])),
    metadata: metadata.length > 0 ? { relations: Object.fromEntries(metadata) } : null,
  }
}

function userset(definition: Definition): Userset {
  if (typeof definition === 'string') return { computedUserset: { relation: definition } }
  if ('direct' in definition) return { this: {} }
  if ('from' in definition) {
    const [relation, tupleset] = definition.from
    return { tupleToUserset: { tupleset: { relation: tupleset }, computedUserset: { relation } } }
  }
  const child = definition.operands.map(userset)
  if (definition.operator === 'or') return { union: { child } }
  if (definition.operator === 'and') return { intersection: { child } }
  const [base = { this: {} }, subtract = { this: {} }] = child
  return { difference: { base, subtract } }
}

function usersOf(definition: Definition): readonly string[] {
  if (typeof definition !== 'string') checkRecord('a relation', definition)
  if (typeof definition === 'string' || 'from' in definition) return []
  if ('direct' in definition) return definition.direct
  checkList('operands', definition.operands)
  return definition.operands.flatMap(usersOf)
}

function reference(text: string): RelationReference {
  const [user = '', condition] = text.split(' with ')
  const [type = '', relation] = user.split('#')
  return {
    type: type.replace(/:\*$/, ''),
    ...(relation !== undefined && { relation }),
    ...(type.endsWith(':*') && { wildcard: {} }),
    ...(condition !== undefined && { condition }),
  }
}

function conditionDefinition(
  name: string,
  { parameters, expression }: ConditionDefinitions[string],
): ConditionDefinition {
  const types = Object.entries(parameters).map(([key, type]) => [key, parameterType(type)])
  return { name, expression, parameters: Object.fromEntries(types) }
}

function parameterType(text: string): ParameterType {
  const [container = '', generic] = text.replace(/>$/, '').split('<')
  const name = `TYPE_NAME_${container.toUpperCase()}` as ParameterTypeName
  return { type_name: name, ...(generic !== undefined && { generic_types: [parameterType(generic)] }) }
}
