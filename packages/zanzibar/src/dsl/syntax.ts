// Runs the grammar over a text. Where the text is wrong, goes on as ANTLR's default strategy does (`DefaultErrorStrategy`): a token too many
// is left out, a missing one is thought to be there, else tokens are skipped up to one that may follow; so that all errors are found.
import type { Position } from '../errors.ts'
import { grammar, type RuleName, type State } from './grammar.ts'
import { comment, createLexer, type Lexer } from './lexer.ts'
import { firstKinds, oneTokenDecision } from './lookahead.ts'
import { Predictor, type Stack, Stacks } from './prediction.ts'
import type { SyntaxNode } from './syntax-tree.ts'
import { endOfFile, type Kind, missingToken, nothing, showKinds, type Token } from './tokens.ts'

/** Tells an error at a token. */
export type Report = (message: string, at: Token) => void

export interface Syntax {
  readonly tree: SyntaxNode
  /** Grows when `report` is called. */
  readonly positions: Position[]
  readonly report: Report
}

/** The syntax tree of a text, and all that is wrong with it. Parentheses may be nested as deep as memory allows. */
export function readSyntax(text: string): Syntax {
  const positions: Position[] = []
  const add = (message: string, line: number, start: number, end: number): void => {
    positions.push({ kind: 'syntax', message, line: { start: line, end: line }, column: { start, end } })
  }
  const report: Report = (message, at) => add(message, at.line, at.column, at.column + at.text.length)
  const lexer = createLexer(withoutComments(text), (message, line, column) =>
    add(message, line, column, column),
  )
  return { tree: new SyntaxReader(new TokenStream(lexer), report).read(), positions, report }
}

/** The text as OpenFGA cleans it first: comments go, their lines stay. */
function withoutComments(text: string): string {
  return text
    .split('\n')
    .map((line) => (line.trimStart().startsWith('#') ? '' : (line.split(' #')[0] ?? '').trimEnd()))
    .join('\n')
}

/** Tokens as far as they were asked for: errors of the lexer come when ANTLR's would. */
class TokenStream {
  readonly #lexer: Lexer
  /** Hidden ones too. */
  readonly #all: Token[] = []
  /** Those that are not hidden, with their places in `#all`. */
  readonly #shown: { readonly token: Token; readonly place: number }[] = []
  index = 0

  constructor(lexer: Lexer) {
    this.#lexer = lexer
  }

  /** The token so many places ahead; behind the last one, again the end. */
  ahead(places: number): Token {
    const wanted = this.index + places
    for (;;) {
      const shown = this.#shown[wanted]
      if (shown !== undefined) return shown.token
      const last = this.#all.at(-1)
      if (last?.kind === endOfFile) return last
      const token = this.#lexer.next()
      if (token.kind !== comment) this.#shown.push({ token, place: this.#all.length })
      this.#all.push(token)
    }
  }

  advance(): void {
    if (this.ahead(0).kind === endOfFile) return
    this.index++
    this.ahead(0)
  }

  /** From the token at hand up to `last`, with what is hidden between; the end has no text. Reads all, as ANTLR does here. */
  textUpTo(last: Token): string {
    this.ahead(Number.POSITIVE_INFINITY)
    const from = this.#shown[this.index]?.place ?? 0
    const tokens = this.#all.slice(from, this.#all.indexOf(last, from) + 1)
    return tokens.map(({ kind, text }) => (kind === endOfFile ? '' : text)).join('')
  }
}

/** A rule that is open. */
interface Frame {
  readonly node: SyntaxNode
  /** Where it is called from, and goes on afterwards; undefined for the outermost. */
  readonly caller: { readonly frame: Frame; readonly follow: State } | undefined
  readonly stack: Stack
  /** All that may follow one of the open rules. */
  readonly recovery: ReadonlySet<Kind>
}

class SyntaxReader {
  readonly #tokens: TokenStream
  readonly #report: Report
  readonly #stacks = new Stacks()
  readonly #predictor = new Predictor(this.#stacks)
  #frame: Frame
  #state: State = grammar().start.main
  /** After an error nothing more is reported until a token fits. */
  #recovering = false
  #lastErrorIndex = -1
  #lastErrorStates = new Set<State>()

