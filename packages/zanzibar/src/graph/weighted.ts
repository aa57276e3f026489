import { ZanzibarError } from '../errors.ts'
import type { Relation, Rewrite, TypeSystem } from '../model/type-system.ts'
import { type UserForms, userFormsOf } from './user-forms.ts'

const known = new WeakMap<TypeSystem, { readonly problem: string | undefined }>()

/**
 * Whether OpenFGA makes its weighted graph of a model: no relation leads back to itself through an intersection or an
 * exclusion, a `viewer from parent` finds its relation on all parents, the operands of an intersection have a type of user
 * in common. Of such models it lists objects operand by operand, of others it checks candidates
 * (`openfga/language:pkg/go/graph/weighted_graph.go`).
 */
export function isWeighted(types: TypeSystem): boolean {
  return weightedProblem(types) === undefined
}

/**
 * The same types, where their semantics take the model.
 *
 * @throws ZanzibarError `invalid_authorization_model` for a model that OpenFGA's v2 has no graph of
 */
export function checkedSemantics(types: TypeSystem): TypeSystem {
  const problem = types.semantics === 'openfga-v2' ? weightedProblem(types) : undefined
  if (problem === undefined) return types
  throw new ZanzibarError('invalid_authorization_model', `openfga-v2 does not take the model: ${problem}`)
}

/** Why it does not: OpenFGA's v2 refuses such models. */
function weightedProblem(types: TypeSystem): string | undefined {
  let found = known.get(types)
  if (found === undefined) {
    found = { problem: problemOf(types) }
    known.set(types, found)
  }
  return found.problem
}

function problemOf(types: TypeSystem): string | undefined {
  const { relations } = types
  const back = relations.find(({ recursion }) => !recursion.isMonotone)
  if (back !== undefined)
    return `'${nameOf(back)}' leads back to itself through an intersection or an exclusion`
  const forms = userFormsOf(types)
  for (const relation of relations) {
    const problem = partProblem(relation.rewrite, relation, forms)
    if (problem !== undefined) return problem
  }
  return undefined
}

function partProblem(rewrite: Rewrite, relation: Relation, forms: UserForms): string | undefined {
  if (rewrite.kind === 'from') {
    const parents = new Set(rewrite.tupleset.restrictions.map(({ type }) => type))
    const without = [...parents].find((type) => !rewrite.computed.has(type))
    return without === undefined
      ? undefined
      : `'${rewrite.name} from ${rewrite.tupleset.name}' of '${nameOf(relation)}' has a parent of type '${without}', which has no relation '${rewrite.name}'`
  }
  if (![...forms.of(rewrite, relation)].some(isType))
    return `no type of user can have all that is asked for in '${nameOf(relation)}'`
  if (rewrite.kind === 'exclusion' && isSameWay(rewrite.base, rewrite.subtract))
    return `'${nameOf(relation)}' takes away the very 'from' that it is made of`
  const parts = rewrite.kind === 'exclusion' ? [rewrite.base, rewrite.subtract] : childrenOf(rewrite)
  for (const part of parts) {
    const problem = partProblem(part, relation, forms)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** Of ways along the same tupleset OpenFGA has one edge, where one kind of parent is allowed; and an exclusion has two. */
function isSameWay(a: Rewrite, b: Rewrite): boolean {
  return (
    a.kind === 'from' &&
    b.kind === 'from' &&
    a.tupleset === b.tupleset &&
    a.name === b.name &&
    a.tupleset.restrictions.length === 1
  )
}

function childrenOf(rewrite: Rewrite): readonly Rewrite[] {
  return 'children' in rewrite ? rewrite.children : []
}

function isType(form: string): boolean {
  return !form.includes('#') && !form.endsWith(':*')
}

function nameOf({ type, name }: Relation): string {
  return `${type}#${name}`
}
