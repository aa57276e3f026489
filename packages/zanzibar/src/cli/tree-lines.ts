import type { UsersetLeaf, UsersetTree } from '../graph/expand.ts'

/** A tree of usersets as indented lines. */
export function treeLines(tree: UsersetTree, indent = ''): string[] {
  const deeper = `${indent}  `
  if ('leaf' in tree) {
    const below = (tree.expanded ?? []).flatMap((each) => treeLines(each, deeper))
    return [`${indent}${leafText(tree.name, tree.leaf)}`, ...below]
  }
  if ('difference' in tree) {
    const { base, subtract } = tree.difference
    return [
      `${indent}${tree.name}: the first but not the second of`,
      ...treeLines(base, deeper),
      ...treeLines(subtract, deeper),
    ]
  }
  const [what, { nodes }] =
    'union' in tree ? (['any', tree.union] as const) : (['all', tree.intersection] as const)
  return [`${indent}${tree.name}: ${what} of`, ...nodes.flatMap((each) => treeLines(each, deeper))]
}

function leafText(name: string, leaf: UsersetLeaf): string {
  if ('users' in leaf) return `${name}: ${leaf.users.users.join(', ') || 'no tuples'}`
  if ('computed' in leaf) return `${name}: ${leaf.computed.userset}`
  const { tupleset, computed } = leaf.tupleToUserset
  return `${name}: ${computed.map(({ userset }) => userset).join(', ') || 'nothing'}, along ${tupleset}`
}
