import { needFeature } from '../need-feature.ts'
import { lexerFailure, parseFailure } from './failure.ts'
import { readToken, type Token, type TokenType } from './lexer.ts'

/** What the grammar makes of one override, before any value is made. */
export interface OverrideSyntax {
  readonly prefix: '' | '+' | '++' | '~'
  readonly key: string
  readonly package: string | undefined
  /** Undefined without `=`, empty for `key=`, more than one for a simple choice. */
  readonly elements: readonly Syntax[] | undefined
}

export type Syntax = PrimitiveSyntax | ListSyntax | DictSyntax | FunctionSyntax

export interface PrimitiveSyntax {
  readonly kind: 'primitive'
  readonly tokens: readonly Token[]
}

/** Where it stands in the text; `end` is behind its last character. */
interface Range {
  readonly start: number
  readonly end: number
}

interface ListSyntax extends Range {
  readonly kind: 'list'
  readonly items: readonly Syntax[]
}

interface DictSyntax extends Range {
  readonly kind: 'dict'
  readonly pairs: readonly (readonly [PrimitiveSyntax, Syntax])[]
}

export interface FunctionSyntax {
  readonly kind: 'function'
  readonly name: Token
  /** Index behind its closing parenthesis. */
  readonly end: number
  readonly args: readonly { readonly name: string | undefined; readonly value: Syntax }[]
}

/** How deep lists, dicts and functions may stand in each other. */
const maxDepth = 200

export const primitiveTokens: ReadonlySet<TokenType> = new Set([
  'ID',
  'NULL',
  'INT',
  'FLOAT',
  'BOOL',
  'INTERPOLATION',
  'UNQUOTED_CHAR',
  'COLON',
  'ESC',
  'WS',
])
const keyTokens: ReadonlySet<TokenType> = new Set(
  [...primitiveTokens].filter((type) => type !== 'COLON' && type !== 'INTERPOLATION'),
)

export const keyStarts: ReadonlySet<TokenType> = new Set(['ID', 'KEY_SPECIAL', 'DOT_PATH', 'EQUAL', 'AT'])
const elementStarts: ReadonlySet<TokenType> = new Set([
  ...primitiveTokens,
  'QUOTED',
  'BRACKET_OPEN',
  'BRACE_OPEN',
])
/**
 * How far ANTLR reads on before it reports a token that cannot be there. What it meets on the way that is no token at
 * all, it reports instead.
 */
type Reach = 'here' | 'next' | 'rest'

/** Reads what stands in the parentheses behind the name of a function. */
export type FunctionGrammar = (parser: Parser, name: Token) => FunctionSyntax

/**
 * Parses `text` by Hydra's `OverrideParser.g4`.
 * @param functions without which an override has no functions
 * @throws {HydraConfigError} `OVERRIDE_PARSE`, its `offset` at the first token that no override has there
 */
export function parseSyntax(text: string, functions: FunctionGrammar | undefined): OverrideSyntax {
  return new Parser(text, functions).override()
}

export class Parser {
  readonly #text: string
  readonly #lastBrace: number
  readonly #functions: FunctionGrammar | undefined
  /** Whether a key is read or a value. */
  mode: 'key' | 'value' = 'key'
  #token: Token
  #depth = 0
  /** ANTLR reads the whole first element before it knows whether others follow. */
  #inFirst = false

  constructor(text: string, functions: FunctionGrammar | undefined, start: number = 0) {
    this.#text = text
    this.#functions = functions
    this.#lastBrace = text.lastIndexOf('}')
    this.#token = this.#read(start)
  }

  get token(): Token {
    return this.#token
  }

