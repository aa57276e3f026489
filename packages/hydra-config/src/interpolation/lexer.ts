import { parseError } from './errors.ts'

/** The tokens of OmegaConf's interpolation grammar (omegaconf/grammar/OmegaConfGrammarLexer.g4). */
export type TokenType =
  | 'string'
  | 'escaped interpolation'
  | 'top escape'
  | 'quoted escape'
  | '${'
  | '}'
  | '{'
  | '['
  | ']'
  | ','
  | ':'
  | '.'
  | 'quote'
  | 'quote close'
  | 'float'
  | 'int'
  | 'bool'
  | 'null'
  | 'character'
  | 'id'
  | 'escape'
  | 'space'
  | 'key'
  | 'end'

export interface Token {
  readonly type: TokenType
  readonly text: string
  readonly offset: number
}

/** What the lexer reads differently: text, arguments, the inside of `${…}`, and either kind of quotes. */
export type Mode = 'text' | 'value' | 'interpolation' | 'single' | 'double'

interface Rule {
  readonly type: TokenType
  readonly pattern: RegExp
  /** The characters that it may begin with. */
  readonly first: RegExp
  readonly push?: Mode
  /** The mode that takes the place of this one. */
  readonly become?: Mode
  readonly pop?: true
}

const integer = '(?:0|[1-9](?:_?[0-9])*)'
const point = `(?:${integer}?\\.[0-9](?:_?[0-9])*|${integer}\\.)`
const exponent = `(?:${point}|${integer})[eE][+-]?[0-9](?:_?[0-9])*`
const float = new RegExp(`[+-]?(?:${exponent}|${point}|[iI][nN][fF]|[nN][aA][nN])`, 'y')

