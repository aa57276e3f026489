// The kinds of tokens, in the order in which ANTLR's messages list them (`openfga/language:OpenFGALexer.g4`). Index is kind.
const names = [
  '',
  "':'",
  "','",
  "'<'",
  "'>'",
  "'['",
  'RBRACKET',
  "'('",
  "')'",
  'WHITESPACE',
  'IDENTIFIER',
  "'#'",
  "'and'",
  "'or'",
  "'but not'",
  "'from'",
  "'module'",
  "'model'",
  "'schema'",
  'SCHEMA_VERSION',
  "'extend'",
  "'type'",
  "'condition'",
  "'relations'",
  "'relation'",
  "'define'",
  "'with'",
  "'=='",
  "'!='",
  "'in'",
  "'<='",
  "'>='",
  "'&&'",
  "'||'",
  "']'",
  "'{'",
  "'}'",
  "'.'",
  "'-'",
  "'!'",
  "'?'",
  "'+'",
  "'*'",
  "'/'",
  "'%'",
  "'true'",
  "'false'",
  "'null'",
  'CEL_COMMENT',
  'NUM_FLOAT',
  'NUM_INT',
  'NUM_UINT',
  'STRING',
  'BYTES',
  'EXTENDED_IDENTIFIER',
  'NEWLINE',
  'CONDITION_PARAM_CONTAINER',
  'CONDITION_PARAM_TYPE',
] as const

/** A kind of token: an index of ANTLR's vocabulary, or {@link endOfFile}. */
export type Kind = number

export const endOfFile: Kind = -1
/** Stands in sets of kinds for "nothing more of this rule". */
export const nothing: Kind = -2
export const lastKind: Kind = names.length - 1

/** The kind of that name: a literal in quotes as in messages, or an upper-case name. */
export function kindOf(name: string): Kind {
  const kind = name === 'EOF' ? endOfFile : (names as readonly string[]).indexOf(name)
  if (kind === 0 || kind < endOfFile) throw new RangeError(`no kind of token is called ${name}`)
  return kind
}

/** As ANTLR shows a set of kinds to the user. */
export function showKinds(kinds: ReadonlySet<Kind>): string {
  const shown = [...kinds]
    .toSorted((a, b) => a - b)
    .map((kind) => (kind === endOfFile ? '<EOF>' : (names[kind] ?? '')))
  return shown.length === 1 ? (shown[0] ?? '') : `{${shown.join(', ')}}`
}

/** A word or sign of the text. */
export interface Token {
  readonly kind: Kind
  readonly text: string
  /** From 0. */
  readonly line: number
  /** From 0, in UTF-16 units. */
  readonly column: number
}

/** What ANTLR calls a token that was missing and is thought to be there. */
export function missingToken(kind: Kind, at: Token): Token {
  const name = kind === endOfFile ? 'EOF' : (names[kind] ?? '')
  const text = kind === endOfFile || name.startsWith("'") ? `<missing ${name}>` : '<missing null>'
  return { kind, text, line: at.line, column: at.column }
}
