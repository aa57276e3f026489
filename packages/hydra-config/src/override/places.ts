import type { OverrideOrigin } from '../value/value.ts'
import { keptPairs } from './dict.ts'
import { dictKey } from './evaluate.ts'
import type { Override } from './override.ts'
import { type FunctionGrammar, parseSyntax, type Syntax } from './syntax.ts'

/** Where a value and its parts stand in the text of an override, in UTF-16 units; `end` is behind the last one. */
export interface Place {
  readonly start: number
  readonly end: number
  /** Those of the items of a list, or of the values of a dict; none for what a function makes. */
  readonly parts: readonly Place[]
}

/** The place of the value, of `~key` that of the whole override. */
export function overrideOrigin({ text, hasValue }: Override, index: number): OverrideOrigin {
  const equals = hasValue ? text.indexOf('=') + 1 : 0
  const end = text.trimEnd().length
  const start = text.length - text.slice(equals).trimStart().length
  return { kind: 'override', index, start: Math.min(start, end), end, text }
}

/** The places of the value of an override that has one, its parts in the order of its list or dict. */
export function placesOf(text: string, functions: FunctionGrammar | undefined): Place {
  const elements = parseSyntax(text, functions).elements ?? []
  const parts = elements.map((element) => placeOf(text, element))
  const [only, ...others] = parts
  const end = text.trimEnd().length
  if (only === undefined) return { start: end, end, parts: [] }
  return others.length === 0 ? only : { start: only.start, end, parts }
}

function placeOf(text: string, syntax: Syntax): Place {
  if (syntax.kind === 'function') return { start: syntax.name.start, end: syntax.end, parts: [] }
  if (syntax.kind === 'list') {
    const { start, end, items } = syntax
    return { start, end, parts: items.map((item) => placeOf(text, item)) }
  }
  if (syntax.kind === 'dict') {
    const { start, end } = syntax
    const pairs = syntax.pairs.map(([key, value]) => [dictKey(text, key), placeOf(text, value)] as const)
    return { start, end, parts: keptPairs(pairs).map(([, place]) => place) }
  }
  const tokens = syntax.tokens.filter(({ type }) => type !== 'WS')
  const last = tokens.at(-1)
  return {
    start: tokens[0]?.start ?? 0,
    end: last === undefined ? 0 : last.start + last.text.length,
    parts: [],
  }
}
