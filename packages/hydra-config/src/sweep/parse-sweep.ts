import { evaluate } from '../override/evaluate.ts'
import { parseFailure } from '../override/failure.ts'
import { parseKeyedCall } from '../override/function-syntax.ts'
import type { Element, Override } from '../override/override.ts'
import { isList } from '../override/override.ts'
import { callsOf, type ParseOverrideOptions, parseOverride } from '../override/parse.ts'
import { placedInText } from '../override/read-overrides.ts'
import { type Random, systemRandom } from '../ports.ts'

/** `zip(a=[1,2],b=[x,y])` and `exclude(a=1,b=y)`, which Hydra's grammar has no place for. */
export interface KeyedCall {
  readonly name: 'zip' | 'exclude'
  /** As it was given. */
  readonly text: string
  readonly parts: readonly { readonly key: string; readonly values: readonly Element[] }[]
}

/** The texts of a sweep: overrides as Hydra reads them, and what only this package knows. */
export interface ParsedSweep {
  /** In their order; a call stands where its text stood. */
  readonly entries: readonly (Override | KeyedCall)[]
  /** The overrides alone. */
  readonly overrides: readonly Override[]
}

/** @throws {HydraConfigError} `OVERRIDE_PARSE` */
export function parseSweep(texts: readonly string[], options: ParseOverrideOptions = {}): ParsedSweep {
  const { random = systemRandom } = options
  const entries = texts.map((text, index) =>
    placedInText(text, index, () => keyedCall(text, random) ?? parseOverride(text, options)),
  )
  return { entries, overrides: entries.filter((entry): entry is Override => !isKeyedCall(entry)) }
}

export function isKeyedCall(entry: Override | KeyedCall): entry is KeyedCall {
  return 'parts' in entry
}

/** Undefined for a text that is no call. */
function keyedCall(text: string, random: Random): KeyedCall | undefined {
  const name = /^(zip|exclude)\(/.exec(text)?.[1]
  if (name !== 'zip' && name !== 'exclude') return undefined
  const parts = parseKeyedCall(text, name.length + 1).map(({ key, start, value }) => {
    const element = evaluate(text, value, callsOf({ random }))
    const values = isList(element) ? element : [element]
    if (name === 'zip' && !isList(element)) {
      throw parseFailure(text, start, `zips the lists of several keys; that of '${key}' is no list`)
    }
    return { key, values }
  })
  if (name === 'zip') ensureEqualLengths(text, parts)
  return { name, text, parts }
}

function ensureEqualLengths(text: string, parts: KeyedCall['parts']): void {
  const [first, ...others] = parts
  for (const { key, values } of others) {
    if (first !== undefined && values.length !== first.values.length) {
      throw parseFailure(
        text,
        0,
        `zips ${first.values.length} values of '${first.key}' with ${values.length} of '${key}'`,
      )
    }
  }
}
