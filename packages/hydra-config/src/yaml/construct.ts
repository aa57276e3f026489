import {
  type ConfigFile,
  list,
  type MapKey,
  type Origin,
  type Scalar,
  sameKeys,
  scalar,
  type Value,
} from '../value/value.ts'
import { decodeBase64 } from './base64.ts'
import { yamlError } from './errors.ts'
import { writeOutMergeKeys } from './merge-keys.ts'
import { type MappingNode, type YamlNode, yamlTag } from './node.ts'
import { readFloat, readInteger } from './python-number.ts'

/** What a node stands for; a set or a date is a value of YAML that no configuration can hold. */
type Constructed = Value | Unsupported

interface Unsupported {
  readonly kind: 'unsupported'
  readonly origin: Origin | undefined
  readonly type: 'set' | 'date'
}

/** What a document stands for. */
export interface ConstructedDocument {
  readonly root: Constructed
  /** The values that stand for what no configuration can hold, which is refused when the whole document was read. */
  readonly unsupported: ReadonlyMap<Value, Unsupported['type']>
}

/**
 * Makes values of nodes, level by level as PyYAML does, so that of several faults the same one is found.
 * An aliased node becomes one value, so the result may have cycles.
 * @throws HydraConfigError `YAML_INVALID` with the class of PyYAML's error
 */
export function constructDocument(root: YamlNode, file: ConfigFile | undefined): ConstructedDocument {
  return new Constructor(file).document(root)
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ['yes', true],
  ['no', false],
  ['true', true],
  ['false', false],
  ['on', true],
  ['off', false],
])

class Constructor {
  readonly #file: ConfigFile | undefined
  readonly #made = new Map<YamlNode, Constructed>()
  readonly #unsupported = new Map<Value, Unsupported['type']>()
  #pending: (() => void)[] = []

  constructor(file: ConfigFile | undefined) {
    this.#file = file
  }

  document(root: YamlNode): ConstructedDocument {
    const value = this.#value(root)
    while (this.#pending.length > 0) {
      const level = this.#pending
      this.#pending = []
      for (const fill of level) fill()
    }
    return { root: value, unsupported: this.#unsupported }
  }

  #asValue(constructed: Constructed): Value {
    if (constructed.kind !== 'unsupported') return constructed
    const placeholder = scalar(null, constructed.origin)
    this.#unsupported.set(placeholder, constructed.type)
    return placeholder
  }

