import { floatOf } from '../override/python-numbers.ts'
import type { Place } from '../value/place.ts'
import { pythonString } from '../value/python-string.ts'
import { list, type MapKey, map, type Scalar, scalar, type Value } from '../value/value.ts'
import { unresolved } from './errors.ts'
import { type ArgumentGrammar, closing, colon, Parser, type Part } from './parse.ts'
import type { Program } from './program.ts'
import { survey } from './survey.ts'

const valuesMax = 1_000_000

/** Made by a function that bundles without it can leave out. */
function tokenPattern(): RegExp {
  const digits = '[0-9](?:_?[0-9])*'
  const integer = '(?:0|[1-9](?:_?[0-9])*)'
  const point = `(?:${integer}?\\.${digits}|${integer}\\.)`
  const float = `(?:${point}|${integer})e[+-]?${digits}|${point}`
  return new RegExp(
    `([+-]?(?:${float})|[+-](?:inf|nan))|([+-]?${integer})|((?:\\\\[\\\\()[\\]{}:=, \\t])+)|` +
      '((?:true|false|null|inf|nan)(?![a-z0-9_-]))|([ \\t]+(?![ \\t,\\]}:]))|' +
      '[/\\-\\\\+.%*@?|]|\\$(?!\\{)|[a-z_][a-z0-9_-]*',
    'iy',
  )
}

/** A part of a value; the groups are a float, an integer, escapes, a word that is no text, and spaces. */
const token = /* @__PURE__ */ tokenPattern()
const quote = /['"]/y
const comma = /[ \t]*,[ \t]*/y
const listStart = /\[[ \t]*/y
const listEnd = /[ \t]*\]/y
const dictStart = /\{[ \t]*/y
/** Where an element would stand, and is left out. */
const nothing = { ']': /[ \t]*[,\]]/y, '}': /[ \t]*[,}]/y }

/** Arguments as OmegaConf's grammar has them (rule `sequence`): primitives, quoted texts, lists and dicts. */
export const argumentGrammar: ArgumentGrammar = (parser) =>
  parser.sees(closing) ? [] : sequence(parser, '}')

/**
 * Parses one element as an argument of a resolver is written (rule `singleElement`), for `oc.decode`.
 * @throws HydraConfigError `INTERPOLATION_PARSE`
 */
export function parseElement(text: string): Program {
  return new Parser(text, argumentGrammar).whole(element)
}

/** One element or more; elements that are left out are empty strings. */
function sequence(parser: Parser, close: ']' | '}'): string[] {
  const sources: string[] = []
  do {
    const { at } = parser
    if (parser.sees(nothing[close])) give(parser, '')
    else element(parser)
    sources.push(parser.source.slice(at, parser.at))
  } while (parser.take(comma))
  return sources
}

function give({ steps }: Parser, value: Scalar): void {
  steps.push({ op: 'literal', value: scalar(value) })
}

function element(parser: Parser): void {
  parser.nested('values', () => {
    if (parser.take(quote)) parser.text(parser.source[parser.at - 1] === "'" ? "'" : '"')
    else if (parser.take(listStart)) {
      const count = parser.sees(listEnd) ? 0 : sequence(parser, ']').length
      parser.expect(listEnd, "']'")
      parser.steps.push({ op: 'collection', count, make: listOf })
    } else if (parser.take(dictStart)) dict(parser)
    else primitive(parser, false)
  })
}

function dict(parser: Parser): void {
  let count = 0
  if (!parser.sees(closing)) {
    do {
      primitive(parser, true)
      parser.expect(colon, "':'")
      element(parser)
      count += 2
    } while (parser.take(comma))
  }
  parser.expect(closing, "'}'")
  parser.steps.push({ op: 'collection', count, make: dictOf })
}

/** A run of tokens; as a key of a dict without colons and interpolations. */
function primitive(parser: Parser, isKey: boolean): void {
  const parts: Part[] = []
  let last: RegExpExecArray | undefined
  for (;;) {
    if (!isKey && parser.interpolation()) {
      parts.push(undefined)
      continue
    }
    const found = parser.take(token) ?? (isKey ? undefined : parser.take(colon))
    if (found === undefined) break
    parts.push(textOf(found))
    last = found
  }
  const alone = parts.length > 1 ? undefined : last
  if (parts.length === 0 || alone?.[5]) throw parser.unexpected('a value')
  if (alone === undefined) parser.join(parts, false)
  else give(parser, literal(alone))
}

function textOf([text, , , escapes]: RegExpExecArray): string {
  return escapes === undefined ? text : escapes.replace(/\\(.)/g, '$1')
}

function literal(found: RegExpExecArray): Scalar {
  const [text, float, integer, , word] = found
  if (float !== undefined) return floatOf(text)
  if (integer !== undefined) return integerOf(text)
  if (word === undefined) return textOf(found)
  const lower = word.toLowerCase()
  if (lower === 'null') return null
  return lower === 'true' || lower === 'false' ? lower === 'true' : floatOf(word)
}

function integerOf(text: string): bigint {
  const magnitude = BigInt(text.replace(/[+_-]/g, ''))
  return text.startsWith('-') ? -magnitude : magnitude
}

function listOf(operands: readonly Place[]): Value {
  ensureSize(operands)
  return list(operands.map(({ value }) => value))
}

/** Of keys and values in turn. */
function dictOf(operands: readonly Place[]): Value {
  ensureSize(operands)
  const pairs: [MapKey, Value][] = []
  for (const [at, item] of operands.entries()) {
    const key = operands[at - 1]
    if (at % 2 === 1 && key !== undefined) pairs.push([keyOf(key.value), item.value])
  }
  return map(pairs)
}

function keyOf(value: Value): MapKey {
  if (survey(value).secret) {
    throw unresolved('InterpolationResolutionError', 'a secret cannot be a key of a map, for keys are shown')
  }
  return value.kind === 'scalar' ? value.value : pythonString(value)
}

function ensureSize(operands: readonly Place[]): void {
  let size = 0
  for (const { value } of operands) size += survey(value).size
  if (size > valuesMax) {
    throw unresolved('InterpolationResolutionError', `the value would hold more than ${valuesMax} values`)
  }
}
