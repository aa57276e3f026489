import type { Position } from '../errors.ts'
import { checkText } from '../given-kinds.ts'
import {
  type ConditionDefinition,
  type ParameterType,
  type ParameterTypeName,
  parameterTypeNames,
  type RelationMetadata,
  type RelationReference,
  type TypeDefinition,
  type Userset,
} from '../model/authorization-model.ts'
import { type Report, readSyntax } from './syntax.ts'
import { isNode, nodeOf, nodesOf, type SyntaxNode, textOf, tokenOf } from './syntax-tree.ts'

/** What a file in the DSL says: a model, or a module of one. */
export interface Document {
  /** Of a model. */
  readonly schemaVersion: string | undefined
  /** The name of a module. */
  readonly module: string | undefined
  /** All types, extensions among them. */
  readonly types: readonly TypeDefinition[]
  /** Those that extend a type of another module; a type of the same file that is extended there is taken for one too. */
  readonly extensions: readonly TypeDefinition[]
  readonly conditions: ReadonlyMap<string, ConditionDefinition>
  /** What it was read from. */
  readonly tree: SyntaxNode
  /** All that is wrong, in the order in which OpenFGA's parser reports it. */
  readonly positions: readonly Position[]
}

/** Reads a text in the DSL, schema 1.1 or a module of 1.2. */
export function readDocument(text: string): Document {
  checkText('text', text)
  const { tree, positions, report } = readSyntax(text)
  const model = nodeOf(tree, 'modelHeader')
  const module = nodeOf(nodeOf(tree, 'moduleHeader') ?? tree, 'plainIdentifier')
  const moduleName = module === undefined ? undefined : textOf(module)
  const extended = new Set<string>()
  const types = childrenOf(tree, 'types', 'type').flatMap((node) => {
    const type = readType(node, moduleName, report)
    if (type === undefined) return []
    if (tokenOf(node, "'extend'") !== undefined && moduleName !== undefined) {
      if (extended.has(type.type)) report(`'${type.type}' is already extended in file.`, nameOf(node).start)
      extended.add(type.type)
    }
    return [type]
  })
  const conditions = new Map<string, ConditionDefinition>()
  for (const node of childrenOf(tree, 'conditions', 'condition')) {
    const condition = readCondition(node, moduleName, conditions, report)
    if (condition !== undefined) conditions.set(condition.name, condition)
  }
  return {
    schemaVersion: model === undefined ? undefined : tokenOf(model, 'SCHEMA_VERSION')?.text,
    module: moduleName,
    types,
    extensions: types.filter(({ type }) => extended.has(type)),
    conditions,
    tree,
    positions,
  }
}

function childrenOf(
  tree: SyntaxNode,
  list: 'types' | 'conditions',
  item: 'type' | 'condition',
): readonly SyntaxNode[] {
  const node = nodeOf(tree, list)
  return node === undefined ? [] : nodesOf(node, item)
}

const nameOf = (type: SyntaxNode): SyntaxNode => nodeOf(type, 'identifier') ?? type

function readType(node: SyntaxNode, module: string | undefined, report: Report): TypeDefinition | undefined {
  const name = nodeOf(node, 'identifier')
  if (name === undefined) return undefined
  const type = textOf(name)
  const extending = tokenOf(node, "'extend'") !== undefined
  if (extending && module === undefined) report('extend can only be used in a modular model', name.start)
  const relations = new Map<string, Userset>()
  const metadata = new Map<string, RelationMetadata>()
  for (const relation of nodesOf(node, 'relation')) {
    const named = nodeOf(relation, 'relationName')
    const definition = nodeOf(relation, 'definition')
    if (named === undefined || definition === undefined) continue
    const { rewrite, restrictions } = readDefinition(definition)
    if (rewrite === undefined) continue
    const key = textOf(named)
    if (relations.has(key)) report(`'${key}' is already defined in '${type}'`, named.start)
    relations.set(key, rewrite)
    const from = extending && module !== undefined ? { module } : {}
    metadata.set(key, { directly_related_user_types: restrictions, ...from })
  }
  const ofRelations = metadata.size > 0 ? { relations: Object.fromEntries(metadata) } : {}
  const ofModule = module === undefined ? {} : { module }
  const all = { ...ofRelations, ...ofModule }
  return {
    type,
    relations: Object.fromEntries(relations),
    metadata: Object.keys(all).length > 0 ? all : null,
  }
}

interface Definition {
  readonly rewrite: Userset | undefined
  readonly restrictions: readonly RelationReference[]
}

