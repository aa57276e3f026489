import type { Subject } from '../model/lint-model.ts'
import { nodeOf, nodesOf, type SyntaxNode, textOf, tokenOf } from './syntax-tree.ts'
import type { Token } from './tokens.ts'

/** The token at which what a problem is about begins in a text; undefined where it is not in it. */
export function findPlace(tree: SyntaxNode, subject: Subject, symbol: string): Token | undefined {
  if (subject.of === 'model') return undefined
  if (subject.of === 'schema') return tokenOf(nodeOf(tree, 'modelHeader') ?? tree, 'SCHEMA_VERSION')
  if (subject.of === 'condition') {
    const conditions = nodesOf(nodeOf(tree, 'conditions') ?? tree, 'condition')
    return findNamed(conditions, 'conditionName', subject.condition)?.name.start
  }
  // A type may be there more than once; where it is extended, that is what is at fault.
  const types = nodesOf(nodeOf(tree, 'types') ?? tree, 'type')
  const named = types
    .filter((type) => findNamed([type], 'identifier', subject.type) !== undefined)
    .toSorted((a, b) => Number(isExtension(b)) - Number(isExtension(a)))
  if (subject.of === 'type') return findNamed(named, 'identifier', subject.type)?.name.start
  const relations = named.flatMap((type) => nodesOf(type, 'relation'))
  if (subject.of === 'relation') return findNamed(relations, 'relationName', subject.relation)?.name.start
  for (const relation of relations) {
    if (findNamed([relation], 'relationName', subject.relation) === undefined) continue
    const found = partsOf(relation).find(({ part, text }) => part === subject.part && text === symbol)
    if (found !== undefined) return found.start
  }
  return undefined
}

function isExtension(type: SyntaxNode): boolean {
  return tokenOf(type, "'extend'") !== undefined
}

function findNamed(
  nodes: readonly SyntaxNode[],
  rule: 'identifier' | 'relationName' | 'conditionName',
  text: string,
): { readonly name: SyntaxNode } | undefined {
  for (const node of nodes) {
    const name = nodeOf(node, rule)
    if (name !== undefined && textOf(name) === text) return { name }
  }
  return undefined
}

interface Part {
  readonly part: (Subject & { of: 'part' })['part']
  /** With single blanks, as a {@link Problem}'s symbol. */
  readonly text: string
  readonly start: Token
}

/** The parts of a relation's definition, in their order. */
function partsOf(relation: SyntaxNode): readonly Part[] {
  const parts: Part[] = []
  const open: SyntaxNode[] = [relation]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at.rule === 'rewrite') {
      const identifiers = nodesOf(at, 'identifier')
      const [, tupleset] = identifiers
      parts.push({ part: 'rewrite', text: identifiers.map(textOf).join(' from '), start: at.start })
      if (tupleset !== undefined)
        parts.push({ part: 'tupleset', text: textOf(tupleset), start: tupleset.start })
    } else if (at.rule === 'restriction') {
      const base = nodeOf(at, 'restrictionBase')
      const condition = nodeOf(at, 'conditionName')
      if (base === undefined) continue
      const user = textOf(base)
      const whole = condition === undefined ? user : `${user} with ${textOf(condition)}`
      const type = nodeOf(base, 'identifier')
      parts.push({ part: 'restriction', text: whole, start: base.start })
      parts.push({ part: 'user', text: user, start: base.start })
      if (type !== undefined) parts.push({ part: 'type', text: textOf(type), start: type.start })
      if (condition !== undefined)
        parts.push({ part: 'condition', text: textOf(condition), start: condition.start })
    } else {
      for (const child of at.children.toReversed()) if ('rule' in child) open.push(child)
    }
  }
  return parts
}
