const width = 80
const step = 2

const shortEscapes: ReadonlyMap<string, string> = new Map([
  ['\0', '0'],
  ['\x07', 'a'],
  ['\b', 'b'],
  ['\t', 't'],
  ['\n', 'n'],
  ['\v', 'v'],
  ['\f', 'f'],
  ['\r', 'r'],
  ['\x1B', 'e'],
  ['"', '"'],
  ['\\', '\\'],
  ['\x85', 'N'],
  ['\xA0', '_'],
  ['\u2028', 'L'],
  ['\u2029', 'P'],
])

/** Writes the parts of a document as PyYAML's emitter does: two columns a level, lines folded after 80 columns. */
export class Writer {
  readonly #parts: string[] = []
  #column = 0
  /** The column of the collection that is written; undefined before the first. */
  indent: number | undefined
  /** Whether white space came last. */
  #blank = true
  /** Whether nothing but indentation and indicators is on the line. */
  #leading = true

  get isLeading(): boolean {
    return this.#leading
  }

  toString(): string {
    return this.#parts.join('')
  }

  /** Runs `write` one level deeper. */
  deeper(write: () => void, options: { flow?: boolean; indentless?: boolean } = {}): void {
    const outer = this.indent
    if (outer === undefined) this.indent = options.flow ? step : 0
    else if (!options.indentless) this.indent = outer + step
    write()
    this.indent = outer
  }

  #put(text: string, columns: number = text.length): void {
    this.#parts.push(text)
    this.#column += columns
  }

  indicator(text: string, needsBlank: boolean, options: { blank?: boolean; leading?: boolean } = {}): void {
    this.#put(this.#blank || !needsBlank ? text : ` ${text}`)
    this.#blank = options.blank ?? false
    this.#leading &&= options.leading ?? false
  }

  line(): void {
    const indent = this.indent ?? 0
    if (!this.#leading || this.#column > indent || (this.#column === indent && !this.#blank))
      this.#break('\n')
    if (this.#column >= indent) return
    this.#blank = true
    this.#put(' '.repeat(indent - this.#column))
  }

  #break(lineBreak: string): void {
    this.#parts.push(lineBreak)
    this.#blank = true
    this.#leading = true
    this.#column = 0
  }

  plain(text: string, split: boolean): void {
    if (!this.#blank) this.#put(' ')
    this.#blank = false
    this.#leading = false
    for (const run of text.match(/ +|[^ ]+/g) ?? []) {
      if (run === ' ' && this.#column > width && split) {
        this.line()
        this.#blank = false
        this.#leading = false
      } else {
        this.#put(run, length(run))
      }
    }
  }

  single(text: string, split: boolean): void {
    this.indicator("'", true)
    const runs = text.match(/ +|[\n\x85\u2028\u2029]+|[^ \n\x85\u2028\u2029]+/g) ?? []
    runs.forEach((run, index) => {
      const inside = index > 0 && index < runs.length - 1
      if (run === ' ' && this.#column > width && split && inside) this.line()
      else if (/[\n\x85\u2028\u2029]/.test(run)) {
        if (run.startsWith('\n')) this.#break('\n')
        for (const lineBreak of run) this.#break(lineBreak)
        this.line()
      } else {
        const doubled = run.replaceAll("'", "''")
        this.#put(doubled, length(doubled))
      }
    })
    this.indicator("'", false)
  }

  double(text: string, split: boolean): void {
    this.indicator('"', true)
    const characters = Array.from(text)
    let run: string[] = []
    const flush = (): void => {
      this.#put(run.join(''), run.length)
      run = []
    }
    characters.forEach((character, index) => {
      const escaped = escapeCharacter(character)
      if (escaped !== undefined) {
        flush()
        this.#put(escaped)
      }
      // PyYAML folds at spaces, after an escape and before what follows one; an escape may end one column later.
      const pending = escaped === undefined ? run.length : -1
      const foldable = escaped !== undefined || character === ' ' || run.length === 0
      const inside = index > 0 && index < characters.length - 1
      if (split && inside && foldable && this.#column + pending > width) {
        flush()
        this.#fold(escaped === undefined ? character : characters[index + 1])
      }
      if (escaped === undefined) run.push(character)
    })
    flush()
    this.indicator('"', false)
  }

  #fold(next: string | undefined): void {
    this.#put('\\')
    this.line()
    this.#blank = false
    this.#leading = false
    if (next === ' ') this.#put('\\')
  }

  /** A block scalar that ends with one line break, as base64 does. */
  literal(text: string): void {
    this.indicator('|', true)
    for (const line of text.trimEnd().split('\n')) {
      this.#break('\n')
      this.line()
      this.#parts.push(line)
    }
    this.#break('\n')
  }
}

function length(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

function escapeCharacter(character: string): string | undefined {
  const code = character.codePointAt(0) ?? 0
  const plain =
    (code >= 0x20 && code <= 0x7e) || (code >= 0xa0 && code <= 0xd7ff) || (code >= 0xe000 && code <= 0xfffd)
  if (plain && !'"\\\u2028\u2029\uFEFF'.includes(character)) return undefined
  const short = shortEscapes.get(character)
  if (short !== undefined) return `\\${short}`
  const digits = code.toString(16).toUpperCase()
  if (code <= 0xff) return `\\x${digits.padStart(2, '0')}`
  return code <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\U${digits.padStart(8, '0')}`
}
