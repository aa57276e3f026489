import { readToken, type Token, type TokenType } from '../lexer.ts'
import { type Expected, expectedAt, ruleOf, type State, type Step } from './network.ts'
import { predict } from './predict.ts'

/**
 * What ANTLR's parser says of an override that is none, as Hydra writes it: the first error alone. Undefined where the
 * tokens are an override.
 */
export function antlrMessage(text: string): string | undefined {
  const parser = new Parser(tokensOf(text))
  try {
    parser.rule(ruleOf('override').step)
    return undefined
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error
    return error.bare ? `Error parsing override '${text}'\n${error.message}` : error.message
  }
}

/** In the order of ANTLR's numbers, which is that of its lists. */
const types = [
  'EOF',
  '',
  'EQUAL',
  'TILDE',
  'PLUS',
  'AT',
  'COLON',
  'SLASH',
  'KEY_SPECIAL',
  'DOT_PATH',
  'POPEN',
  'COMMA',
  'PCLOSE',
  'BRACKET_OPEN',
  'BRACKET_CLOSE',
  'BRACE_OPEN',
  'BRACE_CLOSE',
  'FLOAT',
  'INT',
  'BOOL',
  'NULL',
  'UNQUOTED_CHAR',
  'ID',
  'ESC',
  'WS',
  'QUOTED',
  'INTERPOLATION',
]

const shownTypes: Readonly<Partial<Record<TokenType, string>>> = {
  EOF: '<EOF>',
  TILDE: "'~'",
  PLUS: "'+'",
  AT: "'@'",
  COLON: "':'",
  SLASH: "'/'",
  QUOTED: 'QUOTED_VALUE',
}

class SyntaxFault extends Error {
  /** Whether ANTLR mends it by one token more or less: it is no exception to it, and Hydra says more. */
  readonly bare: boolean

  constructor(message: string, bare: boolean) {
    super(message)
    this.bare = bare
  }
}

/** All of them up to what is no token. */
function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = []
  const lastBrace = text.lastIndexOf('}')
  let mode: 'key' | 'value' = 'key'
  for (let start = 0; ; ) {
    const token = readToken(text, start, mode, lastBrace)
    if (token === undefined) return tokens
    tokens.push(token)
    if (token.type === 'EOF') return tokens
    if (token.type === 'EQUAL') mode = 'value'
    start += token.text.length
  }
}

/** Does what the parser does that ANTLR generates, up to its first error. */
class Parser {
  readonly #tokens: readonly Token[]
  #at = 0
  /** Where it goes on behind each rule that it is in. */
  readonly #backs: State[] = []

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  rule(step: Step): void {
    const { part, steps, state } = step
    if (part.op === 'sequence') for (const each of steps) this.rule(each)
    else if (part.op === 'token') this.#match(state, part.types)
    else if (part.op === 'rule') {
      const [edge] = state.edges
      if (edge?.kind === 'rule') this.#backs.push(edge.back)
      this.rule(ruleOf(part.name).step)
      this.#backs.pop()
    } else if (part.op === 'star' || part.op === 'plus') this.#repeat(step)
    else this.#decide(step)
  }

  #decide({ part, steps, state }: Step): void {
    this.#sync(state)
    const isMany = 'ahead' in part && part.ahead === 'many'
    if (isMany) {
      const predicted = predict({ part, steps, state, again: state }, (ahead) => this.#type(ahead))
      if ('dead' in predicted) this.#noAlternative(predicted.dead)
      const taken = 'alternative' in predicted ? steps[predicted.alternative] : undefined
      if (taken !== undefined) this.rule(taken)
      return
    }
    const type = this.#type()
    const taken = steps.find((each) => expectedAt(each.state).has(type))
    if (taken !== undefined) return this.rule(taken)
    if (part.op === 'optional') return
    const mayEnd = steps.some((each) => expectedAt(each.state).has('end'))
    if (!(mayEnd && endsOfPackage.has(type))) this.#noAlternative(0)
  }

  #repeat({ part, steps: [body], state, again }: Step): void {
    if (body === undefined) return
    this.#sync(state)
    if (part.op === 'plus') {
      this.rule(body)
      this.#syncBack(again)
    }
    while (expectedAt(body.state).has(this.#type())) {
      this.rule(body)
      this.#syncBack(again)
    }
  }

  /** Before a decision: a token that cannot come is told as soon as it is met. */
  #sync(state: State): void {
    const expected = expectedAt(state)
    if (expected.has(this.#type()) || expected.has('end')) return
    this.#ensureNoneTooMuch(state)
    this.#mismatch(state)
  }

  #syncBack(state: State): void {
    const expected = expectedAt(state)
    if (!expected.has(this.#type()) && !expected.has('end')) this.#tooMuch(state)
  }

  #match(state: State, wanted: ReadonlySet<TokenType>): void {
    if (wanted.has(this.#type())) {
      this.#at++
      return
    }
    this.#ensureNoneTooMuch(state)
    const [edge] = state.edges
    if (edge !== undefined && this.#expectedFrom(edge.to).has(this.#type())) {
      throw new SyntaxFault(`missing ${list(this.#expectedFrom(state))} at ${this.#shown()}`, true)
    }
    this.#mismatch(state)
  }

  /** Where the next token but one may come, there is one too much. */
  #ensureNoneTooMuch(state: State): void {
    if (this.#expectedFrom(state).has(this.#type(1))) this.#tooMuch(state)
  }

  #tooMuch(state: State): never {
    throw new SyntaxFault(
      `extraneous input ${this.#shown()} expecting ${list(this.#expectedFrom(state))}`,
      true,
    )
  }

  #mismatch(state: State): never {
    throw new SyntaxFault(
      `mismatched input ${this.#shown()} expecting ${list(this.#expectedFrom(state))}`,
      false,
    )
  }

  /** @param ahead how many tokens behind the next one it was found out */
  #noAlternative(ahead: number): never {
    const read = this.#tokens.slice(this.#at, this.#at + ahead + 1).map(({ text }) => text)
    const shown = this.#type() === 'EOF' ? '<EOF>' : read.join('')
    throw new SyntaxFault(`no viable alternative at input ${quoted(shown)}`, false)
  }

  /** What may come, by all the rules that it is in. */
  #expectedFrom(state: State): Expected {
    const expected = new Set(expectedAt(state))
    for (const back of this.#backs.toReversed()) {
      if (!expected.delete('end')) return expected
      for (const type of expectedAt(back)) expected.add(type)
    }
    if (expected.delete('end')) expected.add('EOF')
    return expected
  }

  #type(ahead = 0): TokenType {
    return this.#tokens[this.#at + ahead]?.type ?? 'EOF'
  }

  #shown(): string {
    return this.#type() === 'EOF' ? "'<EOF>'" : quoted(this.#tokens[this.#at]?.text ?? '')
  }
}

/** What ANTLR found to follow an empty package. */
const endsOfPackage: ReadonlySet<TokenType> = new Set(['EOF', 'EQUAL', 'AT'])

function list(expected: Expected): string {
  const names = [...expected]
    .filter((type) => type !== 'end')
    .toSorted((a, b) => types.indexOf(a) - types.indexOf(b))
    .map((type) => shownTypes[type] ?? type)
  return names.length > 1 ? `{${names.join(', ')}}` : names.join('')
}

function quoted(text: string): string {
  return `'${text.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')}'`
}
