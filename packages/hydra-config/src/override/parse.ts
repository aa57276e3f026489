import { isHydraConfigError } from '../errors.ts'
import { type Random, systemRandom } from '../ports.ts'
import type { Semantics } from '../semantics.ts'
import { dictOf } from './dict.ts'
import { parseFailure } from './failure.ts'
import { callFunction } from './functions.ts'
import type { Token } from './lexer.ts'
import { isListFunction, listFunction } from './list-functions.ts'
import type { DictKey, Element, Override, OverrideType, QuotedString } from './override.ts'
import { parsePythonFloat, parsePythonInt } from './python-numbers.ts'
import {
  type FunctionSyntax,
  type OverrideSyntax,
  type PrimitiveSyntax,
  parseSyntax,
  type Syntax,
} from './syntax.ts'

/** Options of {@link parseOverride}. */
export interface ParseOverrideOptions {
  /** Order of `shuffle([…])` over a list, which is shuffled as it is parsed. Default: Math.random. */
  readonly random?: Random
  /** `strict` knows functions that edit lists: `key=append(a)`. Default: `hydra-1.3`. */
  readonly semantics?: Semantics
}

const types = { '': 'CHANGE', '+': 'ADD', '++': 'FORCE_ADD', '~': 'DEL' } as const satisfies Record<
  string,
  OverrideType
>

/**
 * Parses one override of a command line, such as `db=mysql`, `+db.port=3306`, `~db` or `lr=choice(1e-3,1e-4)`, as
 * Hydra 1.3 does.
 *
 * @throws {HydraConfigError} `OVERRIDE_PARSE`
 */
export function parseOverride(
  text: string,
  { random = systemRandom, semantics = 'hydra-1.3' }: ParseOverrideOptions = {},
): Override {
  const syntax = parseSyntax(text)
  const { elements } = syntax
  const [first] = elements ?? []
  if (semantics === 'strict' && first?.kind === 'function' && isListFunction(first.name.text)) {
    return listOverride(text, syntax, first, random)
  }
  const values = elements?.map((element) => evaluate(text, element, random)) ?? [null]
  const [only = '', ...others] = values
  return {
    text,
    type: types[syntax.prefix],
    key: syntax.key,
    package: syntax.package,
    value:
      others.length === 0 ? only : { kind: 'choice', list: values, simple: true, shuffle: false, tags: [] },
    hasValue: elements !== undefined,
  }
}

function listOverride(
  text: string,
  syntax: OverrideSyntax,
  syntaxOfCall: FunctionSyntax,
  random: Random,
): Override {
  const { name } = syntaxOfCall
  if (syntax.prefix !== '' || syntax.elements?.length !== 1) {
    throw parseFailure(text, name.start, `edits a list: key=${name.text}(…) stands without prefix and alone`)
  }
  const edit = called(text, syntaxOfCall, random, (positional, named) =>
    listFunction(name.text, positional, named),
  )
  const { key, package: ofPackage } = syntax
  return { text, type: 'CHANGE', key, package: ofPackage, value: edit.items, hasValue: true, edit }
}

/** @throws {HydraConfigError} `OVERRIDE_PARSE` */
export function evaluate(text: string, syntax: Syntax, random: Random): Element {
  if (syntax.kind === 'primitive') return primitive(text, syntax)
  if (syntax.kind === 'list') return syntax.items.map((item) => evaluate(text, item, random))
  if (syntax.kind === 'function') return call(text, syntax, random)
  return dictOf(
    syntax.pairs.map(([key, value]) => [dictKey(text, key), evaluate(text, value, random)] as const),
  )
}

function call(text: string, syntax: FunctionSyntax, random: Random): Element {
  return called(text, syntax, random, (positional, named) =>
    callFunction(syntax.name.text, { positional, named, random }),
  )
}

/** What `run` makes of the arguments; what it refuses, refused with its place in `text`. */
function called<T>(
  text: string,
  { name, args, end }: FunctionSyntax,
  random: Random,
  run: (positional: readonly Element[], named: ReadonlyMap<string, Element>) => T,
): T {
  const positional: Element[] = []
  const named = new Map<string, Element>()
  for (const arg of args) {
    if (arg.name !== undefined) named.set(arg.name, evaluate(text, arg.value, random))
    else if (named.size > 0)
      throw parseFailure(text, name.start, 'has a positional argument behind a named one')
    else positional.push(evaluate(text, arg.value, random))
  }
  try {
    return run(positional, named)
  } catch (cause) {
    if (!isHydraConfigError(cause)) throw cause
    const source = text.slice(name.start, end)
    throw parseFailure(text, name.start, `cannot evaluate '${source}': ${cause.message}`, { cause })
  }
}

export function dictKey(text: string, syntax: PrimitiveSyntax): DictKey {
  const key = primitive(text, syntax)
  // The grammar has no quoted keys.
  return typeof key === 'object' && key !== null ? key.text : key
}

function primitive(text: string, { tokens }: PrimitiveSyntax): DictKey | QuotedString {
  const from = tokens[0]?.type === 'WS' ? 1 : 0
  if (from === tokens.length)
    throw parseFailure(text, tokens[0]?.start ?? 0, 'has a value of white space alone')
  const kept = tokens.slice(from, tokens.at(-1)?.type === 'WS' ? -1 : undefined)
  const [token, ...others] = kept
  if (token === undefined || others.length > 0) return kept.map(textOf).join('')
  if (token.type === 'QUOTED') return unquote(token.text)
  if (token.type === 'INT') return integer(text, token)
  if (token.type === 'FLOAT') return parsePythonFloat(token.text) ?? token.text
  if (token.type === 'BOOL') return token.text.toLowerCase() === 'true'
  return token.type === 'NULL' ? null : textOf(token)
}

function integer(text: string, token: Token): bigint {
  const value = parsePythonInt(token.text)
  if (value === undefined)
    throw parseFailure(text, token.start, 'has an integer of more digits than Python reads')
  return value
}

function textOf({ type, text }: Token): string {
  return type === 'ESC' ? everySecond(text) : text
}

/** Only backslashes directly before a quote of its kind, the closing one too, are escapes. */
function unquote(source: string): QuotedString {
  const quote = source.startsWith("'") ? "'" : '"'
  const text = source.slice(1).replace(/\\+['"]?/g, (run) => (run.endsWith(quote) ? everySecond(run) : run))
  return { kind: 'quoted', text: source.at(-2) === '\\' ? text : text.slice(0, -1), quote }
}

function everySecond(text: string): string {
  let kept = ''
  for (let at = 1; at < text.length; at += 2) kept += text.charAt(at)
  return kept
}