const open: Rule = { type: '${', pattern: /\$\{[ \t]*/y, first: /\$/, push: 'interpolation' }
const escapedInterpolation: Rule = {
  type: 'escaped interpolation',
  pattern: /(?:\\\\)*\\\$\{/y,
  first: /\\/,
}
const backslashes: Rule = { type: 'string', pattern: /\\+/y, first: /\\/ }
const dollar: Rule = { type: 'string', pattern: /\$/y, first: /\$/ }
const id: Rule = { type: 'id', pattern: /[a-zA-Z_][a-zA-Z0-9_-]*/y, first: /[a-zA-Z_]/ }

// Of several matches the longest wins, of equally long ones the first.
const rules: Readonly<Record<Mode, readonly Rule[]>> = {
  text: [
    open,
    { type: 'string', pattern: /[^$]*[^\\$]/y, first: /[^$]/ },
    escapedInterpolation,
    { type: 'top escape', pattern: /(?:\\\\)+/y, first: /\\/ },
    backslashes,
    dollar,
  ],
  value: [
    open,
    { type: '{', pattern: /\{[ \t]*/y, first: /\{/, push: 'value' },
    { type: '}', pattern: /[ \t]*\}/y, first: /[ \t}]/, pop: true },
    { type: 'quote', pattern: /'/y, first: /'/, push: 'single' },
    { type: 'quote', pattern: /"/y, first: /"/, push: 'double' },
    { type: ',', pattern: /[ \t]*,[ \t]*/y, first: /[ \t,]/ },
    { type: '[', pattern: /\[[ \t]*/y, first: /\[/ },
    { type: ']', pattern: /[ \t]*\]/y, first: /[ \t\]]/ },
    { type: ':', pattern: /[ \t]*:[ \t]*/y, first: /[ \t:]/ },
    { type: 'float', pattern: float, first: /[+\-.0-9iInN]/ },
    { type: 'int', pattern: new RegExp(`[+-]?${integer}`, 'y'), first: /[+\-0-9]/ },
    { type: 'bool', pattern: /true|false/iy, first: /[tTfF]/ },
    { type: 'null', pattern: /null/iy, first: /[nN]/ },
    { type: 'character', pattern: /[/\-\\+.$%*@?|]/y, first: /[/\-\\+.$%*@?|]/ },
    id,
    { type: 'escape', pattern: /(?:\\[\\()[\]{}:=, \t])+/y, first: /\\/ },
    { type: 'space', pattern: /[ \t]+/y, first: /[ \t]/ },
  ],
  interpolation: [
    open,
    { type: ':', pattern: /[ \t]*:[ \t]*/y, first: /[ \t:]/, become: 'value' },
    { type: '}', pattern: /[ \t]*\}/y, first: /[ \t}]/, pop: true },
    { type: '.', pattern: /\./y, first: /\./ },
    { type: '[', pattern: /\[/y, first: /\[/ },
    { type: ']', pattern: /\]/y, first: /\]/ },
    id,
    { type: 'key', pattern: /[^\\{}()[\]:. \t'"]+/y, first: /[^\\{}()[\]:. \t'"]/ },
  ],
  single: quotedRules("'"),
  double: quotedRules('"'),
}

function quotedRules(quote: string): Rule[] {
  return [
    open,
    { type: 'quote close', pattern: new RegExp(quote, 'y'), first: new RegExp(quote), pop: true },
    {
      type: 'string',
      pattern: new RegExp(`[^${quote}$]*[^\\\\${quote}$]`, 'y'),
      first: new RegExp(`[^${quote}$]`),
    },
    escapedInterpolation,
    { type: 'escape', pattern: new RegExp(`(?:\\\\\\\\)*\\\\${quote}`, 'y'), first: /\\/ },
    { type: 'quoted escape', pattern: /(?:\\\\)+/y, first: /\\/ },
    backslashes,
    dollar,
  ]
}

const asciiCount = 128
// Beyond ASCII every rule takes all characters, or none.
const beyondAscii = '\u0080'

/** The rules by the first character, the last ones for those beyond ASCII. */
const candidates: Readonly<Record<Mode, readonly (readonly Rule[])[]>> = {
  text: byFirst(rules.text),
  value: byFirst(rules.value),
  interpolation: byFirst(rules.interpolation),
  single: byFirst(rules.single),
  double: byFirst(rules.double),
}

function byFirst(all: readonly Rule[]): readonly (readonly Rule[])[] {
  return Array.from({ length: asciiCount + 1 }, (_, code) => {
    const character = code < asciiCount ? String.fromCharCode(code) : beyondAscii
    return all.filter(({ first }) => first.test(character))
  })
}

/** Cuts a text into tokens, one at a time. */
export class Lexer {
  readonly #text: string
  readonly #outer: Mode[] = []
  #mode: Mode
  #offset = 0

  constructor(text: string, start: Mode) {
    this.#text = text
    this.#mode = start
  }

  /**
   * The next token; at the end of the text one of type `end`.
   * @throws HydraConfigError `INTERPOLATION_PARSE`
   */
  next(): Token {
    const text = this.#text
    const offset = this.#offset
    if (offset >= text.length) return { type: 'end', text: '', offset }
    let end = offset
    let rule: Rule | undefined
    for (const candidate of candidates[this.#mode][Math.min(text.charCodeAt(offset), asciiCount)] ?? []) {
      const { pattern } = candidate
      pattern.lastIndex = offset
      if (pattern.test(text) && pattern.lastIndex > end) {
        end = pattern.lastIndex
        rule = candidate
      }
    }
    if (rule === undefined) {
      throw parseError(`${JSON.stringify(text.charAt(offset))} cannot stand in an interpolation`, offset)
    }
    this.#offset = end
    this.#turn(rule, offset)
    return { type: rule.type, text: text.slice(offset, end), offset }
  }

  #turn({ push, become, pop }: Rule, offset: number): void {
    if (push !== undefined) {
      this.#outer.push(this.#mode)
      this.#mode = push
    } else if (become !== undefined) {
      this.#mode = become
    } else if (pop) {
      const before = this.#outer.pop()
      if (before === undefined) throw parseError("'}' without '{'", offset)
      this.#mode = before
    }
  }
}
