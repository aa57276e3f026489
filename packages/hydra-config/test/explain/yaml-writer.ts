import type { Draw } from './draw.ts'
import type { Place, Truth, TruthMap } from './truth.ts'

const scalars: readonly [string, unknown][] = [
  ['12', 12],
  ['-3', -3],
  ['1.5', 1.5],
  ['yes', true],
  ['~', null],
  ['word', 'word'],
  ['two words', 'two words'],
  ["'it''s'", "it's"],
  ['"tab\\t and \\u00e9"', 'tab\t and é'],
  ["''", ''],
  ['!!str 7', '7'],
  ['"😀: {x, y}"', '😀: {x, y}'],
  ['a:b#c', 'a:b#c'],
  ['???', '???'],
]

interface Container {
  /** Of the line that its key or dash is on. */
  readonly indent: number
  readonly depth: number
  readonly kind: 'list' | 'map'
  readonly inItem: boolean
  readonly anchored: boolean
}

/** Writes the YAML of one config and knows where each value stands. */
export class YamlWriter {
  readonly #draw: Draw
  readonly #config: string
  readonly #newline: string
  readonly #anchors: { readonly name: string; readonly truth: Truth }[] = []
  #anchorCount = 0
  /**
   * Of maps that name a key of the map they merge. PyYAML writes merged entries into a map before it looks for keys that are
   * there twice, so that such a map, merged into another one, is refused.
   */
  readonly #overMerging = new Set<ReadonlyMap<string, Truth>>()
  #text = ''
  #line = 1
  #column = 1

  constructor(draw: Draw, config: string) {
    this.#draw = draw
    this.#config = config
    this.#newline = draw.one(['\n', '\r\n'])
    if (draw.once(6)) this.#text = '\uFEFF'
  }

  toString(): string {
    return this.#text
  }

  /** A line of its own. */
  line(text: string): void {
    this.#put(text)
    this.#break()
  }

