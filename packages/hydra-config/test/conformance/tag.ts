import { type Element, isList, pythonFloat } from '@loadbearing/hydra-config'

/** A value of an override as the port writes it: integers, floats and mappings tagged, so that JSON loses nothing. */
export function tagElement(value: Element): unknown {
  if (isList(value)) return value.map(tagElement)
  if (typeof value === 'bigint') return { i: String(value) }
  if (typeof value === 'number') return { f: pythonFloat(value) }
  if (value === null || typeof value !== 'object') return value
  switch (value.kind) {
    case 'quoted':
      return value.text
    case 'dict':
      return { m: value.pairs.map(([key, item]) => [tagElement(key), tagElement(item)]) }
    case 'choice':
      return {
        choice: value.list.map(tagElement),
        simple: value.simple,
        shuffle: value.shuffle,
        tags: value.tags.toSorted(),
      }
    case 'range':
      return {
        range: [value.start, value.stop, value.step].map(tagElement),
        shuffle: value.shuffle,
        tags: value.tags.toSorted(),
      }
    case 'interval':
      return { interval: [value.start, value.end].map(tagElement), tags: value.tags.toSorted() }
    case 'glob':
    default:
      return { glob: [value.include.map(tagElement), value.exclude.map(tagElement)] }
  }
}
