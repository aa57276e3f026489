/** The terminals of Hydra's override grammar (`hydra/grammar/OverrideLexer.g4`); `EOF` is the end of the text. */
export type TokenType =
  | 'EQUAL'
  | 'TILDE'
  | 'PLUS'
  | 'AT'
  | 'COLON'
  | 'SLASH'
  | 'ID'
  | 'KEY_SPECIAL'
  | 'DOT_PATH'
  | 'POPEN'
  | 'PCLOSE'
  | 'COMMA'
  | 'BRACKET_OPEN'
  | 'BRACKET_CLOSE'
  | 'BRACE_OPEN'
  | 'BRACE_CLOSE'
  | 'FLOAT'
  | 'INT'
  | 'BOOL'
  | 'NULL'
  | 'UNQUOTED_CHAR'
  | 'ESC'
  | 'WS'
  | 'QUOTED'
  | 'INTERPOLATION'
  | 'EOF'

export interface Token {
  readonly type: TokenType
  /** As it stands in the source: separators hold the white space that they absorb. */
  readonly text: string
  /** Index of its first UTF-16 code unit. */
  readonly start: number
}

const keyRules: readonly (readonly [TokenType, RegExp])[] = [
  ['EQUAL', /=[ \t]*/y],
  [
    'DOT_PATH',
    /(?:[A-Za-z_$][A-Za-z0-9_$-]*|0|[1-9](?:_?[0-9])*)(?:\.(?:[A-Za-z_$][A-Za-z0-9_$-]*|0|[1-9](?:_?[0-9])*))+/y,
  ],
  ['KEY_SPECIAL', /[A-Za-z_$][A-Za-z0-9_$-]*/y],
  ['TILDE', /~/y],
  ['PLUS', /\+/y],
  ['AT', /@/y],
  ['COLON', /:/y],
  ['SLASH', /\//y],
]

const number =
  /[+-]?(?:(?:0|[1-9](?:_?[0-9])*)(?:\.(?:[0-9](?:_?[0-9])*)?)?|\.[0-9](?:_?[0-9])*)(?:[eE][+-]?[0-9](?:_?[0-9])*)?/y
const integer = /^[+-]?[0-9_]+$/
const signedWord = /[+-](?:inf|nan)/iy
const word = /[A-Za-z_][A-Za-z0-9_-]*/y
const escapes = /(?:\\[\\()[\]{}:=, \t])+/y
const interpolation = /\$\{[^}]+\}/y
const spaced = /[ \t]*([(,:=])[ \t]*|([[{])[ \t]*|[ \t]*([)\]}])/y
const blank = /[ \t]+/y
const otherRules: readonly (readonly [TokenType, RegExp])[] = [
  ['WS', blank],
  ['INTERPOLATION', interpolation],
  ['ESC', escapes],
  ['FLOAT', signedWord],
]
const unquotedChars = '/-\\+.$%*@?|'

const separators: Readonly<Record<string, TokenType>> = {
  '(': 'POPEN',
  ')': 'PCLOSE',
  ',': 'COMMA',
  ':': 'COLON',
  '=': 'EQUAL',
  '[': 'BRACKET_OPEN',
  ']': 'BRACKET_CLOSE',
  '{': 'BRACE_OPEN',
  '}': 'BRACE_CLOSE',
}

/**
 * Reads the token at `start`: undefined where no token begins there. The longest match wins, as in ANTLR, and of equal
 * ones the first rule of the grammar.
 *
 * @param mode `key` up to the first `=`, then `value` for good
 * @param lastBrace where the last `}` of the text is: no interpolation ends behind it
 */
export function readToken(
  text: string,
  start: number,
  mode: 'key' | 'value',
  lastBrace: number,
): Token | undefined {
  if (start >= text.length) return { type: 'EOF', text: '', start }
  return mode === 'key' ? readKeyToken(text, start) : readValueToken(text, start, lastBrace)
}

function readKeyToken(text: string, start: number): Token | undefined {
  for (const [type, rule] of keyRules) {
    const found = match(rule, text, start)
    if (found === undefined) continue
    const plain = type === 'KEY_SPECIAL' && !found.includes('$')
    return { type: plain ? 'ID' : type, text: found, start }
  }
  return undefined
}

function readValueToken(text: string, start: number, lastBrace: number): Token | undefined {
  const char = text.charAt(start)
  // The first character tells most tokens apart.
  if (char === '"' || char === "'") {
    const end = endOfQuoted(text, start, char)
    return end === -1 ? undefined : { type: 'QUOTED', text: text.slice(start, end), start }
  }
  const name = match(word, text, start)
  if (name !== undefined) return { type: typeOfWord(name), text: name, start }
  const separator = match(spaced, text, start)
  if (separator !== undefined) {
    const type = separators[separator.trim()]
    if (type !== undefined) return { type, text: separator, start }
  }
  const digits = match(number, text, start)
  if (digits !== undefined) return { type: integer.test(digits) ? 'INT' : 'FLOAT', text: digits, start }
  for (const [otherType, rule] of otherRules) {
    const found = otherType === 'INTERPOLATION' && start > lastBrace ? undefined : match(rule, text, start)
    if (found !== undefined) return { type: otherType, text: found, start }
  }
  return unquotedChars.includes(char) ? { type: 'UNQUOTED_CHAR', text: char, start } : undefined
}

function match(rule: RegExp, text: string, start: number): string | undefined {
  rule.lastIndex = start
  // No result is made of those that do not match, nor an array of the one that does.
  return rule.test(text) ? text.slice(start, rule.lastIndex) : undefined
}

function typeOfWord(text: string): TokenType {
  if (text.length > 5) return 'ID'
  const lower = text.toLowerCase()
  if (lower === 'true' || lower === 'false') return 'BOOL'
  if (lower === 'null') return 'NULL'
  return lower === 'inf' || lower === 'nan' ? 'FLOAT' : 'ID'
}

/** The index behind the closing quote, the first one after an even number of backslashes; -1 where there is none. */
function endOfQuoted(text: string, start: number, quote: string): number {
  let backslashes = 0
  for (let at = start + 1; at < text.length; at++) {
    const char = text.charAt(at)
    if (char === quote && backslashes % 2 === 0) return at + 1
    backslashes = char === '\\' ? backslashes + 1 : 0
  }
  return -1
}
