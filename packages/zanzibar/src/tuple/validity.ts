import { quote } from '../condition/quote.ts'
import { ZanzibarError } from '../errors.ts'
import type { RelationReference } from '../model/authorization-model.ts'
import {
  countedOver,
  hasForbiddenCharacters,
  isTypedWildcard,
  isValidObject,
  isValidRelation,
  isValidUser,
  isValidUserset,
  splitUser,
  typeOf,
} from './object.ts'
import type { Context, Json, Tuple, TupleKey } from './tuple.ts'

const encoder = new TextEncoder()

const malformedUser = "the 'user' field is malformed"

/** What a model says about tuples. A type system is one. */
export interface TupleRules {
  hasType(type: string): boolean
  /** The type restrictions of a relation; undefined where there is no such relation. */
  restrictionsOf(type: string, relation: string): readonly RelationReference[] | undefined
  /** Whether the relation is the `parent` of a `viewer from parent` of its type. */
  isTupleset(type: string, relation: string): boolean
  hasCondition(name: string): boolean
  /** Why a tuple's context does not suit the condition: a key that it does not declare, a value that cannot be cast. */
  contextProblem(condition: string, context: Context): string | undefined
}

/** Why a tuple does not count under a model. */
export interface TupleProblem {
  /** `condition` where the tuple would count but for its condition: contextual tuples of lists have another number then. */
  readonly kind: 'tuple' | 'condition'
  /** OpenFGA's words. */
  readonly reason: string
}

/** Why `tuple` cannot be written, or given as a contextual tuple. Contextual tuples may be `o#r@o#r`: see {@link implicitProblem}. */
export function writeProblem(rules: TupleRules, tuple: Tuple): TupleProblem | undefined {
  // That of a tuple is measured in bytes, and that of a question in characters.
  const reason = isLongerThan(tuple.user, 512)
    ? malformedUser
    : (userReason(rules, tuple.user) ?? objectReason(rules, tuple.object) ?? relationReason(rules, tuple))
  return reason === undefined ? readProblem(rules, tuple) : { kind: 'tuple', reason }
}

/**
 * Why a stored tuple does not count: tuples of older models stay where they are, and are left out of every answer
 * while the model at hand does not allow them. (`openfga/openfga:internal/validation/validation.go`)
 */
export function readProblem(rules: TupleRules, tuple: Tuple): TupleProblem | undefined {
  const type = typeOf(tuple.object)
  const restrictions = rules.restrictionsOf(type, tuple.relation)
  if (restrictions === undefined) {
    const reason = rules.hasType(type)
      ? `'${type}#${tuple.relation}' relation is undefined`
      : `'${type}' is an undefined object type`
    return { kind: 'tuple', reason }
  }
  const isTupleset = rules.isTupleset(type, tuple.relation)
  if (countsAsIs({ restrictions, isTupleset }, tuple)) return undefined
  const reason =
    (isTupleset ? tuplesetReason(tuple, type) : undefined) ?? restrictionReason(restrictions, tuple, type)
  if (reason !== undefined) return { kind: 'tuple', reason }
  const unfit = conditionReason(rules, restrictions, tuple)
  return unfit === undefined ? undefined : { kind: 'condition', reason: unfit }
}

/** Whether a tuple without a condition counts for sure; else {@link readProblem} says. */
export function countsAsIs(
  {
    restrictions,
    isTupleset,
  }: { readonly restrictions: readonly RelationReference[]; readonly isTupleset: boolean },
  { user, condition }: Tuple,
): boolean {
  if (condition !== undefined || isTupleset) return false
  for (const each of restrictions) if (!each.condition && admits(each, user)) return true
  return false
}

/** Why a tuple cannot be written although it would count: it holds without being written. */
export function implicitProblem(tuple: Tuple): TupleProblem | undefined {
  const { object, relation } = splitUser(tuple.user)
  return relation === tuple.relation && object === tuple.object
    ? { kind: 'tuple', reason: 'cannot write a tuple that is implicit' }
    : undefined
}

/** The error of a tuple to be written: always 2000. */
export function refusedTuple(tuple: Tuple, problem: TupleProblem): ZanzibarError {
  return new ZanzibarError('validation_error', messageOf(tuple, problem))
}

/** The error of a contextual tuple: 2027, and 2000 for a condition in anything but a check. */
export function refusedContextualTuple(
  tuple: Tuple,
  problem: TupleProblem,
  question: 'check' | 'list',
): ZanzibarError {
  const code = question === 'list' && problem.kind === 'condition' ? 'validation_error' : 'invalid_tuple'
  return new ZanzibarError(code, messageOf(tuple, problem))
}

function messageOf(tuple: Tuple, { kind, reason }: TupleProblem): string {
  const condition =
    kind === 'condition' && tuple.condition !== undefined ? ` (condition ${tuple.condition.name})` : ''
  return `Invalid tuple '${tuple.object}#${tuple.relation}@${tuple.user}${condition}'. Reason: ${reason}`
}

/** Why a tuple cannot be asked about: what it names must be well formed and defined, and may not be allowed by its restrictions. */
export function questionReason(rules: TupleRules, key: TupleKey): string | undefined {
  if (isPlainQuestion(rules, key)) return undefined
  return userReason(rules, key.user) ?? objectReason(rules, key.object) ?? relationReason(rules, key)
}