  constructor(tokens: TokenStream, report: Report) {
    this.#tokens = tokens
    this.#report = report
    this.#frame = {
      node: { rule: 'main', start: tokens.ahead(0), children: [] },
      caller: undefined,
      stack: this.#stacks.bottom,
      recovery: new Set(),
    }
  }

  read(): SyntaxNode {
    const root = this.#frame.node
    let next: State | undefined = this.#state
    while (next !== undefined) {
      // A rule that failed is left as one that ended.
      next = next.kind === 'stop' ? this.#leave() : (this.#step(next) ?? this.#leave())
    }
    return root
  }

  #leave(): State | undefined {
    const { caller } = this.#frame
    if (caller === undefined) return undefined
    this.#frame = caller.frame
    return caller.follow
  }

  #enter(rule: RuleName, follow: State): State {
    const node: SyntaxNode = { rule, start: this.#tokens.ahead(0), children: [] }
    this.#frame.node.children.push(node)
    const { stack, recovery } = this.#frame
    const more = [...firstKinds(follow)].filter((kind) => kind !== nothing && !recovery.has(kind))
    this.#frame = {
      node,
      caller: { frame: this.#frame, follow },
      stack: this.#stacks.push(stack, follow),
      recovery: more.length === 0 ? recovery : new Set([...recovery, ...more]),
    }
    return grammar().start[rule]
  }

  /** The next state; undefined where the rule cannot go on, which is reported. */
  #step(state: State): State | undefined {
    if (state.kind === 'block' || state.kind === 'starEntry') {
      return this.#synchronise(state) ? this.#decide(state, state) : undefined
    }
    if (state.kind === 'starBack' || state.kind === 'plusBack') {
      this.#synchronise(state)
      return this.#decide(state, state.entry ?? state)
    }
    if (state.kind === 'plusEntry' && !this.#synchronise(state)) return undefined
    const [edge] = state.edges
    if (edge === undefined || edge.on === 'nothing') return edge?.to
    this.#state = state
    if (edge.on === 'rule') return this.#enter(edge.rule, edge.follow)
    return this.#take(edge.kinds, edge.single, edge.to) ? edge.to : undefined
  }

  #decide(state: State, decision: State): State | undefined {
    this.#state = state
    const looks = oneTokenDecision(decision)
    if (looks === undefined) {
      const ahead = (i: number): Token => this.#tokens.ahead(i)
      const prediction = this.#predictor.predict(decision, ahead, this.#frame.stack)
      if ('alternative' in prediction) return decision.edges[prediction.alternative]?.to
      this.#failWithoutAlternative(prediction.stuckAt)
      return undefined
    }
    const { kind } = this.#tokens.ahead(0)
    const chosen = looks.findIndex((look) => look.has(kind))
    if (chosen >= 0) return decision.edges[chosen]?.to
    // The way around what is optional, and out of a loop, comes last; other blocks have none.
    if (decision.kind !== 'block' || decision.optional === true) return decision.edges.at(-1)?.to
    this.#failWithoutAlternative(this.#tokens.ahead(0))
    return undefined
  }

  #consume(): void {
    this.#frame.node.children.push(this.#tokens.ahead(0))
    this.#tokens.advance()
  }

  #consumeUntil(kinds: ReadonlySet<Kind>): void {
    for (let { kind } = this.#tokens.ahead(0); kind !== endOfFile && !kinds.has(kind); ) {
      this.#consume()
      kind = this.#tokens.ahead(0).kind
    }
  }

  #take(kinds: ReadonlySet<Kind>, single: boolean, to: State): boolean {
    const token = this.#tokens.ahead(0)
    if (kinds.has(token.kind)) {
      this.#settle()
      this.#consume()
      return true
    }
    if (this.#deleteToken()) {
      this.#consume()
      return true
    }
    if (this.#mayFollow(to).has(token.kind)) {
      this.#tell(() => `missing ${showKinds(this.#expected())} at ${quote(token.text)}`, token)
      const first = Math.min(...this.#expected())
      if (single) this.#frame.node.children.push(missingToken(first, token))
      return true
    }
    return this.#failWithMismatch()
  }

  /** Before a decision: a token that fits nowhere is left out. False where that does not help. */
  #synchronise(state: State): boolean {
    this.#state = state
    if (this.#recovering) return true
    const first = firstKinds(state)
    if (first.has(this.#tokens.ahead(0).kind) || first.has(nothing)) return true
    if (state.kind !== 'starBack' && state.kind !== 'plusBack')
      return this.#deleteToken() || this.#failWithMismatch()
    this.#tellUnwanted()
    this.#consumeUntil(new Set([...this.#expected(), ...this.#frame.recovery]))
    return true
  }

  /** Leaves out the token at hand when the one behind it is what is expected. */
  #deleteToken(): boolean {
    if (!this.#expected().has(this.#tokens.ahead(1).kind)) return false
    this.#tellUnwanted()
    this.#consume()
    this.#settle()
    return true
  }

  #settle(): void {
    this.#recovering = false
    this.#lastErrorIndex = -1
    this.#lastErrorStates = new Set()
  }

  #tell(message: () => string, at: Token): void {
    if (this.#recovering) return
    this.#recovering = true
    this.#report(message(), at)
  }

  #tellUnwanted(): void {
    const token = this.#tokens.ahead(0)
    this.#tell(() => `extraneous input ${quote(token.text)} expecting ${showKinds(this.#expected())}`, token)
  }

  #failWithMismatch(): false {
    const token = this.#tokens.ahead(0)
    this.#tell(() => `mismatched input ${quote(token.text)} expecting ${showKinds(this.#expected())}`, token)
    return this.#recover()
  }

  #failWithoutAlternative(at: Token): false {
    const input = (): string =>
      this.#tokens.ahead(0).kind === endOfFile ? '<EOF>' : this.#tokens.textUpTo(at)
    this.#tell(() => `no viable alternative at input ${quote(input())}`, at)
    return this.#recover()
  }

  #recover(): false {
    if (this.#lastErrorIndex === this.#tokens.index && this.#lastErrorStates.has(this.#state)) this.#consume()
    this.#lastErrorIndex = this.#tokens.index
    this.#lastErrorStates.add(this.#state)
    this.#consumeUntil(this.#frame.recovery)
    return false
  }

  #expected(): ReadonlySet<Kind> {
    return this.#mayFollow(this.#state)
  }

  /** What may come at a state of the rule at hand, also behind its end. */
  #mayFollow(state: State): ReadonlySet<Kind> {
    const kinds = new Set<Kind>()
    let first = firstKinds(state)
    let { caller } = this.#frame
    for (;;) {
      for (const kind of first) if (kind !== nothing) kinds.add(kind)
      if (!first.has(nothing)) return kinds
      if (caller === undefined) return kinds.add(endOfFile)
      first = firstKinds(caller.follow)
      caller = caller.frame.caller
    }
  }
}

function quote(text: string): string {
  return `'${text.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')}'`
}