interface Step {
  readonly node: SyntaxNode
  /** Of a definition whose operands have been read: where they begin. */
  readonly operandsFrom: number | undefined
}

/** Without recursion: parentheses may be nested deeply. */
function readDefinition(root: SyntaxNode): Definition {
  const restrictions: RelationReference[] = []
  const done: Userset[] = []
  const open: Step[] = [{ node: root, operandsFrom: undefined }]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { node, operandsFrom } = at
    if (operandsFrom !== undefined) {
      const operands = done.splice(operandsFrom)
      const rewrite = combine(operands, nodeOf(node, 'operators'))
      if (rewrite !== undefined) done.push(rewrite)
    } else if (node.rule === 'direct') {
      for (const restriction of nodesOf(node, 'restriction'))
        restrictions.push(...readRestriction(restriction))
      done.push({ this: {} })
    } else if (node.rule === 'rewrite') done.push(readRewrite(node))
    else {
      if (node.rule === 'definition' || node.rule === 'definitionWithoutDirect') {
        open.push({ node, operandsFrom: done.length })
      }
      const children = node.children.filter(isNode).toReversed()
      for (const child of children) open.push({ node: child, operandsFrom: undefined })
    }
  }
  return { rewrite: done[0], restrictions }
}

function combine(operands: readonly Userset[], operators: SyntaxNode | undefined): Userset | undefined {
  const [base, subtract] = operands
  if (operands.length < 2 || operators === undefined) return base
  if (tokenOf(operators, "'or'") !== undefined) return { union: { child: operands } }
  if (tokenOf(operators, "'and'") !== undefined) return { intersection: { child: operands } }
  return base && subtract && { difference: { base, subtract } }
}

function readRewrite(node: SyntaxNode): Userset {
  const [relation, tupleset] = nodesOf(node, 'identifier').map(textOf)
  const computedUserset = { relation: relation ?? '' }
  return tupleset === undefined
    ? { computedUserset }
    : { tupleToUserset: { tupleset: { relation: tupleset }, computedUserset } }
}

function readRestriction(node: SyntaxNode): readonly RelationReference[] {
  const base = nodeOf(node, 'restrictionBase')
  if (base === undefined) return []
  const [type, relation] = nodesOf(base, 'identifier').map(textOf)
  const condition = nodeOf(node, 'conditionName')
  return [
    {
      type: type ?? '',
      ...(relation === undefined ? {} : { relation }),
      ...(tokenOf(base, "'*'") === undefined ? {} : { wildcard: {} }),
      ...(condition === undefined ? {} : { condition: textOf(condition) }),
    },
  ]
}

function readCondition(
  node: SyntaxNode,
  module: string | undefined,
  known: ReadonlyMap<string, ConditionDefinition>,
  report: Report,
): ConditionDefinition | undefined {
  const nameNode = nodeOf(node, 'conditionName')
  if (nameNode === undefined) return undefined
  const name = textOf(nameNode)
  if (known.has(name)) report(`condition '${name}' is already defined in the model`, nameNode.start)
  const parameters = new Map<string, ParameterType>()
  for (const parameter of nodesOf(node, 'parameter')) {
    const key = nodeOf(parameter, 'parameterName')
    const type = nodeOf(parameter, 'parameterType')
    if (key === undefined || type === undefined) continue
    const text = textOf(key)
    if (parameters.has(text)) {
      report(`parameter '${text}' is already defined in the condition '${name}'`, key.start)
    }
    parameters.set(text, readParameterType(type))
  }
  const expression = nodeOf(node, 'expression')
  return {
    name,
    expression: expression === undefined ? '' : textOf(expression).trim(),
    parameters: Object.fromEntries(parameters),
    ...(module === undefined ? {} : { metadata: { module } }),
  }
}

function readParameterType(node: SyntaxNode): ParameterType {
  const container = tokenOf(node, 'CONDITION_PARAM_CONTAINER')
  const type = tokenOf(node, 'CONDITION_PARAM_TYPE')
  const item = type === undefined ? undefined : typeName(type.text)
  if (container === undefined) return { type_name: item ?? 'TYPE_NAME_ANY' }
  return {
    type_name: typeName(container.text),
    ...(item === undefined ? {} : { generic_types: [{ type_name: item }] }),
  }
}

// `any` is there in JSON only.
const typeNames = parameterTypeNames.filter((name) => name !== 'TYPE_NAME_ANY')

function typeName(word: string): ParameterTypeName {
  return typeNames.find((name) => name === `TYPE_NAME_${word.toUpperCase()}`) ?? 'TYPE_NAME_ANY'
}
