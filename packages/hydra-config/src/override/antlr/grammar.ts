import type { TokenType } from '../lexer.ts'

/** A part of a rule, as ANTLR's grammars write them. */
export type Part =
  | { readonly op: 'token'; readonly types: ReadonlySet<TokenType> }
  | { readonly op: 'rule'; readonly name: RuleName }
  | { readonly op: 'sequence'; readonly parts: readonly Part[] }
  | {
      readonly op: 'choice' | 'optional' | 'star' | 'plus'
      readonly parts: readonly Part[]
      readonly ahead: Ahead
    }

/** How the generated parser decides: by one token (`package` by what follows it as well), or by as many as it takes. */
type Ahead = 'one' | 'many'

export type RuleName =
  | 'override'
  | 'key'
  | 'packageOrGroup'
  | 'package'
  | 'value'
  | 'element'
  | 'simpleChoiceSweep'
  | 'argName'
  | 'function'
  | 'listContainer'
  | 'dictContainer'
  | 'dictKeyValuePair'
  | 'primitive'
  | 'dictKey'

const keyTokens = ['ID', 'NULL', 'INT', 'FLOAT', 'BOOL', 'UNQUOTED_CHAR', 'ESC', 'WS'] as const
const listed = (part: Part): Part => sequence(part, star(sequence(token('COMMA'), part)))
const argument = (): Part => sequence(optional(rule('argName'), 'many'), rule('element'))
const valued = (): Part => sequence(token('EQUAL'), optional(rule('value')))

/** Hydra's `OverrideParser.g4`. */
export const overrideGrammar: Readonly<Record<RuleName, Part>> = {
  override: sequence(
    choice(
      'one',
      sequence(rule('key'), valued()),
      sequence(token('TILDE'), rule('key'), optional(valued())),
      sequence(token('PLUS'), optional(token('PLUS')), rule('key'), valued()),
    ),
    token('EOF'),
  ),
  key: sequence(rule('packageOrGroup'), optional(sequence(token('AT'), rule('package')))),
  packageOrGroup: choice(
    'many',
    rule('package'),
    sequence(token('ID'), plus(sequence(token('SLASH'), token('ID')))),
  ),
  package: choice('one', sequence(), token('ID'), token('KEY_SPECIAL'), token('DOT_PATH')),
  value: choice('many', rule('element'), rule('simpleChoiceSweep')),
  element: choice('many', rule('primitive'), rule('listContainer'), rule('dictContainer'), rule('function')),
  simpleChoiceSweep: sequence(rule('element'), plus(sequence(token('COMMA'), rule('element')))),
  argName: sequence(token('ID'), token('EQUAL')),
  function: sequence(
    token('ID'),
    token('POPEN'),
    optional(sequence(argument(), star(sequence(token('COMMA'), argument())))),
    token('PCLOSE'),
  ),
  listContainer: sequence(token('BRACKET_OPEN'), optional(listed(rule('element'))), token('BRACKET_CLOSE')),
  dictContainer: sequence(
    token('BRACE_OPEN'),
    optional(listed(rule('dictKeyValuePair'))),
    token('BRACE_CLOSE'),
  ),
  dictKeyValuePair: sequence(rule('dictKey'), token('COLON'), rule('element')),
  primitive: choice('one', token('QUOTED'), plus(token(...keyTokens, 'COLON', 'INTERPOLATION'))),
  dictKey: plus(token(...keyTokens)),
}

function token(...types: readonly TokenType[]): Part {
  return { op: 'token', types: new Set(types) }
}

function rule(name: RuleName): Part {
  return { op: 'rule', name }
}

function sequence(...parts: readonly Part[]): Part {
  return { op: 'sequence', parts }
}

function choice(ahead: Ahead, ...parts: readonly Part[]): Part {
  return { op: 'choice', parts, ahead }
}

function optional(part: Part, ahead: Ahead = 'one'): Part {
  return { op: 'optional', parts: [part], ahead }
}

function star(part: Part): Part {
  return { op: 'star', parts: [part], ahead: 'one' }
}

function plus(part: Part): Part {
  return { op: 'plus', parts: [part], ahead: 'one' }
}
