import { type Mark, yamlError } from './errors.ts'
import { type MappingNode, type SequenceNode, type YamlNode, yamlTag } from './node.ts'
import { resolveTag } from './resolve-tag.ts'
import { Scanner } from './scanner.ts'
import type { TagReference, Token } from './token.ts'

// OmegaConf runs out of Python's stack a little sooner.
const depthMax = 200

const defaultHandles: ReadonlyMap<string, string> = new Map([
  ['!', '!'],
  ['!!', yamlTag],
])

/** What may stand before a node. */
interface Properties {
  readonly anchor: string | undefined
  readonly tag: string | undefined
  readonly mark: Mark | undefined
}

/**
 * Reads the one document of `text`; undefined where there is none.
 * @throws HydraConfigError `YAML_INVALID` with the class of PyYAML's error
 */
export function composeDocument(text: string): YamlNode | undefined {
  return new Composer(text).document()
}

class Composer {
  readonly #scanner: Scanner
  readonly #anchors = new Map<string, YamlNode>()
  #handles: ReadonlyMap<string, string> = defaultHandles
  #depth = 0

  constructor(text: string) {
    this.#scanner = new Scanner(text)
  }

  document(): YamlNode | undefined {
    const scanner = this.#scanner
    if (scanner.sees('stream end')) return undefined
    let node: YamlNode
    if (scanner.sees('directive', 'document start')) {
      this.#documentHead()
      node = scanner.sees('directive', 'document start', 'document end', 'stream end')
        ? emptyNode(scanner.peek().start)
        : this.#node(true)
    } else {
      node = this.#node(true)
    }
    while (scanner.sees('document end')) scanner.next()
    if (!scanner.sees('stream end')) {
      const { start } = scanner.peek()
      this.#documentHead()
      throw yamlError('ComposerError', 'a second document; a configuration is one document', start)
    }
    return node
  }

