import { CelError } from './cel-error.ts'
import type { Expression } from './expression.ts'
import { type Token, tokenize } from './lexer.ts'
import { literalValue } from './literal.ts'
import { expandMacro } from './macros.ts'
import type { Issue } from './source.ts'

/** How deep one rule of the grammar may lie in itself, as cel-go has it; chains of operators count as nesting. */
const maxDepth = 250
/** Nodes of one expression, as cel-go has it. */
const maxCodePoints = 100_000

const reserved: ReadonlySet<string> = new Set(
  'as break const continue else false for function if import in let loop package namespace null return true var void while'.split(
    ' ',
  ),
)

const primaryStart =
  "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"

/** Ends the parse: what follows a syntax error cannot be trusted. */
class Stop extends Error {}

/** Reads an expression. Without issues `expression` is there. */
export function parse(source: string): { expression: Expression | undefined; issues: readonly Issue[] } {
  const codePoints = source.length > maxCodePoints ? Array.from(source).length : source.length
  if (codePoints > maxCodePoints) {
    const message = `expression code point size exceeds limit: size: ${codePoints}, limit ${maxCodePoints}`
    return { expression: undefined, issues: [{ at: undefined, message }] }
  }
  const { tokens, issues } = tokenize(source)
  const parser = new Parser(tokens, [...issues])
  const expression = parser.parse()
  return { expression: parser.issues.length === 0 ? expression : undefined, issues: parser.issues }
}

class Parser {
  readonly issues: Issue[]
  readonly #tokens: readonly Token[]
  #index = 0
  readonly #depths = new Map<string, number>()

  constructor(tokens: readonly Token[], issues: Issue[]) {
    this.#tokens = tokens
    this.issues = issues
  }

  parse(): Expression | undefined {
    try {
      const expression = this.#expression()
      if (this.#next.kind !== 'end') this.#unexpected('<EOF>')
      return expression
    } catch (error) {
      if (error instanceof Stop) return undefined
      throw error
    }
  }

  get #next(): Token {
    const token = this.#tokens[this.#index]
    if (token === undefined) throw new Stop()
    return token
  }

