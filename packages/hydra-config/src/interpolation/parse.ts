import { parseError } from './errors.ts'
import type { Argument, Expression, Interpolation } from './expression.ts'
import { Lexer, type Mode, type Token, type TokenType } from './lexer.ts'

// A deeper interpolation is no configuration but an attack; OmegaConf runs out of Python's stack before.
const depthMax = 400

/**
 * Parses a string of a configuration (rule `configValue` of OmegaConf's grammar).
 * @throws HydraConfigError `INTERPOLATION_PARSE`
 */
export function parseInterpolation(text: string): Expression {
  return new Parser(text, 'text').configValue()
}

/**
 * Parses one element as an argument of a resolver is written (rule `singleElement`), for `oc.decode`.
 * @throws HydraConfigError `INTERPOLATION_PARSE`
 */
export function parseElement(text: string): Expression {
  return new Parser(text, 'value').singleElement()
}

const primitiveTypes: ReadonlySet<TokenType> = new Set([
  'id',
  'null',
  'int',
  'float',
  'bool',
  'character',
  'escape',
  'space',
])
const textTypes: ReadonlySet<TokenType> = new Set([
  'string',
  'escape',
  'escaped interpolation',
  'top escape',
  'quoted escape',
])

class Parser {
  readonly #text: string
  readonly #lexer: Lexer
  #token: Token
  #depth = 0

  constructor(text: string, mode: Mode) {
    this.#text = text
    this.#lexer = new Lexer(text, mode)
    this.#token = this.#lexer.next()
  }

  configValue(): Expression {
    const expression = this.#textExpression()
    this.#expect('end')
    return expression
  }

  singleElement(): Expression {
    const expression = this.#element()
    this.#expect('end')
    return expression
  }

