import { yamlError } from './errors.ts'
import { type MappingNode, type YamlNode, yamlTag } from './node.ts'

// Merge keys of aliases of merge keys … double with each step; a real file has nowhere near as many.
const pairsMax = 100_000

/**
 * Writes the merge keys (`<<`) of a mapping out, in place, before its own pairs; of a list of mappings the first wins.
 * The order is PyYAML's: a mapping that was merged elsewhere before it is read has its merge keys written out then.
 */
export function writeOutMergeKeys(node: MappingNode): void {
  const merged: MappingNode['pairs'] = []
  const own = node.pairs
  for (let index = 0; index < own.length; ) {
    const [key, value] = own[index] ?? raiseHole()
    if (key.tag === `${yamlTag}merge`) {
      own.splice(index, 1)
      for (const mapping of mappingsOf(node, value)) {
        writeOutMergeKeys(mapping)
        if (merged.length + mapping.pairs.length > pairsMax) {
          throw yamlError('RecursionError', `merge keys give more than ${pairsMax} pairs`, node.mark)
        }
        for (const pair of mapping.pairs) merged.push(pair)
      }
      continue
    }
    if (key.kind === 'scalar' && key.tag === `${yamlTag}value`) key.tag = `${yamlTag}str`
    index++
  }
  if (merged.length > 0) node.pairs = [...merged, ...own]
}

function mappingsOf(node: MappingNode, value: YamlNode): MappingNode[] {
  if (value.kind === 'mapping') return [value]
  if (value.kind === 'scalar') {
    throw yamlError('ConstructorError', '<< takes a mapping or a list of mappings, not a scalar', value.mark)
  }
  return value.items
    .map((item) => {
      if (item.kind === 'mapping') return item
      throw yamlError('ConstructorError', `<< takes mappings, not a ${item.kind}`, node.mark)
    })
    .toReversed()
}

function raiseHole(): never {
  throw new RangeError('a hole in a list of pairs')
}
