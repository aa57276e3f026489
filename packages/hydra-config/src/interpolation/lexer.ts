import { needFeature } from '../need-feature.ts'
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

/** What the lexer reads differently: text, the inside of `${…}`, arguments, and either kind of quotes. */
export type Mode = 'text' | 'interpolation' | 'value' | 'single' | 'double'

/** The tokens of a mode: the one of the group that matches. */
export interface Rules {
  readonly pattern: RegExp
  readonly types: readonly TokenType[]
  /** What some identifiers are instead, by their lower case. */
  readonly words?: ReadonlyMap<string, TokenType>
}

/** Without those of arguments, `${name:…}` is refused. */
export type Modes = Readonly<Partial<Record<Mode, Rules>>>

export const open = '(\\$\\{[ \\t]*)'
const keyCharacter = `[^\\\\{}()[\\]:. \\t'"]`
export const identifier = '[a-zA-Z_][a-zA-Z0-9_-]*'

// In ANTLR the longest match wins, of equally long ones the first rule. Here the first alternative does: each excludes
// those behind it where they would be longer.
export const textModes: Modes = {
  text: textRules('', ['top escape']),
  interpolation: {
    pattern: new RegExp(
      `${open}|([ \\t]*:[ \\t]*)|([ \\t]*\\})|(\\.)|(\\[)|(\\])|(${identifier}(?!${keyCharacter}))|(${keyCharacter}+)`,
      'y',
    ),
    types: ['${', ':', '}', '.', '[', ']', 'id', 'key'],
  },
}

/**
 * Text, of quotes that end with `quote` where they do.
 * @param escape the type of backslashes before its end, and what a quote has besides
 */
export function textRules(quote: string, [escape, ...ofQuote]: readonly [TokenType, ...TokenType[]]): Rules {
  const quoted = quote === '' ? '' : `(${quote})|((?:\\\\\\\\)*\\\\${quote})|`
  return {
    pattern: new RegExp(
      `${open}|${quoted}([^${quote}$]*[^\\\\${quote}$])|((?:\\\\\\\\)*\\\\\\$\\{)|((?:\\\\\\\\)+(?!\\\\))|(\\\\+|\\$)`,
      'y',
    ),
    types: ['${', ...ofQuote, 'string', 'escaped interpolation', escape, 'string'],
  }
}

/** Cuts a text into tokens, one at a time. */
export class Lexer {
  readonly #text: string
  readonly #modes: Modes
  readonly #outer: Mode[] = []
  #mode: Mode
  #offset = 0

  constructor(text: string, start: Mode, modes: Modes) {
    this.#text = text
    this.#mode = start
    this.#modes = modes
  }

  /**
   * The next token; at the end of the text one of type `end`.
   * @throws HydraConfigError `INTERPOLATION_PARSE`
   */
  next(): Token {
    const text = this.#text
    const offset = this.#offset
    if (offset >= text.length) return { type: 'end', text: '', offset }
    const { pattern, types, words } =
      this.#modes[this.#mode] ?? needFeature('${name:…}, the call of a resolver,', 'resolverCalls')
    pattern.lastIndex = offset
    const found = pattern.exec(text)
    const group = found === null ? 0 : found.findIndex((each, index) => index > 0 && each !== undefined)
    const type = types[group - 1]
    if (found === null || type === undefined) {
      throw parseError(`${JSON.stringify(text.charAt(offset))} cannot stand in an interpolation`, offset)
    }
    const [token] = found
    this.#offset += token.length
    const word = type === 'id' ? words?.get(token.toLowerCase()) : undefined
    this.#turn(type, token, offset)
    return { type: word ?? type, text: token, offset }
  }

  /** Turns to the mode behind a token. */
  #turn(type: TokenType, token: string, offset: number): void {
    if (type === '${') this.#enter('interpolation')
    else if (type === '{') this.#enter('value')
    else if (type === 'quote') this.#enter(token === "'" ? 'single' : 'double')
    else if (type === ':') this.#mode = 'value'
    else if (type === '}' || type === 'quote close') {
      const before = this.#outer.pop()
      if (before === undefined) throw parseError("'}' without '{'", offset)
      this.#mode = before
    }
  }

  #enter(mode: Mode): void {
    this.#outer.push(this.#mode)
    this.#mode = mode
  }
}
