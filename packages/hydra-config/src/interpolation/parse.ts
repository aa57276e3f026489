import { scalar } from '../value/value.ts'
import { parseError } from './errors.ts'
import { Lexer, type Mode, type Modes, type Token, type TokenType, textModes } from './lexer.ts'
import type { Program, Step } from './program.ts'
import { parsePath } from './split-key.ts'

// A deeper interpolation is no configuration but an attack; OmegaConf runs out of Python's stack before.
const depthMax = 400

/** How arguments of resolvers are written. */
export interface ArgumentGrammar {
  /** All modes of the lexer. */
  readonly modes: Modes
  /** Arguments up to `}`: their steps go into the program, and they are given as they are written. */
  readonly arguments: (parser: Parser) => readonly string[]
}

/**
 * Parses a string of a configuration (rule `configValue` of OmegaConf's grammar).
 * @param grammar without which `${name:…}` is refused
 * @throws HydraConfigError `INTERPOLATION_PARSE`
 */
export function parseInterpolation(text: string, grammar: ArgumentGrammar | undefined): Program {
  return new Parser(text, 'text', grammar).whole((parser) => parser.text(false))
}

const textTypes: ReadonlySet<TokenType> = new Set([
  'string',
  'escape',
  'escaped interpolation',
  'top escape',
  'quoted escape',
])

/** A token, or undefined for what an interpolation leaves on the stack. */
export type Part = Token | undefined

/** Makes the steps of a program in the order in which a text is read. */
export class Parser {
  readonly steps: Step[] = []
  readonly #text: string
  readonly #lexer: Lexer
  readonly #grammar: ArgumentGrammar | undefined
  #token: Token
  #depth = 0

  constructor(text: string, mode: Mode, grammar: ArgumentGrammar | undefined) {
    this.#text = text
    this.#grammar = grammar
    this.#lexer = new Lexer(text, mode, grammar?.modes ?? textModes)
    this.#token = this.#lexer.next()
  }

  /** The program of a text that is one thing to its end. */
  whole(parse: (parser: Parser) => void): Program {
    parse(this)
    this.expect('end')
    return this.steps
  }

  get token(): Token {
    return this.#token
  }

  skip(): void {
    this.#token = this.#lexer.next()
  }

  take(type: TokenType): boolean {
    if (this.#token.type !== type) return false
    this.skip()
    return true
  }

  expect(type: TokenType): void {
    if (!this.take(type)) throw this.unexpected(type === 'end' ? 'the end' : `'${type}'`)
  }

  unexpected(expected: string): Error {
    const { text, offset } = this.#token
    return parseError(
      `${expected} is expected, not ${text === '' ? 'the end' : JSON.stringify(text)}`,
      offset,
    )
  }

  /** What stands in the text from `start` up to the token. */
  since(start: number): string {
    return this.#text.slice(start, this.#token.offset)
  }

  nested(what: string, parse: () => void): void {
    if (++this.#depth > depthMax) throw parseError(`${what} are nested too deep`, this.#token.offset)
    parse()
    this.#depth--
  }

  /** Text and interpolations; `quoted` makes a text of one interpolation alone. */
  text(quoted: boolean): void {
    const parts = this.parts(textTypes)
    if (parts.length === 0) throw this.unexpected('text')
    this.join(parts, quoted)
  }

  /** A run of tokens of these types and, unless `bare`, interpolations. */
  parts(types: ReadonlySet<TokenType>, bare: boolean = false): Part[] {
    const parts: Part[] = []
    for (let token = this.#token; ; token = this.#token) {
      if (!bare && token.type === '${') {
        this.#interpolation()
        parts.push(undefined)
      } else if (types.has(token.type)) {
        parts.push(token)
        this.skip()
      } else return parts
    }
  }

  /** Makes one value of parts; of an interpolation alone its own value, unless that is to be a text. */
  join(parts: readonly Part[], asText: boolean): void {
    if (parts.length === 1 && parts[0] === undefined && !asText) return
    const texts = parts.map((part, index) => part && unescaped(part, parts, index + 1))
    const gaps = gapsOf(texts)
    this.steps.push(
      gaps === 0
        ? { op: 'literal', value: scalar(texts.join('')) }
        : { op: 'text', template: { parts: texts, gaps }, count: gaps },
    )
  }

  #interpolation(): void {
    this.nested('interpolations', () => {
      this.expect('${')
      const parts: (string | undefined)[] = []
      let nameable = true
      while (this.take('.')) {
        parts.push('.')
        nameable = false
      }
      for (let first = true; ; first = false) {
        if (this.take('[')) {
          nameable = false
          parts.push('[', this.#key(), ']')
          this.expect(']')
        } else if (first || this.take('.')) {
          if (!first) parts.push('.')
          if (this.#token.type === 'key') nameable = false
          parts.push(this.#key())
        } else break
      }
      const template = { parts, gaps: gapsOf(parts) }
      if (nameable && this.take(':')) {
        const sources = this.#grammar?.arguments(this) ?? []
        this.steps.push({ op: 'call', name: template, sources })
      } else {
        this.steps.push(
          template.gaps > 0
            ? { op: 'joined node', template }
            : { op: 'node', path: parsePath(parts.join('')) },
        )
      }
      this.expect('}')
    })
  }

  /** Undefined for one that an interpolation tells. */
  #key(): string | undefined {
    const { type, text } = this.#token
    if (type === '${') {
      this.#interpolation()
      this.steps.push({ op: 'text only' })
      return undefined
    }
    if (type !== 'id' && type !== 'key') throw this.unexpected('a key')
    this.skip()
    return text
  }
}

function gapsOf(parts: readonly (string | undefined)[]): number {
  return parts.filter((part) => part === undefined).length
}

/** The text that a token means before the part `next`: backslashes count only where they end before an interpolation. */
export function unescaped({ type, text }: Token, parts: readonly Part[], next: number): string {
  const isLast = next >= parts.length
  const beforeInterpolation = !isLast && parts[next] === undefined
  if (type === 'escaped interpolation') return text.slice(-(Math.floor(text.length / 2) + 1))
  if (type === 'escape' || (type === 'top escape' && beforeInterpolation)) return everySecond(text)
  if (type === 'quoted escape' && (beforeInterpolation || isLast)) return everySecond(text)
  return text
}

function everySecond(text: string): string {
  return Array.from(text)
    .filter((_, index) => index % 2 === 1)
    .join('')
}
