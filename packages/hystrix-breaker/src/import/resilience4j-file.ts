import { type Document, isNode, LineCounter, parseDocument } from 'yaml'
import { InvalidOptionError, ResilienceError, shown } from '../errors.ts'
import { checkText } from './properties.ts'
import { plain, propertyOf, readValue, type Section, type Value } from './resilience4j-section.ts'

/** A config or an instance, as it stands in the file. */
interface Entry {
  readonly where: string
  readonly line: number | undefined
  readonly values: ReadonlyMap<string, { readonly value: Value; readonly line: number | undefined }>
}

/** What stands in several places, under keys with dots, is one entry. */
function joined(entries: readonly (readonly [name: string, entry: Entry])[]): Map<string, Entry> {
  const all = new Map<string, Entry>()
  for (const [name, entry] of entries) {
    const before = all.get(name)?.values ?? []
    all.set(name, { ...entry, values: new Map([...before, ...entry.values]) })
  }
  return all
}

/** The entry, then its base, the base of that, and so on; the default config where none names one, as far as that goes. */
function inherited(own: Entry, configs: ReadonlyMap<string, Entry>, { defaultOf }: Section): Entry[] {
  const byDefault = configs.get('default')
  const chain = [own]
  let entry = own
  while (true) {
    const base = entry.values.get('baseConfig')
    const hasDefault = entry !== byDefault && (chain.length === 1 || defaultOf === 'all')
    const name = base?.value ?? (hasDefault ? 'default' : undefined)
    if (name === undefined) return chain
    const next = configs.get(String(name))
    if (next === undefined && base === undefined) return chain
    if (next === undefined)
      throw invalid(
        base?.line,
        `${entry.where}.baseConfig`,
        `names ${shown(name)}, which is not among configs`,
      )
    if (chain.includes(next))
      throw invalid(base?.line, `${entry.where}.baseConfig`, `comes back to ${shown(name)}`)
    chain.push(next)
    entry = next
  }
}

/** What a config or an instance is, with what it inherits. */
export class Merged {
  readonly values: Entry['values']
  readonly #chain: readonly Entry[]
  readonly #section: Section

  constructor(section: Section, chain: readonly Entry[]) {
    this.#section = section
    this.#chain = chain
    this.values = new Map(chain.toReversed().flatMap(({ values }) => [...values]))
  }

  /** Properties that have no meaning here. */
  get ignored(): string[] {
    return [...this.values.keys()].filter((key) => this.#section.withoutMeaning.has(key))
  }

  read(property: string): Value | undefined {
    return this.values.get(property)?.value
  }

  /** What stands beside `property` in the nearest entry that has it, or is inherited by that where it `inherits`. */
  beside(property: string, inherits: boolean): (name: string) => Value | undefined {
    const at = this.#chain.findIndex(({ values }) => values.has(property))
    const entries = at < 0 ? [] : this.#chain.slice(at, inherits ? undefined : at + 1)
    return (name) => entries.find(({ values }) => values.has(name))?.values.get(name)?.value
  }

  /** What `make` makes of it. @throws ResilienceError `INVALID_CONFIG` for an InvalidOptionError that begins with a property. */
  make<T>(make: () => T): T {
    try {
      return make()
    } catch (error) {
      if (!(error instanceof InvalidOptionError)) throw error
      const [culprit = ''] = error.message.split(' ')
      const [own] = this.#chain
      const line = this.values.get(culprit)?.line ?? own?.line
      throw new ResilienceError(
        'INVALID_CONFIG',
        `${lineText(line)}${own?.where ?? this.#section.name}: ${error.message}`,
        { cause: error },
      )
    }
  }
}

/** The configs and instances of a section. */
export class SectionEntries {
  /** Of the instances. */
  readonly names: readonly string[]
  readonly #section: Section
  readonly #configs: ReadonlyMap<string, Entry>
  readonly #instances: ReadonlyMap<string, Entry>

  constructor(file: YamlFile, section: Section) {
    const entriesOf = (part: string): Map<string, Entry> =>
      joined(
        file
          .below(file.root, ['resilience4j', section.name, part])
          .flatMap((each) => file.entries(each, section, `${section.name}.${part}`)),
      )
    this.#section = section
    this.#configs = entriesOf('configs')
    this.#instances = new Map([...entriesOf('backends'), ...entriesOf('instances')])
    this.names = [...this.#instances.keys()]
  }

  /** All configs, used or not. */
  configs(): Merged[] {
    return [...this.#configs.values()].map((each) => this.#merged(each))
  }

  /** An instance, or what the default config says of one that there is not. */
  instance(name: string): Merged {
    return this.#merged(
      this.#instances.get(name) ?? {
        where: `${this.#section.name} of ${name}`,
        line: undefined,
        values: new Map(),
      },
    )
  }

