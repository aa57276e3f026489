import type { RuleName } from './grammar.ts'
import { type Kind, kindOf, type Token } from './tokens.ts'

/** What was read for one rule of the grammar. In a text with errors, parts may be missing or too many. */
export interface SyntaxNode {
  readonly rule: RuleName
  readonly start: Token
  readonly children: (SyntaxNode | Token)[]
}

export const isNode = (child: SyntaxNode | Token): child is SyntaxNode => 'rule' in child

export function nodesOf(node: SyntaxNode, rule: RuleName): readonly SyntaxNode[] {
  return node.children.filter((child): child is SyntaxNode => isNode(child) && child.rule === rule)
}

export function nodeOf(node: SyntaxNode, rule: RuleName): SyntaxNode | undefined {
  return nodesOf(node, rule)[0]
}

export function tokenOf(node: SyntaxNode, name: string): Token | undefined {
  const kind: Kind = kindOf(name)
  return node.children.find((child): child is Token => !isNode(child) && child.kind === kind)
}

/** The text of all its tokens. */
export function textOf(node: SyntaxNode): string {
  const texts: string[] = []
  const open: (SyntaxNode | Token)[] = [node]
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (isNode(at)) open.push(...at.children.toReversed())
    else texts.push(at.text)
  }
  return texts.join('')
}
