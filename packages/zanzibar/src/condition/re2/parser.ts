import { folded, negated, parseClass, parseEscape, parseNamedSet, range } from './class.ts'
import { type Node, PatternFault, type Repetition } from './syntax.ts'

/** RE2's limit of a repetition, and of repetitions in each other. */
const maxRepeat = 1000
const maxDepth = 1000

interface Flags {
  /** `i` */
  readonly isFolding: boolean
  /** `m` */
  readonly isMultiline: boolean
  /** `s` */
  readonly isDotAll: boolean
}

/** Reads a pattern as Go's `regexp` does. Throws PatternFault. */
export function parsePattern(pattern: string): Node {
  return new PatternParser(pattern).parse()
}

class PatternParser {
  readonly #pattern: string
  #at = 0
  #flags: Flags = { isFolding: false, isMultiline: false, isDotAll: false }
  #depth = 0

  constructor(pattern: string) {
    this.#pattern = pattern
  }

  parse(): Node {
    const node = this.#alternatives()
    if (this.#at < this.#pattern.length) throw new PatternFault('unexpected )', this.#pattern)
    return node
  }

  #alternatives(): Node {
    const nodes = [this.#sequence()]
    while (this.#pattern[this.#at] === '|') {
      this.#at += 1
      nodes.push(this.#sequence())
    }
    return nodes.length === 1 ? (nodes[0] ?? empty) : { kind: 'alternatives', nodes }
  }

  #sequence(): Node {
    const nodes: Node[] = []
    while (this.#at < this.#pattern.length && !this.#startsWith('|') && !this.#startsWith(')')) {
      if (this.#startsWith('\\Q')) nodes.push(...this.#quoted())
      else {
        const node = this.#atom()
        if (node !== undefined) nodes.push(node)
      }
      const last = nodes.pop()
      if (last !== undefined) nodes.push(this.#repeated(last))
    }
    return nodes.length === 1 ? (nodes[0] ?? empty) : { kind: 'sequence', nodes }
  }

  #startsWith(text: string): boolean {
    return this.#pattern.startsWith(text, this.#at)
  }

  /** `\Q…\E` */
  #quoted(): Node[] {
    const start = this.#at + 2
    const close = this.#pattern.indexOf('\\E', start)
    const end = close < 0 ? this.#pattern.length : close
    this.#at = close < 0 ? end : close + 2
    return Array.from(this.#pattern.slice(start, end), (character) =>
      this.#literal(character.codePointAt(0) ?? 0),
    )
  }

  #literal(codePoint: number): Node {
    return { kind: 'set', matches: folded(range(codePoint, codePoint), this.#flags.isFolding) }
  }

  /** undefined for what only sets flags. */
  #atom(): Node | undefined {
    const character = this.#pattern.charAt(this.#at)
    switch (character) {
      case '(':
        return this.#group()
      case '[':
        return this.#set(parseClass(this.#pattern, this.#at, this.#flags.isFolding))
      case '\\':
        return this.#escaped()
      case '*':
      case '+':
      case '?':
        throw new PatternFault('missing argument to repetition operator', this.#withLazy(character))
      case '.':
        this.#at += 1
        return { kind: 'set', matches: this.#flags.isDotAll ? () => true : negated(range(10, 10)) }
      case '^':
        this.#at += 1
        return { kind: 'assertion', assertion: this.#flags.isMultiline ? 'lineStart' : 'textStart' }
      case '$':
        this.#at += 1
        return { kind: 'assertion', assertion: this.#flags.isMultiline ? 'lineEnd' : 'textEnd' }
      default: {
        const counted = character === '{' ? this.#counted() : undefined
        if (counted !== undefined) {
          requireCount(counted, counted.text)
          throw new PatternFault('missing argument to repetition operator', this.#withLazy(counted.text))
        }
        const codePoint = this.#pattern.codePointAt(this.#at) ?? 0
        this.#at += codePoint > 0xffff ? 2 : 1
        return this.#literal(codePoint)
      }
    }
  }

  /** The operator here, with the `?` that makes it lazy. */
  #withLazy(operator: string): string {
    return this.#pattern[this.#at + operator.length] === '?' ? `${operator}?` : operator
  }

  #set({ matches, end }: { matches: (codePoint: number) => boolean; end: number }): Node {
    this.#at = end
    return { kind: 'set', matches }
  }

  #escaped(): Node {
    const assertion = assertions.get(this.#pattern.charAt(this.#at + 1))
    if (assertion !== undefined) {
      this.#at += 2
      return { kind: 'assertion', assertion }
    }
    const named = parseNamedSet(this.#pattern, this.#at, this.#flags.isFolding)
    if (named !== undefined) return this.#set(named)
    const { codePoint, end } = parseEscape(this.#pattern, this.#at)
    this.#at = end
    return this.#literal(codePoint)
  }

  #group(): Node | undefined {
    const before = this.#flags
    if (this.#startsWith('(?')) {
      if (!this.#named() && this.#setFlags()) return undefined
    } else this.#at += 1
    this.#depth += 1
    if (this.#depth > maxDepth) throw new PatternFault('expression nests too deeply', this.#pattern)
    const node = this.#alternatives()
    if (!this.#startsWith(')')) throw new PatternFault('missing closing )', this.#pattern)
    this.#at += 1
    this.#depth -= 1
    this.#flags = before
    return node
  }

  /** Passes over `(?P<name>` or `(?<name>`. */
  #named(): boolean {
    if (!this.#startsWith('(?P<') && !this.#startsWith('(?<')) return false
    const rest = this.#pattern.slice(this.#at)
    const close = rest.indexOf('>')
    if (close < 0) throw new PatternFault('invalid named capture', rest)
    const head = rest.slice(0, close + 1)
    if (!/^\(\?P?<\w+>$/.test(head)) throw new PatternFault('invalid named capture', head)
    this.#at += head.length
    return true
  }

  /** Reads `(?flags)` or `(?flags:`; true where no group follows. */
  #setFlags(): boolean {
    const start = this.#at
    let [next, isOn, hasSign, hasFlag] = [start + 2, true, false, false]
    let flags = this.#flags
    for (;;) {
      const letter = String.fromCodePoint(this.#pattern.codePointAt(next) ?? 0)
      next += letter.length
      if (letter === '-' && !hasSign) [isOn, hasSign, hasFlag] = [false, true, false]
      else if ('imsU'.includes(letter)) {
        flags = withFlag(flags, letter, isOn)
        hasFlag = true
      } else if ((letter === ':' || letter === ')') && (!hasSign || hasFlag)) {
        this.#flags = flags
        this.#at = next
        return letter === ')'
      } else throw new PatternFault('invalid or unsupported Perl syntax', this.#pattern.slice(start, next))
    }
  }

  /** The operator behind `node`, of which there may be one only. */
  #repeated(node: Node): Node {
    const start = this.#at
    const operator = this.#operator()
    if (operator === undefined) return node
    const first = this.#pattern.slice(start, this.#at)
    const { least, most, isCounted } = operator
    // Go reads the counts before it sees whether the repetition is lazy.
    requireCount(operator, first.replace(/\}\?$/, '}'))
    const repetition: Repetition = { kind: 'repetition', node, least, most, isCounted }
    if (isCounted && (least >= 2 || most >= 2) && !isWithin(repetition, maxRepeat))
      throw new PatternFault('invalid repeat count', first)
    if (this.#operator() !== undefined)
      throw new PatternFault('invalid nested repetition operator', this.#pattern.slice(start, this.#at))
    return repetition
  }

  #operator(): { least: number; most: number; isCounted: boolean } | undefined {
    const simple = operators.get(this.#pattern.charAt(this.#at))
    const counted = simple === undefined ? this.#counted() : undefined
    if (simple === undefined && counted === undefined) return undefined
    this.#at += counted?.text.length ?? 1
    if (this.#startsWith('?')) this.#at += 1
    return simple ?? counted
  }

  /** `{2}`, `{2,}` or `{2,3}`; anything else is text. */
  #counted(): { least: number; most: number; isCounted: true; text: string } | undefined {
    const found = /^\{(0|[1-9][0-9]*)(,(0|[1-9][0-9]*)?)?\}/.exec(
      this.#pattern.slice(this.#at, this.#at + 64),
    )
    if (found === null) return undefined
    const [text, low = '', comma, high] = found
    const least = Number(low)
    const most = comma === undefined ? least : high === undefined ? Number.POSITIVE_INFINITY : Number(high)
    return { least, most, isCounted: true, text }
  }
}

const empty: Node = { kind: 'empty' }

const assertions: ReadonlyMap<string, 'textStart' | 'textEnd' | 'wordBoundary' | 'noWordBoundary'> = new Map([
  ['A', 'textStart'],
  ['z', 'textEnd'],
  ['b', 'wordBoundary'],
  ['B', 'noWordBoundary'],
])

const operators: ReadonlyMap<string, { least: number; most: number; isCounted: boolean }> = new Map([
  ['*', { least: 0, most: Number.POSITIVE_INFINITY, isCounted: false }],
  ['+', { least: 1, most: Number.POSITIVE_INFINITY, isCounted: false }],
  ['?', { least: 0, most: 1, isCounted: false }],
])

function withFlag(flags: Flags, letter: string, isOn: boolean): Flags {
  switch (letter) {
    case 'i':
      return { ...flags, isFolding: isOn }
    case 'm':
      return { ...flags, isMultiline: isOn }
    case 's':
      return { ...flags, isDotAll: isOn }
    default:
      return flags
  }
}

function requireCount({ least, most }: { least: number; most: number }, part: string): void {
  const isEndless = most === Number.POSITIVE_INFINITY
  if (least > maxRepeat || (!isEndless && (most > maxRepeat || least > most)))
    throw new PatternFault('invalid repeat count', part)
}

/** Whether counted repetitions in each other stay within `limit` copies. */
function isWithin(node: Node, limit: number): boolean {
  if (node.kind === 'sequence' || node.kind === 'alternatives')
    return node.nodes.every((each) => isWithin(each, limit))
  if (node.kind !== 'repetition') return true
  if (!node.isCounted) return isWithin(node.node, limit)
  if (node.most === 0) return true
  const copies = node.most === Number.POSITIVE_INFINITY ? node.least : node.most
  return copies <= limit && isWithin(node.node, copies > 0 ? Math.floor(limit / copies) : limit)
}