  /** The body of the config, at the margin; never empty. `first` is where its mapping begins, if that is behind. */
  body(first: Place | undefined): TruthMap {
    const place = first ?? this.here()
    return { kind: 'map', entries: this.#entries(0, 2), place }
  }

  here(): Place {
    return { kind: 'file', config: this.#config, line: this.#line, column: this.#column }
  }

  #entries(indent: number, depth: number): Map<string, Truth> {
    const entries = new Map<string, Truth>()
    const maps = this.#anchors.filter(
      ({ truth }) => truth.kind === 'map' && !this.#overMerging.has(truth.entries),
    )
    const base = maps.length > 0 && this.#draw.once(3) ? maps[this.#draw.below(maps.length)] : undefined
    // The first entry stands where the caller has moved to.
    let started = false
    const begin = (): void => {
      if (started) this.#put(' '.repeat(indent))
      started = true
    }
    if (base !== undefined && base.truth.kind === 'map') {
      begin()
      this.line(`<<: *${base.name}`)
      for (const [key, truth] of base.truth.entries) entries.set(key, truth)
    }
    const merged = new Set(entries.keys())
    for (const key of this.#draw.some(['x0', 'x1', 'é2', 'x.3', 'l0', 'l1'], 1)) {
      begin()
      this.#put(`${key}:`)
      entries.set(key, this.#value(indent, depth, key.startsWith('l') ? 'list' : 'map', false))
      this.#gap(indent)
      if (merged.has(key)) this.#overMerging.add(entries)
    }
    return entries
  }

  /** Behind `key:` or `-`; ends at the start of the next line. */
  #value(indent: number, depth: number, container: 'list' | 'map', inItem: boolean): Truth {
    const anchor = this.#draw.once(4) ? `a${this.#anchorCount++}` : undefined
    const known = this.#anchors.filter(({ truth }) => truth.kind === 'scalar' || truth.kind === container)
    if (known.length > 0 && this.#draw.once(5)) {
      const alias = known[this.#draw.below(known.length)]
      if (alias !== undefined) {
        this.line(` *${alias.name}`)
        return alias.truth
      }
    }
    if (anchor !== undefined) this.#put(` &${anchor}`)
    const anchored = anchor !== undefined
    const nested = depth > 0 && this.#draw.once(2)
    const truth = nested
      ? this.#container({ indent, depth, kind: container, inItem, anchored })
      : this.#scalar(indent, anchored)
    if (anchor !== undefined) this.#anchors.push({ name: anchor, truth })
    return truth
  }

  #scalar(indent: number, anchored: boolean): Truth {
    const style = this.#draw.below(6)
    const deeper = ' '.repeat(indent + 2)
    if (style === 0) {
      this.#put(' ')
      const place = this.here()
      const folded = this.#draw.once(2)
      this.line(folded ? '>-  # folded' : '|')
      this.line(`${deeper}one`)
      this.line(`${deeper}two`)
      return { kind: 'scalar', value: folded ? 'one two' : 'one\ntwo\n', place }
    }
    if (style === 1 && !anchored) {
      const place = this.here()
      this.#break()
      return { kind: 'scalar', value: null, place }
    }
    if (style === 2) {
      this.#put(' ')
      const place = this.here()
      this.line('"over')
      this.line(`${deeper}lines"`)
      return { kind: 'scalar', value: 'over lines', place }
    }
    const [text, value] = scalars[this.#draw.below(scalars.length)] ?? ['', '']
    const tag = /^!!\w+ /.exec(text)?.[0] ?? ''
    this.#put(` ${tag}`)
    const place = this.here()
    this.line(text.slice(tag.length))
    return { kind: 'scalar', value, place }
  }

  #container({ indent, depth, kind, inItem, anchored }: Container): Truth {
    if (this.#draw.once(2)) {
      this.#put(' ')
      const truth = this.#flow(depth, kind)
      this.#break()
      return truth
    }
    // `- x0: 1` begins its mapping on the line of the dash; a list in a list has to stand deeper.
    const compact = inItem && kind === 'map' && !anchored && this.#draw.once(2)
    const deeper = kind === 'list' && !inItem && this.#draw.once(2) ? indent : indent + 2
    if (compact) this.#put(' ')
    else {
      this.#break()
      this.#put(' '.repeat(deeper))
    }
    const place = this.here()
    if (kind === 'map') return { kind, entries: this.#entries(deeper, depth - 1), place }
    const items: Truth[] = []
    for (let count = 1 + this.#draw.below(3); count > 0; count--) {
      if (items.length > 0) this.#put(' '.repeat(deeper))
      this.#put('-')
      items.push(this.#value(deeper, depth - 1, this.#draw.one(['list', 'map']), true))
    }
    return { kind, items, place }
  }

  #flow(depth: number, kind: 'list' | 'map'): Truth {
    const place = this.here()
    const count = this.#draw.below(4)
    const inner = (container: 'list' | 'map'): Truth => {
      if (depth > 1 && this.#draw.once(3)) return this.#flow(depth - 1, container)
      const flowing = scalars.filter(([text]) => !text.startsWith('!!') && text !== '???')
      const [text, value] = flowing[this.#draw.below(flowing.length)] ?? ['', '']
      const at = this.here()
      this.#put(text)
      return { kind: 'scalar', value, place: at }
    }
    if (kind === 'list') {
      const items: Truth[] = []
      this.#put('[')
      for (let index = 0; index < count; index++) {
        if (index > 0) this.#put(this.#draw.one([', ', ',  ']))
        items.push(inner(this.#draw.one(['list', 'map'])))
      }
      this.#put(']')
      return { kind, items, place }
    }
    const entries = new Map<string, Truth>()
    this.#put('{')
    for (let index = 0; index < count; index++) {
      if (index > 0) this.#put(', ')
      const list = this.#draw.once(3)
      const key = `${list ? 'l' : this.#draw.one(['x', '😀', 'é'])}${index}`
      this.#put(`${key}: `)
      entries.set(key, inner(list ? 'list' : 'map'))
    }
    this.#put('}')
    return { kind, entries, place }
  }

  /** Sometimes a comment or an empty line between entries. */
  #gap(indent: number): void {
    if (this.#draw.once(8)) this.line(`${' '.repeat(indent)}# a comment: {not a value}`)
    if (this.#draw.once(8)) this.line('')
  }

  #put(text: string): void {
    this.#text += text
    this.#column += text.length
  }

  #break(): void {
    this.#text += this.#newline
    this.#line++
    this.#column = 1
  }
}