  #value(node: YamlNode): Constructed {
    const known = this.#made.get(node)
    if (known !== undefined) return known
    const value = this.#construct(node)
    this.#made.set(node, value)
    return value
  }

  #construct(node: YamlNode): Constructed {
    const origin = this.#origin(node)
    switch (node.tag) {
      case `${yamlTag}null`:
        scalarText(node)
        return scalar(null, origin)
      case `${yamlTag}bool`:
        return scalar(readBoolean(node), origin)
      case `${yamlTag}int`:
        return scalar(readInteger(scalarText(node), node.mark), origin)
      case `${yamlTag}float`:
        return scalar(readFloat(scalarText(node), node.mark), origin)
      case `${yamlTag}binary`:
        return scalar(readBinary(node), origin)
      case `${yamlTag}str`:
        return scalar(scalarText(node), origin)
      case `${yamlTag}timestamp`:
        checkTimestamp(node)
        return { kind: 'unsupported', type: 'date', origin }
      case `${yamlTag}seq`:
        return this.#sequence(node, origin)
      case `${yamlTag}map`:
        return this.#mapping(node, origin)
      case `${yamlTag}set`:
        this.#pending.push(() => void this.#pairs(node))
        return { kind: 'unsupported', type: 'set', origin }
      case `${yamlTag}omap`:
      case `${yamlTag}pairs`:
        return this.#pairsList(node, origin)
      default:
        throw yamlError(
          'ConstructorError',
          `the tag ${JSON.stringify(node.tag)} means nothing here`,
          node.mark,
        )
    }
  }

  #origin({ mark }: YamlNode): Origin | undefined {
    if (this.#file === undefined) return undefined
    return { kind: 'file', ...this.#file, line: mark.line + 1, column: mark.column + 1 }
  }

  #sequence(node: YamlNode, origin: Origin | undefined): Value {
    const items: Value[] = []
    this.#pending.push(() => {
      if (node.kind !== 'sequence') {
        throw yamlError('ConstructorError', `a sequence is expected, not a ${node.kind}`, node.mark)
      }
      for (const item of node.items) items.push(this.#asValue(this.#value(item)))
    })
    return list(items, origin)
  }

  #mapping(node: YamlNode, origin: Origin | undefined): Value {
    const entries = new Map<MapKey, Value>()
    this.#pending.push(() => {
      const same = sameKeys(entries)
      for (const [key, value] of this.#pairs(node)) entries.set(same(key) ?? key, this.#asValue(value))
    })
    return { kind: 'map', entries, origin }
  }

  #pairs(node: YamlNode): [MapKey, Constructed][] {
    if (node.kind !== 'mapping') {
      throw yamlError('ConstructorError', `a mapping is expected, not a ${node.kind}`, node.mark)
    }
    checkDuplicates(node)
    writeOutMergeKeys(node)
    return node.pairs.map(([keyNode, valueNode]) => {
      const key = this.#value(keyNode)
      if (key.kind !== 'scalar')
        throw yamlError('ConstructorError', `a ${key.kind} cannot be a key`, keyNode.mark)
      return [key.value, this.#value(valueNode)]
    })
  }

  /** `!!omap` and `!!pairs`: a list of pairs, each a list of two. */
  #pairsList(node: YamlNode, origin: Origin | undefined): Value {
    const items: Value[] = []
    this.#pending.push(() => {
      if (node.kind !== 'sequence') {
        throw yamlError('ConstructorError', `a sequence is expected, not a ${node.kind}`, node.mark)
      }
      for (const item of node.items) {
        const pair = item.kind === 'mapping' && item.pairs.length === 1 ? item.pairs[0] : undefined
        if (pair === undefined) {
          throw yamlError('ConstructorError', 'an item of an ordered map is a mapping of one key', item.mark)
        }
        items.push(
          list(
            pair.map((part) => this.#asValue(this.#value(part))),
            this.#origin(item),
          ),
        )
      }
    })
    return list(items, origin)
  }
}

/** The text of a scalar; of a mapping that of its key `=` (YAML 1.1's default value). */
function scalarText(node: YamlNode): string {
  let at = node
  while (at.kind === 'mapping') {
    const pair = at.pairs.find(([key]) => key.tag === `${yamlTag}value`)
    if (pair === undefined) break
    at = pair[1]
  }
  if (at.kind === 'scalar') return at.text
  throw yamlError('ConstructorError', `a scalar is expected, not a ${at.kind}`, at.mark)
}

function readBoolean(node: YamlNode): boolean {
  const value = booleans.get(scalarText(node).toLowerCase())
  if (value === undefined) throw yamlError('KeyError', 'a !!bool is no bool', node.mark)
  return value
}

function readBinary(node: YamlNode): Scalar {
  const text = scalarText(node)
  const bytes = /^[\0-\x7F]*$/.test(text) ? decodeBase64(text) : undefined
  if (bytes === undefined) throw yamlError('ConstructorError', 'a !!binary is not base64', node.mark)
  return bytes
}

function checkTimestamp(node: YamlNode): void {
  const text = scalarText(node)
  if (!/^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}|$)/.test(text)) {
    throw yamlError('AttributeError', 'a !!timestamp is no timestamp', node.mark)
  }
}

function checkDuplicates(node: MappingNode): void {
  const keys = new Set<string>()
  for (const [key] of node.pairs) {
    const text = key.tag === `${yamlTag}str` && key.kind === 'scalar' ? key.text : undefined
    if (text === undefined) continue
    if (keys.has(text)) throw yamlError('ConstructorError', `a second key ${JSON.stringify(text)}`, key.mark)
    keys.add(text)
  }
}
