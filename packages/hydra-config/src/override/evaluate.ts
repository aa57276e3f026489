import { dictOf } from './dict.ts'
import { parseFailure } from './failure.ts'
import type { Token } from './lexer.ts'
import type { DictKey, Element, Override, OverrideType, QuotedString } from './override.ts'
import { floatOf, integerOf } from './python-numbers.ts'
import {
  type FunctionGrammar,
  type FunctionSyntax,
  type OverrideSyntax,
  type PrimitiveSyntax,
  parseSyntax,
  type Syntax,
} from './syntax.ts'

/** The functions that an override may call. All throw {@link HydraConfigError}. */
export interface OverrideCalls {
  readonly grammar: FunctionGrammar
  /** What `int(…)`, `choice(…)` and the like give. */
  value(text: string, syntax: FunctionSyntax): Element
  /** The override that edits a list, by `append(…)` and the like; undefined for any other. */
  edit?(text: string, syntax: OverrideSyntax): Override | undefined
}

const types = { '': 'CHANGE', '+': 'ADD', '++': 'FORCE_ADD', '~': 'DEL' } as const satisfies Record<
  string,
  OverrideType
>

/**
 * The override that a text is.
 * @throws {HydraConfigError} `OVERRIDE_PARSE`
 */
export function overrideOf(text: string, calls: OverrideCalls | undefined): Override {
  const syntax = parseSyntax(text, calls?.grammar)
  return calls?.edit?.(text, syntax) ?? plainOverride(text, syntax, calls)
}

function plainOverride(
  text: string,
  { prefix, key, package: ofPackage, elements }: OverrideSyntax,
  calls: OverrideCalls | undefined,
): Override {
  const values = elements?.map((element) => evaluate(text, element, calls)) ?? [null]
  const [only = '', ...others] = values
  return {
    text,
    type: types[prefix],
    key,
    package: ofPackage,
    value:
      others.length === 0 ? only : { kind: 'choice', list: values, simple: true, shuffle: false, tags: [] },
    hasValue: elements !== undefined,
  }
}

/** @throws {HydraConfigError} `OVERRIDE_PARSE` */
export function evaluate(text: string, syntax: Syntax, calls: OverrideCalls | undefined): Element {
  if (syntax.kind === 'primitive') return primitive(text, syntax)
  if (syntax.kind === 'list') return syntax.items.map((item) => evaluate(text, item, calls))
  if (syntax.kind === 'dict') {
    return dictOf(
      syntax.pairs.map(([key, value]) => [dictKey(text, key), evaluate(text, value, calls)] as const),
    )
  }
  // Without calls the parser knows no functions.
  return calls?.value(text, syntax) ?? null
}

export function dictKey(text: string, syntax: PrimitiveSyntax): DictKey {
  const key = primitive(text, syntax)
  // The grammar has no quoted keys.
  return typeof key === 'object' && key !== null ? key.text : key
}

function primitive(text: string, { tokens }: PrimitiveSyntax): DictKey | QuotedString {
  const from = tokens[0]?.type === 'WS' ? 1 : 0
  const to = tokens.length > from && tokens.at(-1)?.type === 'WS' ? tokens.length - 1 : tokens.length
  const token = tokens[from]
  if (token === undefined) throw parseFailure(text, tokens[0]?.start ?? 0, 'has a value of white space alone')
  if (to - from !== 1) return tokens.slice(from, to).map(textOf).join('')
  if (token.type === 'QUOTED') return unquote(token.text)
  if (token.type === 'INT') return integer(text, token)
  if (token.type === 'FLOAT') return floatOf(token.text)
  if (token.type === 'BOOL') return token.text.toLowerCase() === 'true'
  return token.type === 'NULL' ? null : textOf(token)
}

function integer(text: string, token: Token): bigint {
  const value = integerOf(token.text)
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
  const text = source.slice(1, -1).split(`\\${quote}`).map(halved).join(quote)
  return { kind: 'quoted', text, quote }
}

/** Of the backslashes at the end, an even number, each second one. */
function halved(text: string): string {
  let end = text.length
  while (text[end - 1] === '\\') end--
  return text.slice(0, (end + text.length) / 2)
}

function everySecond(text: string): string {
  let kept = ''
  for (let at = 1; at < text.length; at += 2) kept += text.charAt(at)
  return kept
}