  #isMark(...marks: readonly string[]): boolean {
    return this.#next.kind === 'mark' && marks.includes(this.#next.text)
  }

  #take(): Token {
    const token = this.#next
    this.#index += 1
    return token
  }

  #expect(mark: string): Token {
    if (!this.#isMark(mark)) this.#unexpected(`'${mark}'`)
    return this.#take()
  }

  #unexpected(wanted: string): never {
    const { at, text, kind } = this.#next
    const found =
      kind === 'end' ? text : text.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')
    this.issues.push({ at, message: `Syntax error: mismatched input '${found}' expecting ${wanted}` })
    throw new Stop()
  }

  /** Runs a rule, in which chains may go on deeper; the depth is that before it afterwards. */
  #within<T>(rule: string, body: () => T): T {
    const before = this.#depths.get(rule) ?? 0
    this.#deepen(rule)
    const result = body()
    this.#depths.set(rule, before)
    return result
  }

  #deepen(rule: string): void {
    const depth = (this.#depths.get(rule) ?? 0) + 1
    this.#depths.set(rule, depth)
    if (depth <= maxDepth) return
    this.issues.push({ at: undefined, message: `expression recursion limit exceeded: ${maxDepth}` })
    throw new Stop()
  }

  #expression(): Expression {
    return this.#within('expr', () => {
      const condition = this.#logical('||')
      if (!this.#isMark('?')) return condition
      const { at } = this.#take()
      const whenTrue = this.#logical('||')
      this.#expect(':')
      return operation(at, '_?_:_', condition, whenTrue, this.#expression())
    })
  }

  /** A chain of one logical operator, which becomes a balanced tree. */
  #logical(mark: '||' | '&&'): Expression {
    const operand = (): Expression => (mark === '||' ? this.#logical('&&') : this.#relation())
    const terms = [operand()]
    const places: number[] = []
    while (this.#isMark(mark)) {
      places.push(this.#take().at)
      terms.push(operand())
    }
    return balanced(`_${mark}_`, terms, places)
  }

  #relation(): Expression {
    return this.#within('relation', () => {
      let left = this.#sum()
      while (this.#isMark('<', '<=', '>', '>=', '==', '!=', 'in')) {
        this.#deepen('relation')
        const { at, text } = this.#take()
        left = operation(
          at,
          text === 'in' ? '@in' : `_${text}_`,
          left,
          this.#within('relation', () => this.#sum()),
        )
      }
      return left
    })
  }

  #sum(): Expression {
    return this.#within('calc', () => this.#leftToRight(() => this.#product(), '+', '-'))
  }

  #product(): Expression {
    return this.#leftToRight(() => this.#unary(), '*', '/', '%')
  }

  #leftToRight(operand: () => Expression, ...marks: readonly string[]): Expression {
    let left = operand()
    while (this.#isMark(...marks)) {
      this.#deepen('calc')
      const { at, text } = this.#take()
      left = operation(at, `_${text}_`, left, this.#within('calc', operand))
    }
    return left
  }

  #unary(): Expression {
    const mark = this.#next.text
    if (!this.#isMark('!', '-') || this.#isNegativeNumber()) return this.#member()
    const { at } = this.#next
    let count = 0
    while (this.#isMark(mark)) {
      this.#take()
      count += 1
    }
    const operand = this.#member()
    return count % 2 === 0 ? operand : operation(at, `${mark}_`, operand)
  }

  #isNegativeNumber(): boolean {
    const after = this.#tokens[this.#index + 1]
    return this.#isMark('-') && (after?.kind === 'int' || after?.kind === 'float')
  }

  #member(): Expression {
    return this.#within('member', () => {
      let operand = this.#primary()
      while (this.#isMark('.', '[')) {
        this.#deepen('member')
        operand = this.#isMark('.') ? this.#selection(operand) : this.#subscript(operand)
      }
      return operand
    })
  }

  #subscript(operand: Expression): Expression {
    const { at } = this.#take()
    const isOptional = this.#isMark('?')
    if (isOptional) this.#take()
    const index = this.#expression()
    this.#expect(']')
    if (isOptional) this.issues.push({ at, message: "unsupported syntax '[?'" })
    return operation(at, '_[_]', operand, index)
  }

  #selection(operand: Expression): Expression {
    const { at } = this.#take()
    const isOptional = this.#isMark('?')
    if (isOptional) {
      this.#take()
      this.issues.push({ at, message: "unsupported syntax '.?'" })
    }
    const { kind, text } = this.#next
    if (kind !== 'identifier' && kind !== 'escaped')
      this.#unexpected(kind === 'end' ? "{'?', IDENTIFIER, ESC_IDENTIFIER}" : 'IDENTIFIER')
    this.#take()
    if (isOptional) return operation(at, '_?._', operand)
    if (kind === 'identifier' && this.#isMark('(')) return this.#call(text, operand)
    return {
      kind: 'select',
      at,
      operand,
      field: kind === 'escaped' ? text.slice(1, -1) : text,
      testOnly: false,
    }
  }

  /** The next token opens the arguments. */
  #call(name: string, target: Expression | undefined): Expression {
    const { at } = this.#take()
    const given: Expression[] = []
    if (!this.#isMark(')')) {
      given.push(this.#expression())
      while (this.#isMark(',')) {
        this.#take()
        given.push(this.#expression())
      }
    }
    this.#expect(')')
    const expanded = expandMacro(at, name, target, given)
    if (expanded === undefined) return { kind: 'call', at, function: name, target, arguments: given }
    if ('kind' in expanded) return expanded
    this.issues.push(expanded)
    return { kind: 'literal', at, value: null }
  }

  #primary(): Expression {
    const { kind, text, at } = this.#next
    if (kind !== 'mark') return kind === 'identifier' ? this.#name('') : this.#literal()
    switch (text) {
      case '(': {
        this.#take()
        const inner = this.#expression()
        this.#expect(')')
        return inner
      }
      case '[':
        return { kind: 'list', at, elements: this.#elements() }
      case '{':
        return { kind: 'map', at, entries: this.#entries() }
      case '.':
        this.#take()
        if (this.#next.kind !== 'identifier') this.#unexpected('IDENTIFIER')
        return this.#name('.')
      default:
        return this.#literal()
    }
  }

  /** A variable, a call or a message; `prefix` is the dot before it. */
  #name(prefix: string): Expression {
    const length = this.#messageNameLength()
    if (length > 0) return this.#message(prefix, length)
    const { text, at } = this.#take()
    const start = at - prefix.length
    if (reserved.has(text)) return this.#reserved(text, start)
    if (this.#isMark('(')) return this.#call(prefix + text, undefined)
    return { kind: 'identifier', at, name: prefix + text }
  }

  /** What is wrong in the arguments of its call is not told. */
  #reserved(name: string, at: number): Expression {
    this.issues.push({ at, message: `reserved identifier: ${name}` })
    const told = this.issues.length
    if (this.#isMark('(')) {
      this.#call(name, undefined)
      this.issues.length = told
    }
    return { kind: 'literal', at, value: null }
  }

  /** How many tokens the name of a message has that begins here; 0 where none begins. */
  #messageNameLength(): number {
    let end = this.#index + 1
    const is = (index: number, mark: string): boolean =>
      this.#tokens[index]?.kind === 'mark' && this.#tokens[index]?.text === mark
    while (is(end, '.') && this.#tokens[end + 1]?.kind === 'identifier') end += 2
    return is(end, '{') ? end - this.#index : 0
  }

  #message(prefix: string, length: number): Expression {
    let name = prefix
    for (let count = 0; count < length; count++) name += this.#take().text
    const { at } = this.#take()
    const fields: { at: number; name: string; value: Expression }[] = []
    while (!this.#isMark('}')) {
      const field = this.#take()
      if (field.kind !== 'identifier' && field.kind !== 'escaped') {
        this.#index -= 1
        this.#unexpected("{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}")
      }
      const colon = this.#expect(':')
      const fieldName = field.kind === 'escaped' ? field.text.slice(1, -1) : field.text
      fields.push({ at: colon.at, name: fieldName, value: this.#expression() })
      if (!this.#isMark(',')) break
      this.#take()
    }
    this.#expect('}')
    return { kind: 'message', at, name, fields }
  }

  #elements(): readonly Expression[] {
    this.#take()
    const elements: Expression[] = []
    while (!this.#isMark(']', ',')) {
      this.#refuseOptional()
      elements.push(this.#expression())
      if (!this.#isMark(',') || this.#isOverAfterComma(']')) break
      this.#take()
    }
    if (this.#isMark(',')) this.#take()
    this.#expect(']')
    return elements
  }

  /** Whether the comma is the one that may stand before the end; another one behind it is refused there. */
  #isOverAfterComma(end: string): boolean {
    const after = this.#tokens[this.#index + 1]
    return after?.kind === 'mark' && (after.text === end || after.text === ',')
  }

  #entries(): readonly { key: Expression; value: Expression }[] {
    this.#take()
    const entries: { key: Expression; value: Expression }[] = []
    while (!this.#isMark('}', ',')) {
      this.#refuseOptional()
      const key = this.#expression()
      this.#expect(':')
      entries.push({ key, value: this.#expression() })
      if (!this.#isMark(',') || this.#isOverAfterComma('}')) break
      this.#take()
    }
    if (this.#isMark(',')) this.#take()
    this.#expect('}')
    return entries
  }

  #refuseOptional(): void {
    if (!this.#isMark('?')) return
    this.issues.push({ at: this.#take().at, message: "unsupported syntax '?'" })
  }

  #literal(): Expression {
    const { at } = this.#next
    const isNegative = this.#isNegativeNumber()
    if (isNegative) this.#take()
    const token = this.#next
    const value = literalValue(token, isNegative)
    if (value === undefined) this.#unexpected(primaryStart)
    this.#take()
    if (value instanceof CelError) this.issues.push({ at, message: value.message })
    return { kind: 'literal', at, value: value instanceof CelError ? null : value }
  }
}

function operation(at: number, name: string, ...operands: Expression[]): Expression {
  return { kind: 'call', at, function: name, target: undefined, arguments: operands }
}

/** The same terms in the same order, as flat as a tree of two branches can be. */
function balanced(name: string, terms: readonly Expression[], places: readonly number[]): Expression {
  const build = (low: number, high: number): Expression => {
    const middle = Math.floor((low + high + 1) / 2)
    const left = middle === low ? term(middle) : build(low, middle - 1)
    const right = middle === high ? term(middle + 1) : build(middle + 1, high)
    return operation(places[middle] ?? 0, name, left, right)
  }
  const term = (index: number): Expression => {
    const found = terms[index]
    if (found === undefined) throw new RangeError(`no term ${index} of ${terms.length}`)
    return found
  }
  return places.length === 0 ? term(0) : build(0, places.length - 1)
}