  #documentHead(): void {
    const scanner = this.#scanner
    const handles = new Map<string, string>()
    let versionSeen = false
    while (scanner.sees('directive')) {
      const token = scanner.next()
      if (token.type !== 'directive') continue
      const { directive } = token
      if (directive.name === 'YAML') {
        if (versionSeen) throw yamlError('ParserError', 'a second YAML directive', token.start)
        if (directive.major !== 1n) throw yamlError('ParserError', 'only YAML 1 can be read', token.start)
        versionSeen = true
      } else if (directive.name === 'TAG') {
        if (handles.has(directive.handle)) {
          throw yamlError('ParserError', `a second TAG directive for ${directive.handle}`, token.start)
        }
        handles.set(directive.handle, directive.prefix)
      }
    }
    if (!scanner.sees('document start')) throw this.#unexpected("'---'")
    this.#handles = new Map([...defaultHandles, ...handles])
    scanner.next()
  }

  /** Any node; block collections only where `block`, those without indentation where `indentless`. */
  #node(block: boolean, indentless: boolean = false): YamlNode {
    const scanner = this.#scanner
    const first = scanner.peek()
    if (first.type === 'alias') {
      scanner.next()
      const node = this.#anchors.get(first.name)
      if (node === undefined) throw yamlError('ComposerError', `no anchor &${first.name} before`, first.start)
      return node
    }
    if (this.#depth >= depthMax) {
      throw yamlError('RecursionError', `values are nested deeper than ${depthMax}`, first.start)
    }
    this.#depth++
    const properties = this.#properties()
    const node = this.#content(properties, block, indentless)
    this.#depth--
    return node
  }

  #properties(): Properties {
    const scanner = this.#scanner
    let anchor: string | undefined
    let reference: TagReference | undefined
    let mark: Mark | undefined
    for (let token = scanner.peek(); ; token = scanner.peek()) {
      if (token.type === 'anchor' && anchor === undefined) anchor = token.name
      else if (token.type === 'tag' && reference === undefined) reference = token.tag
      else break
      mark ??= token.start
      scanner.next()
    }
    return { anchor, tag: reference && this.#tag(reference, mark), mark }
  }

  #tag({ handle, suffix }: TagReference, mark: Mark | undefined): string {
    if (handle === undefined) return suffix
    const prefix = this.#handles.get(handle)
    if (prefix === undefined)
      throw yamlError('ParserError', `the tag handle ${handle} has no TAG directive`, mark)
    return prefix + suffix
  }

  #content(properties: Properties, block: boolean, indentless: boolean): YamlNode {
    const scanner = this.#scanner
    const token = scanner.peek()
    const { anchor, tag } = properties
    // Where the value itself is, behind its anchor and tag.
    const mark = token.start
    const implicit = tag === undefined || tag === '!'
    if (token.type === 'scalar') {
      scanner.next()
      const resolved = tag === '!' || (token.style === 'plain' && tag === undefined)
      const ownTag = resolved ? resolveTag(token.text) : (tag ?? `${yamlTag}str`)
      return this.#anchored(anchor, { kind: 'scalar', tag: ownTag, text: token.text, mark })
    }
    const collection = this.#collectionReader(token, block, indentless)
    if (collection === undefined) {
      if (properties.mark === undefined) throw this.#unexpected('a value')
      const empty = emptyNode(properties.mark)
      return this.#anchored(anchor, implicit ? empty : { ...empty, tag })
    }
    if (collection.kind === 'sequence') {
      const node: SequenceNode = { kind: 'sequence', tag: implicit ? `${yamlTag}seq` : tag, items: [], mark }
      this.#anchored(anchor, node)
      collection.read(node)
      return node
    }
    const node: MappingNode = { kind: 'mapping', tag: implicit ? `${yamlTag}map` : tag, pairs: [], mark }
    this.#anchored(anchor, node)
    collection.read(node)
    return node
  }

  #collectionReader(
    token: Token,
    block: boolean,
    indentless: boolean,
  ):
    | { kind: 'sequence'; read: (node: SequenceNode) => void }
    | { kind: 'mapping'; read: (node: MappingNode) => void }
    | undefined {
    if (token.type === 'flow sequence start')
      return { kind: 'sequence', read: (node) => this.#flowSequence(node) }
    if (token.type === 'flow mapping start')
      return { kind: 'mapping', read: (node) => this.#flowMapping(node) }
    if (indentless && token.type === 'block entry') {
      return { kind: 'sequence', read: (node) => this.#indentlessSequence(node) }
    }
    if (!block) return undefined
    if (token.type === 'block sequence start') {
      return { kind: 'sequence', read: (node) => this.#blockSequence(node) }
    }
    if (token.type === 'block mapping start')
      return { kind: 'mapping', read: (node) => this.#blockMapping(node) }
    return undefined
  }

  #anchored<Node extends YamlNode>(anchor: string | undefined, node: Node): Node {
    if (anchor === undefined) return node
    if (this.#anchors.has(anchor)) throw yamlError('ComposerError', `a second anchor &${anchor}`, node.mark)
    this.#anchors.set(anchor, node)
    return node
  }

  #blockSequence({ items }: SequenceNode): void {
    const scanner = this.#scanner
    scanner.next()
    while (scanner.sees('block entry')) {
      const { end } = scanner.next()
      items.push(scanner.sees('block entry', 'block end') ? emptyNode(end) : this.#node(true))
    }
    if (!scanner.sees('block end')) throw this.#unexpected('the end of a sequence')
    scanner.next()
  }

  #indentlessSequence({ items }: SequenceNode): void {
    const scanner = this.#scanner
    while (scanner.sees('block entry')) {
      const { end } = scanner.next()
      items.push(scanner.sees('block entry', 'key', 'value', 'block end') ? emptyNode(end) : this.#node(true))
    }
  }

  #blockMapping({ pairs }: MappingNode): void {
    const scanner = this.#scanner
    scanner.next()
    while (scanner.sees('key')) {
      const { end } = scanner.next()
      const key = scanner.sees('key', 'value', 'block end') ? emptyNode(end) : this.#node(true, true)
      pairs.push([key, this.#valueOf(['key', 'value', 'block end'], true)])
    }
    if (!scanner.sees('block end')) throw this.#unexpected('the end of a mapping')
    scanner.next()
  }

  #flowSequence({ items }: SequenceNode): void {
    const scanner = this.#scanner
    scanner.next()
    for (let first = true; !scanner.sees('flow sequence end'); first = false) {
      if (!first) this.#flowEntry("',' or ']'")
      const { type, start } = scanner.peek()
      if (type === 'key') {
        const { end } = scanner.next()
        const ends: Token['type'][] = ['value', 'flow entry', 'flow sequence end']
        const key = scanner.sees(...ends) ? emptyNode(end) : this.#node(false)
        const value = this.#valueOf(['flow entry', 'flow sequence end'], false)
        items.push({ kind: 'mapping', tag: `${yamlTag}map`, pairs: [[key, value]], mark: start })
      } else if (type !== 'flow sequence end') {
        items.push(this.#node(false))
      } else {
        break
      }
    }
    scanner.next()
  }

  #flowMapping({ pairs }: MappingNode): void {
    const scanner = this.#scanner
    scanner.next()
    for (let first = true; !scanner.sees('flow mapping end'); first = false) {
      if (!first) this.#flowEntry("',' or '}'")
      if (scanner.sees('key')) {
        const { end } = scanner.next()
        const ends: Token['type'][] = ['value', 'flow entry', 'flow mapping end']
        const key = scanner.sees(...ends) ? emptyNode(end) : this.#node(false)
        pairs.push([key, this.#valueOf(['flow entry', 'flow mapping end'], false)])
      } else if (scanner.sees('flow mapping end')) {
        break
      } else {
        pairs.push([this.#node(false), emptyNode(scanner.peek().start)])
      }
    }
    scanner.next()
  }

  #flowEntry(expected: string): void {
    if (!this.#scanner.sees('flow entry')) throw this.#unexpected(expected)
    this.#scanner.next()
  }

  #valueOf(ends: readonly Token['type'][], block: boolean): YamlNode {
    const scanner = this.#scanner
    if (!scanner.sees('value')) return emptyNode(scanner.peek().start)
    const { end } = scanner.next()
    return scanner.sees(...ends) ? emptyNode(end) : this.#node(block, block)
  }

  #unexpected(expected: string): Error {
    const { type, start } = this.#scanner.peek()
    return yamlError('ParserError', `${expected} is expected, not ${type}`, start)
  }
}

function emptyNode(mark: Mark): YamlNode & { kind: 'scalar' } {
  return { kind: 'scalar', tag: `${yamlTag}null`, text: '', mark }
}
