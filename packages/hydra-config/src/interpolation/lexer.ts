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
  readonly push?: Mode
  /** The mode that takes the place of this one. */
  readonly become?: Mode
  readonly pop?: true
}

const integer = '(?:0|[1-9](?:_?[0-9])*)'
const point = `(?:${integer}?\\.[0-9](?:_?[0-9])*|${integer}\\.)`
const exponent = `(?:${point}|${integer})[eE][+-]?[0-9](?:_?[0-9])*`
const float = new RegExp(`[+-]?(?:${exponent}|${point}|[iI][nN][fF]|[nN][aA][nN])`, 'y')

const open: Rule = { type: '${', pattern: /\$\{[ \t]*/y, push: 'interpolation' }
const escapedInterpolation: Rule = { type: 'escaped interpolation', pattern: /(?:\\\\)*\\\$\{/y }
const backslashes: Rule = { type: 'string', pattern: /\\+/y }
const dollar: Rule = { type: 'string', pattern: /\$/y }

// Of several matches the longest wins, of equally long ones the first.
const rules: Readonly<Record<Mode, readonly Rule[]>> = {
  text: [
    open,
    { type: 'string', pattern: /[^$]*[^\\$]/y },
    escapedInterpolation,
    { type: 'top escape', pattern: /(?:\\\\)+/y },
    backslashes,
    dollar,
  ],
  value: [
    open,
    { type: '{', pattern: /\{[ \t]*/y, push: 'value' },
    { type: '}', pattern: /[ \t]*\}/y, pop: true },
    { type: 'quote', pattern: /'/y, push: 'single' },
    { type: 'quote', pattern: /"/y, push: 'double' },
    { type: ',', pattern: /[ \t]*,[ \t]*/y },
    { type: '[', pattern: /\[[ \t]*/y },
    { type: ']', pattern: /[ \t]*\]/y },
    { type: ':', pattern: /[ \t]*:[ \t]*/y },
    { type: 'float', pattern: float },
    { type: 'int', pattern: new RegExp(`[+-]?${integer}`, 'y') },
    { type: 'bool', pattern: /true|false/iy },
    { type: 'null', pattern: /null/iy },
    { type: 'character', pattern: /[/\-\\+.$%*@?|]/y },
    { type: 'id', pattern: /[a-zA-Z_][a-zA-Z0-9_-]*/y },
    { type: 'escape', pattern: /(?:\\[\\()[\]{}:=, \t])+/y },
    { type: 'space', pattern: /[ \t]+/y },
  ],
  interpolation: [
    open,
    { type: ':', pattern: /[ \t]*:[ \t]*/y, become: 'value' },
    { type: '}', pattern: /[ \t]*\}/y, pop: true },
    { type: '.', pattern: /\./y },
    { type: '[', pattern: /\[/y },
    { type: ']', pattern: /\]/y },
    { type: 'id', pattern: /[a-zA-Z_][a-zA-Z0-9_-]*/y },
    { type: 'key', pattern: /[^\\{}()[\]:. \t'"]+/y },
  ],
  single: quotedRules("'"),
  double: quotedRules('"'),
}

function quotedRules(quote: string): Rule[] {
  return [
    open,
    { type: 'quote close', pattern: new RegExp(quote, 'y'), pop: true },
    { type: 'string', pattern: new RegExp(`[^${quote}$]*[^\\\\${quote}$]`, 'y') },
    escapedInterpolation,
    { type: 'escape', pattern: new RegExp(`(?:\\\\\\\\)*\\\\${quote}`, 'y') },
    { type: 'quoted escape', pattern: /(?:\\\\)+/y },
    backslashes,
    dollar,
  ]
}

/**
 * Cuts `text` into tokens, the last of type `end`.
 * @throws HydraConfigError `INTERPOLATION_PARSE`
 */
export function tokenize(text: string, start: Mode): Token[] {
  const tokens: Token[] = []
  const outer: Mode[] = []
  let mode = start
  let offset = 0
  while (offset < text.length) {
    let length = 0
    let rule: Rule | undefined
    for (const candidate of rules[mode]) {
      candidate.pattern.lastIndex = offset
      const matched = candidate.pattern.exec(text)?.[0].length ?? 0
      if (matched > length) {
        length = matched
        rule = candidate
      }
    }
    if (rule === undefined) {
      throw parseError(`${JSON.stringify(text.charAt(offset))} cannot stand in an interpolation`, offset)
    }
    tokens.push({ type: rule.type, text: text.slice(offset, offset + length), offset })
    offset += length
    if (rule.push !== undefined) {
      outer.push(mode)
      mode = rule.push
    } else if (rule.become !== undefined) {
      mode = rule.become
    } else if (rule.pop) {
      const before = outer.pop()
      if (before === undefined) throw parseError("'}' without '{'", offset - length)
      mode = before
    }
  }
  tokens.push({ type: 'end', text: '', offset })
  return tokens
}
