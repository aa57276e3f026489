import type { Token, TokenType } from './lexer.ts'
import {
  type FunctionGrammar,
  keyStarts,
  Parser,
  primitiveTokens,
  reachBehind,
  type Syntax,
} from './syntax.ts'

const behindFirstName: ReadonlySet<TokenType> = /* @__PURE__ */ primitiveTokens.union(
  new Set(['EQUAL', 'POPEN', 'COMMA', 'PCLOSE']),
)

interface Argument {
  readonly name: string | undefined
  readonly value: Syntax
}

/** Arguments by position and by name, as Hydra's grammar has them. */
export const functionGrammar: FunctionGrammar = (parser, name) => {
  parser.take()
  const args: Argument[] = []
  if (!parser.is('PCLOSE')) {
    do args.push(argument(parser))
    while (parser.skip('COMMA'))
  }
  const close = parser.expect('PCLOSE', 'a , or )', reachBehind(args))
  return { kind: 'function', name, args, end: close.start + close.text.length }
}

function argument(parser: Parser): Argument {
  if (!parser.is('ID')) return { name: undefined, value: parser.element() }
  const name: Token = parser.take()
  if (!behindFirstName.has(parser.token.type)) parser.refuse('a , or )', 'rest')
  if (parser.skip('EQUAL')) return { name: name.text, value: parser.element() }
  const value = parser.is('POPEN')
    ? parser.function(name)
    : parser.primitive(primitiveTokens, 'a value', name)
  return { name: undefined, value }
}

/** One `key=value` of `zip(…)`; `key` as it is written, its `+` and package with it. */
export interface KeyedValue {
  readonly key: string
  /** Where the key begins. */
  readonly start: number
  readonly value: Syntax
}

/**
 * Parses `key=value,…)` from `start` to the end of `text`, keys and values each as in an override.
 * @throws {HydraConfigError} `OVERRIDE_PARSE`
 */
export function parseKeyedCall(text: string, start: number): readonly KeyedValue[] {
  const parser = new Parser(text, functionGrammar, start)
  const parts: KeyedValue[] = []
  do {
    const { start: at } = parser.token
    parser.prefix()
    if (!keyStarts.has(parser.token.type) || parser.is('EQUAL')) parser.refuse('a key')
    parser.packageOrGroup()
    if (parser.skip('AT')) parser.package()
    const key = text.slice(at, parser.token.start)
    parser.expect('EQUAL', 'an =')
    const value = parser.element()
    // What follows a comma is a key again.
    if (parser.is('COMMA')) parser.mode = 'key'
    parts.push({ key, start: at, value })
  } while (parser.skip('COMMA'))
  parser.expect('PCLOSE', 'a , or )')
  if (!parser.is('EOF')) parser.refuse('the end')
  return parts
}