  #merged(own: Entry): Merged {
    return new Merged(this.#section, inherited(own, this.#configs, this.#section))
  }
}

/** A part of the document, and the keys that lead to it. */
interface Part {
  readonly value: unknown
  readonly path: readonly unknown[]
}

/** The document, with its lines. */
export class YamlFile {
  readonly root: Part
  readonly #document: Document.Parsed
  readonly #lines = new LineCounter()

  constructor(text: string) {
    checkText(text)
    try {
      this.#document = parseDocument(text, { lineCounter: this.#lines, merge: true, prettyErrors: false })
      const [error] = this.#document.errors
      if (error !== undefined) throw invalid(this.#lines.linePos(error.pos[0]).line, 'YAML', error.message)
      // Maps, so that no key is special; more aliases than that stand for a bomb.
      const value: unknown = this.#document.toJS({ mapAsMap: true, maxAliasCount: 100 })
      this.root = { value, path: [] }
    } catch (error) {
      if (error instanceof ResilienceError) throw error
      const message = error instanceof Error ? error.message : String(error)
      throw new ResilienceError('INVALID_CONFIG', `This YAML cannot be read: ${message}`, { cause: error })
    }
  }

  /** What stands below those names, of which some may be one key with dots between them. */
  below(part: Part, names: readonly string[]): Part[] {
    if (names.length === 0) return [part]
    const { value, path } = part
    // As Spring, which keeps a document without names under a name of its own.
    if (path.length === 0 && !(value instanceof Map)) return []
    const whole = `${names.join('.')}.`
    return [...this.#map(part, path.join('.'))].flatMap(([key, inner]) => {
      const inside = [...path, key]
      if (plain(key).startsWith(whole)) {
        const more = String(key).split('.').slice(names.length)
        const held = more.reduceRight<unknown>((each, name) => new Map([[name, each]]), inner)
        return [{ value: held, path: inside }]
      }
      return names.flatMap((_, at) =>
        plain(key) === names.slice(0, at + 1).join('.')
          ? this.below({ value: inner, path: inside }, names.slice(at + 1))
          : [],
      )
    })
  }

  /** The configs or instances of a part. */
  entries(part: Part, section: Section, what: string): (readonly [name: string, entry: Entry])[] {
    return this.#children(part, what).map(([name, own]) => {
      const where = `${what}.${name}`
      const properties = this.#children(own, where).map(([key, { value, path }]) => {
        const line = this.#lineOf(path)
        const property = propertyOf(section, key)
        if (property === undefined)
          throw invalid(line, `${where}.${key}`, `is no property of ${section.title} of resilience4j`)
        const read = readValue(section, property, value)
        if ('wanted' in read)
          throw invalid(line, `${where}.${property}`, `must be ${read.wanted}, not ${shown(value)}`)
        return [property, { value: read.value, line }] as const
      })
      return [name, { where, line: this.#lineOf(own.path), values: new Map(properties) }] as const
    })
  }

  #children(part: Part, what: string): [name: string, part: Part][] {
    return [...this.#map(part, what)].map(([key, value]) => [
      String(key),
      { value, path: [...part.path, key] },
    ])
  }

  #map({ value, path }: Part, what: string): ReadonlyMap<unknown, unknown> {
    if (value === null) return new Map()
    if (value instanceof Map) return value
    throw invalid(this.#lineOf(path), what, `must have names below it, not be ${shown(value)}`)
  }

  // Undefined for what was merged from elsewhere.
  #lineOf(path: readonly unknown[]): number | undefined {
    const node: unknown = this.#document.getIn(path, true)
    return isNode(node) && node.range ? this.#lines.linePos(node.range[0]).line : undefined
  }
}

function invalid(line: number | undefined, what: string, why: string): ResilienceError {
  return new ResilienceError('INVALID_CONFIG', `${lineText(line)}${what} ${why}`)
}

function lineText(line: number | undefined): string {
  return line === undefined ? '' : `line ${line}: `
}
