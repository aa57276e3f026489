import { ZanzibarError } from '../errors.ts'
import { checkModel } from '../given-kinds.ts'
import type {
  AuthorizationModel,
  ConditionDefinition,
  ParameterType,
  RelationMetadata,
  RelationReference,
  SourceInfo,
  TypeDefinition,
  Userset,
} from './authorization-model.ts'

/**
 * A model in OpenFGA's DSL, as `openfga/language`'s transformer prints it. Types and relations of modules come sorted by module, file and
 * name; with `sourceInfo` each says in a comment where it is from.
 *
 * @throws {@link ZanzibarError} `invalid_authorization_model` for what the DSL cannot say: direct users elsewhere than first in a relation,
 *   a condition whose name is not its key
 */
export function printModel(model: AuthorizationModel, options?: { readonly sourceInfo?: boolean }): string {
  checkModel('model', model)
  const sourceInfo = options?.sourceInfo === true
  const isModular = model.type_definitions.some(({ metadata }) => metadata?.module)
  const types = isModular
    ? model.type_definitions.toSorted((a, b) => byModule(a.type, a.metadata, b.type, b.metadata))
    : model.type_definitions
  const conditions = Object.entries(model.conditions ?? {}).toSorted(([a, of], [b, and]) =>
    isModular ? byModule(a, of.metadata, b, and.metadata) : compare(a, b),
  )
  return [
    `model\n  schema ${model.schema_version || '1.1'}\n`,
    ...types.map((type) => printType(type, isModular, sourceInfo)),
    ...conditions.map(([name, condition]) => printCondition(name, condition, sourceInfo)),
  ].join('')
}

interface Source {
  readonly module?: string
  readonly source_info?: SourceInfo
}

const compare = (a: string, b: string): number => a.localeCompare(b, 'en')

function byModule(
  a: string,
  of: Source | null | undefined,
  b: string,
  and: Source | null | undefined,
): number {
  if (of?.module === and?.module) {
    return compare(of?.source_info?.file ?? '', and?.source_info?.file ?? '') || compare(a, b)
  }
  if (!of?.module) return -1
  if (!and?.module) return 1
  return compare(of.module, and.module)
}

function comment(from: Source | null | undefined, lead: string, sourceInfo: boolean): string {
  return sourceInfo && from?.module ? ` #${lead} module: ${from.module}, file: ${from.source_info?.file}` : ''
}

function printType(
  { type, relations, metadata }: TypeDefinition,
  isModular: boolean,
  sourceInfo: boolean,
): string {
  const of = (name: string): RelationMetadata | undefined =>
    Object.hasOwn(metadata?.relations ?? {}, name) ? metadata?.relations?.[name] : undefined
  const entries = Object.entries(relations ?? {})
  const sorted = isModular ? entries.toSorted(([a], [b]) => byModule(a, of(a), b, of(b))) : entries
  const lines = sorted.map(([name, rewrite]) => {
    const restrictions = of(name)?.directly_related_user_types ?? []
    const definition = printRewrite(rewrite, restrictions)
    if (definition === undefined) refuseNesting(type, name)
    return `\n    define ${name}: ${definition}${comment(of(name), ' extended by:', sourceInfo)}`
  })
  const head = `\ntype ${type}${comment(metadata, '', sourceInfo)}`
  return `${head}${lines.length > 0 ? `\n  relations${lines.join('')}` : ''}\n`
}

function refuseNesting(type: string, relation: string): never {
  throw new ZanzibarError(
    'invalid_authorization_model',
    `the '${relation}' relation definition under the '${type}' type is not supported by the OpenFGA DSL syntax yet`,
  )
}

/** As the DSL writes it; undefined where direct users stand elsewhere than first. Without recursion: a rewrite may be deep. */
export function printRewrite(
  rewrite: Userset,
  restrictions: readonly RelationReference[],
): string | undefined {
  const output: string[] = []
  let isFirst = true
  const open: (string | Userset)[] = printOperands(rewrite).toReversed()
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (typeof at === 'string') {
      output.push(at)
      continue
    }
    if ('this' in at) {
      if (!isFirst) return undefined
      output.push(`[${restrictions.map(printReference).join(', ')}]`)
    } else if ('computedUserset' in at) output.push(at.computedUserset.relation)
    else if ('tupleToUserset' in at) {
      const { computedUserset, tupleset } = at.tupleToUserset
      output.push(`${computedUserset.relation} from ${tupleset.relation}`)
    } else {
      open.push(')', ...printOperands(at).toReversed(), '(')
      continue
    }
    isFirst = false
  }
  return output.join('')
}

/** A rewrite as its operands, with the operator between; direct users first. */
function printOperands(rewrite: Userset): readonly (string | Userset)[] {
  if ('union' in rewrite) return separate(rewrite.union.child, ' or ')
  if ('intersection' in rewrite) return separate(rewrite.intersection.child, ' and ')
  if ('difference' in rewrite) return [rewrite.difference.base, ' but not ', rewrite.difference.subtract]
  return [rewrite]
}

function separate(children: readonly Userset[], operator: string): readonly (string | Userset)[] {
  const direct = children.findIndex((child) => 'this' in child)
  const [first] = direct < 0 ? [] : children.slice(direct, direct + 1)
  const sorted = first === undefined ? children : [first, ...children.toSpliced(direct, 1)]
  return sorted.flatMap((child, i) => (i === 0 ? [child] : [operator, child]))
}

/** A type restriction as the DSL writes it. */
export function printReference({ type, relation, wildcard, condition }: RelationReference): string {
  const user = `${type}${wildcard ? ':*' : ''}${relation ? `#${relation}` : ''}`
  return condition ? `${user} with ${condition}` : user
}

function printCondition(key: string, condition: ConditionDefinition, sourceInfo: boolean): string {
  const { name, expression, parameters, metadata } = condition
  if (name !== key) {
    throw new ZanzibarError(
      'invalid_authorization_model',
      `the '${key}' condition has a different nested condition name ('${name}')`,
    )
  }
  const list = Object.entries(parameters ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([parameter, type]) => `${parameter}: ${printParameterType(type)}`)
  return `\ncondition ${name}(${list.join(', ')}) {\n  ${expression}\n}${comment(metadata, '', sourceInfo)}\n`
}

/** A parameter's type as the DSL writes it. */
export function printParameterType({ type_name: name, generic_types: generics }: ParameterType): string {
  const word = name.replace('TYPE_NAME_', '').toLowerCase()
  return generics === undefined || generics.length === 0
    ? word
    : `${word}<${generics.map(printParameterType).join(', ')}>`
}