  #peek(): Token {
    return this.#token
  }

  #skip(): void {
    this.#token = this.#lexer.next()
  }

  #take(type: TokenType): boolean {
    if (this.#token.type !== type) return false
    this.#skip()
    return true
  }

  #expect(type: TokenType): void {
    if (!this.#take(type)) throw this.#unexpected(type === 'end' ? 'the end' : `'${type}'`)
  }

  #unexpected(expected: string): Error {
    const { text, offset } = this.#peek()
    return parseError(
      `${expected} is expected, not ${text === '' ? 'the end' : JSON.stringify(text)}`,
      offset,
    )
  }

  #textExpression(): Expression {
    const parts: (Token | Interpolation)[] = []
    for (let token = this.#peek(); ; token = this.#peek()) {
      if (token.type === '${') parts.push(this.#interpolation())
      else if (textTypes.has(token.type)) {
        parts.push(token)
        this.#skip()
      } else break
    }
    if (parts.length === 0) throw this.#unexpected('text')
    return joined(parts)
  }

  #interpolation(): Interpolation {
    const start = this.#peek().offset
    if (++this.#depth > depthMax) throw parseError('interpolations are nested too deep', start)
    this.#expect('${')
    const parts: (string | Interpolation)[] = []
    let nameable = true
    while (this.#take('.')) {
      parts.push('.')
      nameable = false
    }
    for (let first = true; ; first = false) {
      if (this.#take('[')) {
        nameable = false
        parts.push('[', this.#configKey(), ']')
        this.#expect(']')
      } else if (first || this.#take('.')) {
        if (!first) parts.push('.')
        if (this.#peek().type === 'key') nameable = false
        parts.push(this.#configKey())
      } else break
    }
    if (nameable && this.#take(':')) {
      const args = this.#peek().type === '}' ? [] : this.#sequence('}')
      this.#expect('}')
      this.#depth--
      return { kind: 'resolver', name: parts.filter((part) => part !== '.'), arguments: args }
    }
    this.#expect('}')
    this.#depth--
    return { kind: 'node', parts }
  }

  #configKey(): string | Interpolation {
    const { type, text } = this.#peek()
    if (type === '${') return this.#interpolation()
    if (type !== 'id' && type !== 'key') throw this.#unexpected('a key')
    this.#skip()
    return text
  }

  /** One element or more; elements that are left out are empty strings. */
  #sequence(close: ']' | '}'): Argument[] {
    const items: Argument[] = []
    for (;;) {
      const { type, offset } = this.#peek()
      const value: Expression =
        type === ',' || type === close ? { kind: 'literal', value: '' } : this.#element()
      items.push({ value, source: this.#text.slice(offset, this.#peek().offset) })
      if (!this.#take(',')) return items
    }
  }

  #element(): Expression {
    const { offset } = this.#peek()
    if (++this.#depth > depthMax) throw parseError('values are nested too deep', offset)
    const element = this.#elementOf()
    this.#depth--
    return element
  }

  #elementOf(): Expression {
    if (this.#take('quote')) {
      if (this.#take('quote close')) return { kind: 'literal', value: '' }
      const content = this.#textExpression()
      this.#expect('quote close')
      return asText(content)
    }
    if (this.#take('[')) {
      const items = this.#peek().type === ']' ? [] : this.#sequence(']')
      this.#expect(']')
      return { kind: 'list', items: items.map(({ value }) => value) }
    }
    if (this.#take('{')) return this.#dict()
    return this.#primitive(true)
  }

  #dict(): Expression {
    const pairs: [Expression, Expression][] = []
    if (this.#take('}')) return { kind: 'dict', pairs }
    do {
      const key = this.#primitive(false)
      this.#expect(':')
      pairs.push([key, this.#element()])
    } while (this.#take(','))
    this.#expect('}')
    return { kind: 'dict', pairs }
  }

  /** A run of tokens; as a key of a dict without colons and interpolations. */
  #primitive(asValue: boolean): Expression {
    const parts: (Token | Interpolation)[] = []
    for (let token = this.#peek(); ; token = this.#peek()) {
      if (asValue && token.type === '${') parts.push(this.#interpolation())
      else if (primitiveTypes.has(token.type) || (asValue && token.type === ':')) {
        parts.push(token)
        this.#skip()
      } else break
    }
    if (parts.length === 0) throw this.#unexpected('a value')
    return joined(parts)
  }
}

function asText(expression: Expression): Expression {
  return expression.kind === 'node' || expression.kind === 'resolver'
    ? { kind: 'text', parts: [expression] }
    : expression
}

function joined(parts: readonly (Token | Interpolation)[]): Expression {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return isToken(only) ? literal(only) : only
  const texts: (string | Interpolation)[] = []
  parts.forEach((part, index) => {
    if (!isToken(part)) return texts.push(part)
    return texts.push(unescaped(part, parts[index + 1]))
  })
  return texts.every((part) => typeof part === 'string')
    ? { kind: 'literal', value: texts.join('') }
    : { kind: 'text', parts: texts }
}

function isToken(part: Token | Interpolation): part is Token {
  return 'type' in part
}

function literal(token: Token): Expression {
  if (token.type === 'null') return { kind: 'literal', value: null }
  if (token.type === 'bool') return { kind: 'literal', value: token.text.toLowerCase() === 'true' }
  if (token.type === 'int') return { kind: 'literal', value: integerOf(token) }
  if (token.type === 'float') return { kind: 'literal', value: floatOf(token.text) }
  if (token.type === 'space') throw parseError('a value of spaces only', token.offset)
  return { kind: 'literal', value: unescaped(token, undefined) }
}

function integerOf({ text }: Token): bigint {
  const magnitude = BigInt(text.replace(/[+_-]/g, ''))
  return text.startsWith('-') ? -magnitude : magnitude
}

function floatOf(text: string): number {
  const plain = text.replaceAll('_', '').toLowerCase()
  if (plain.endsWith('nan')) return Number.NaN
  const magnitude = plain.endsWith('inf') ? Number.POSITIVE_INFINITY : Number(plain.replace(/^[+-]/, ''))
  return plain.startsWith('-') ? -magnitude : magnitude
}

/** The text that a token means before `next`: backslashes count only where they end before an interpolation. */
function unescaped({ type, text }: Token, next: Token | Interpolation | undefined): string {
  const beforeInterpolation = next !== undefined && !isToken(next)
  if (type === 'escaped interpolation') return text.slice(-(Math.floor(text.length / 2) + 1))
  if (type === 'escape' || (type === 'top escape' && beforeInterpolation)) return everySecond(text)
  if (type === 'quoted escape' && (beforeInterpolation || next === undefined)) return everySecond(text)
  return text
}

function everySecond(text: string): string {
  return Array.from(text)
    .filter((_, index) => index % 2 === 1)
    .join('')
}