  override(): OverrideSyntax {
    const prefix = this.prefix()
    if (!keyStarts.has(this.#token.type) && !(prefix === '~' && this.is('EOF'))) {
      this.refuse('a key', prefix === '~' || prefix === '++' ? 'rest' : 'next')
    }
    const key = this.packageOrGroup()
    let ofPackage: string | undefined
    if (this.is('AT')) {
      this.#advance()
      if (!keyStarts.has(this.#token.type) && !this.is('EOF')) this.refuse('a package', 'rest')
      ofPackage = this.package()
    }
    if (prefix === '~' && this.is('EOF')) {
      return { prefix, key, package: ofPackage, elements: undefined }
    }
    if (!this.is('EQUAL')) this.refuse('an =')
    this.#advance()
    const elements: Syntax[] = []
    if (!this.is('EOF')) {
      if (!elementStarts.has(this.#token.type)) this.refuse('a value')
      this.#inFirst = true
      elements.push(this.element())
      this.#inFirst = false
      while (this.skip('COMMA')) elements.push(this.element())
      if (!this.is('EOF')) this.refuse('the end of the value')
    }
    return { prefix, key, package: ofPackage, elements }
  }

  prefix(): OverrideSyntax['prefix'] {
    if (this.skip('TILDE')) return '~'
    if (!this.skip('PLUS')) return ''
    return this.skip('PLUS') ? '++' : '+'
  }

  packageOrGroup(): string {
    const first = this.#token
    let group = this.package()
    if (first.type !== 'ID') return group
    while (this.skip('SLASH')) group += `/${this.expect('ID', 'the name of a group').text}`
    return group
  }

  /** A package may be empty. */
  package(): string {
    const { type, text } = this.#token
    if (type !== 'ID' && type !== 'KEY_SPECIAL' && type !== 'DOT_PATH') return ''
    this.#advance()
    return text
  }

  element(): Syntax {
    const { type } = this.#token
    if (type === 'QUOTED') return { kind: 'primitive', tokens: [this.take()] }
    if (type === 'BRACKET_OPEN') return this.#nested(() => this.#list())
    if (type === 'BRACE_OPEN') return this.#nested(() => this.#dict())
    if (type !== 'ID') return this.primitive(primitiveTokens, 'a value')
    const name = this.take()
    if (this.is('POPEN')) return this.function(name)
    return this.primitive(primitiveTokens, 'a value', name)
  }

  function(name: Token): Syntax {
    return this.#nested(
      () => this.#functions?.(this, name) ?? needFeature(`${name.text}(…)`, 'overrideFunctions'),
    )
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > maxDepth) {
      throw parseFailure(this.#text, this.#token.start, `nests deeper than ${maxDepth} levels`)
    }
    const parsed = parse()
    this.#depth--
    return parsed
  }

  /** @param first its first token, where that was taken already */
  primitive(allowed: ReadonlySet<TokenType>, what: string, first?: Token): PrimitiveSyntax {
    if (first === undefined && !allowed.has(this.#token.type)) this.refuse(what)
    // Most have one token: an array that grows from nothing takes much more.
    const tokens = [first ?? this.take()]
    while (allowed.has(this.#token.type)) tokens.push(this.take())
    return { kind: 'primitive', tokens }
  }

  #list(): ListSyntax {
    const { start } = this.take()
    const items: Syntax[] = []
    if (!this.is('BRACKET_CLOSE')) {
      do items.push(this.element())
      while (this.skip('COMMA'))
    }
    const close = this.expect('BRACKET_CLOSE', 'a , or ]', reachBehind(items))
    return { kind: 'list', items, start, end: close.start + close.text.length }
  }

  #dict(): DictSyntax {
    const { start } = this.take()
    const pairs: (readonly [PrimitiveSyntax, Syntax])[] = []
    if (!this.is('BRACE_CLOSE')) {
      do {
        const key = this.primitive(keyTokens, 'an unquoted key')
        this.expect('COLON', 'a :')
        pairs.push([key, this.element()])
      } while (this.skip('COMMA'))
    }
    const close = this.expect('BRACE_CLOSE', 'a , or }', reachBehind(pairs))
    return { kind: 'dict', pairs, start, end: close.start + close.text.length }
  }

  #advance(): void {
    this.#token = this.#behind(this.#token)
  }

  take(): Token {
    const token = this.#token
    this.#advance()
    return token
  }

  skip(type: TokenType): boolean {
    if (this.#token.type !== type) return false
    this.#advance()
    return true
  }

  expect(type: TokenType, what: string, reach?: Reach): Token {
    if (this.#token.type !== type) this.refuse(what, reach)
    return this.take()
  }

  is(type: TokenType): boolean {
    return this.#token.type === type
  }

  #behind({ start, text, type }: Token): Token {
    if (type === 'EQUAL') this.mode = 'value'
    return this.#read(start + text.length)
  }

  #read(start: number): Token {
    const token = readToken(this.#text, start, this.mode, this.#lastBrace)
    if (token === undefined) throw lexerFailure(this.#text, start)
    return token
  }

  refuse(expected: string, reach: Reach = 'next'): never {
    const refused = this.#token
    if (this.#inFirst || reach === 'rest') {
      for (let token = refused; token.type !== 'EOF'; ) token = this.#behind(token)
    } else if (reach === 'next') {
      this.#behind(refused)
    }
    const found = refused.type === 'EOF' ? 'the end' : JSON.stringify(refused.text)
    throw parseFailure(this.#text, refused.start, `has ${found} where ${expected} must be`)
  }
}

export function reachBehind(items: readonly unknown[]): Reach {
  return items.length > 1 ? 'here' : 'next'
}