/** Whether nothing is wrong with a question about a user by name, seen at once; any other one is looked at in detail. */
function isPlainQuestion(rules: TupleRules, { user, relation, object }: TupleKey): boolean {
  return (
    isValidObject(user) &&
    !countedOver(user, 512) &&
    rules.hasType(typeOf(user)) &&
    isValidObject(object) &&
    !countedOver(object, 256) &&
    !isTypedWildcard(object) &&
    // What a model defines is well formed.
    rules.restrictionsOf(typeOf(object), relation) !== undefined
  )
}

/** Why a user is none, by its form or by its type. Also what a question is looked at with. */
export function userReason(rules: TupleRules, user: string): string | undefined {
  const isObject = isValidObject(user)
  if ((!isObject && !isValidUser(user)) || countedOver(user, 512)) return malformedUser
  const isUserset = !isObject && isValidUserset(user)
  if (!isUserset && !isObject) {
    return "the 'user' field must be an object (e.g. document:1) or an 'object#relation' or a typed wildcard (e.g. group:*)"
  }
  const type = typeOf(user)
  if (!rules.hasType(type)) return `type '${type}' not found`
  if (!isUserset) return undefined
  const { relation } = splitUser(user)
  return rules.restrictionsOf(type, relation) === undefined
    ? `relation '${type}#${relation}' not found`
    : undefined
}

/** Why an object is none, by its form or by its type. */
export function objectReason(rules: TupleRules, object: string): string | undefined {
  if (!isValidObject(object) || countedOver(object, 256)) return "invalid 'object' field format"
  if (isTypedWildcard(object)) return "the 'object' field cannot reference a typed wildcard"
  const type = typeOf(object)
  return rules.hasType(type) ? undefined : `type '${type}' not found`
}

/** Why a relation is none of its object's type. */
export function relationReason(
  rules: TupleRules,
  { object, relation }: Pick<Tuple, 'object' | 'relation'>,
): string | undefined {
  if (!isValidRelation(relation)) return "the 'relation' field is malformed"
  const type = typeOf(object)
  return rules.restrictionsOf(type, relation) === undefined
    ? `relation '${type}#${relation}' not found`
    : undefined
}

/** In bytes of UTF-8. */
function isLongerThan(text: string, bytes: number): boolean {
  return text.length > bytes || (text.length * 3 > bytes && encoder.encode(text).length > bytes)
}

/** What `viewer from parent` walks along are objects. */
function tuplesetReason({ user, relation }: Tuple, type: string): string | undefined {
  if (isTypedWildcard(user)) {
    return `unexpected wildcard relationship with tupleset relation '${type}#${relation}'`
  }
  return isValidObject(user)
    ? undefined
    : `unexpected user '${user}' with tupleset relation '${type}#${relation}'`
}

function restrictionReason(
  restrictions: readonly RelationReference[],
  { user, relation }: Tuple,
  type: string,
): string | undefined {
  if (restrictions.some((restriction) => admits(restriction, user))) return undefined
  const { relation: userRelation } = splitUser(user)
  const what = isTypedWildcard(user)
    ? `the typed wildcard '${user}'`
    : userRelation === ''
      ? `type '${typeOf(user)}'`
      : `'${typeOf(user)}#${userRelation}'`
  return `${what} is not an allowed type restriction for '${type}#${relation}'`
}

/** Whether a restriction allows the user's type and shape, whatever its condition. */
function admits(restriction: RelationReference, user: string): boolean {
  const { type, relation, wildcard } = restriction
  if (!user.startsWith(type) || user.charCodeAt(type.length) !== 0x3a) return false
  if (wildcard !== undefined) return isTypedWildcard(user)
  const hash = user.lastIndexOf('#')
  if (relation === undefined || relation === '') return hash === -1 && !isTypedWildcard(user)
  return hash !== -1 && user.length === hash + 1 + relation.length && user.endsWith(relation)
}

function conditionReason(
  rules: TupleRules,
  restrictions: readonly RelationReference[],
  { user, condition }: Tuple,
): string | undefined {
  const allowed = (name: string): boolean =>
    restrictions.some((restriction) => (restriction.condition ?? '') === name && admits(restriction, user))
  if (condition === undefined) return allowed('') ? undefined : 'condition is missing'
  const { name, context } = condition
  if (hasForbiddenCharacters(name)) return 'condition name contains forbidden characters'
  if (!rules.hasCondition(name)) return 'undefined condition'
  if (!allowed(name)) return 'invalid condition for type restriction'
  if (context === undefined) return undefined
  return forbiddenReason(context) ?? rules.contextProblem(name, context)
}

/** Control characters in keys and values, however deep. */
export function forbiddenReason(context: Context): string | undefined {
  const open: Json[] = [context]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === 'string') {
      if (hasForbiddenCharacters(value)) {
        return `context value ${quote(value)} contains forbidden characters`
      }
    } else if (isList(value)) {
      for (const item of value) open.push(item)
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        if (hasForbiddenCharacters(key)) {
          return `context key ${quote(key)} contains forbidden characters`
        }
        open.push(item)
      }
    }
  }
  return undefined
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
