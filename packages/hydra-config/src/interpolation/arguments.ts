import { floatOf } from '../override/python-numbers.ts'
import { pythonString } from '../value/python-string.ts'
import { list, type MapKey, map, type Scalar, scalar, type Value } from '../value/value.ts'
import { parseError, unresolved } from './errors.ts'
import { identifier, type Modes, open, type Token, type TokenType, textModes, textRules } from './lexer.ts'
import { type ArgumentGrammar, Parser, unescaped } from './parse.ts'
import type { Place } from './place.ts'
import type { Program } from './program.ts'
import { survey } from './survey.ts'

const valuesMax = 1_000_000

/** Made by a function that bundles without it can leave out. */
function argumentModes(): Modes {
  const digits = '[0-9](?:_?[0-9])*'
  const integer = '(?:0|[1-9](?:_?[0-9])*)'
  const point = `(?:${integer}?\\.${digits}|${integer}\\.)`
  const float = `(?:${point}|${integer})[eE][+-]?${digits}|${point}`

  return {
    ...textModes,
    value: {
      pattern: new RegExp(
        `${open}|(\\{[ \\t]*)|([ \\t]*\\})|(['"])|([ \\t]*,[ \\t]*)|(\\[[ \\t]*)|([ \\t]*\\])|([ \\t]*:[ \\t]*)|` +
          `([+-]?(?:${float})|[+-](?:[iI][nN][fF]|[nN][aA][nN]))|([+-]?${integer})|` +
          `((?:\\\\[\\\\()[\\]{}:=, \\t])+)|([/\\-\\\\+.$%*@?|])|(${identifier})|([ \\t]+)`,
        'y',
      ),
      types: [
        '${',
        '{',
        '}',
        'quote',
        ',',
        '[',
        ']',
        ':',
        'float',
        'int',
        'escape',
        'character',
        'id',
        'space',
      ],
      words: new Map([
        ['true', 'bool'],
        ['false', 'bool'],
        ['null', 'null'],
        ['inf', 'float'],
        ['nan', 'float'],
      ]),
    },
    single: textRules("'", ['quoted escape', 'quote close', 'escape']),
    double: textRules('"', ['quoted escape', 'quote close', 'escape']),
  }
}

/** Arguments as OmegaConf's grammar has them (rule `sequence`): primitives, quoted texts, lists and dicts. */
export const argumentGrammar: ArgumentGrammar = {
  modes: /* @__PURE__ */ argumentModes(),
  arguments: (parser) => (parser.token.type === '}' ? [] : sequence(parser, '}')),
}

/**
 * Parses one element as an argument of a resolver is written (rule `singleElement`), for `oc.decode`.
 * @throws HydraConfigError `INTERPOLATION_PARSE`
 */
export function parseElement(text: string): Program {
  return new Parser(text, 'value', argumentGrammar).whole(element)
}

const keyTypes: ReadonlySet<TokenType> = new Set([
  'id',
  'null',
  'int',
  'float',
  'bool',
  'character',
  'escape',
  'space',
])
const primitiveTypes: ReadonlySet<TokenType> = /* @__PURE__ */ keyTypes.union(new Set([':']))

/** One element or more; elements that are left out are empty strings. */
function sequence(parser: Parser, close: ']' | '}'): string[] {
  const sources: string[] = []
  do {
    const { type, offset } = parser.token
    if (type === ',' || type === close) give(parser, '')
    else element(parser)
    sources.push(parser.since(offset))
  } while (parser.take(','))
  return sources
}

function give({ steps }: Parser, value: Scalar): void {
  steps.push({ op: 'literal', value: scalar(value) })
}

function element(parser: Parser): void {
  parser.nested('values', () => {
    if (parser.take('quote')) {
      if (parser.take('quote close')) return give(parser, '')
      parser.text(true)
      parser.expect('quote close')
    } else if (parser.take('[')) {
      const count = parser.token.type === ']' ? 0 : sequence(parser, ']').length
      parser.expect(']')
      parser.steps.push({ op: 'collection', count, make: listOf })
    } else if (parser.take('{')) dict(parser)
    else primitive(parser, primitiveTypes)
  })
}

function dict(parser: Parser): void {
  let count = 0
  if (parser.token.type !== '}') {
    do {
      primitive(parser, keyTypes)
      parser.expect(':')
      element(parser)
      count += 2
    } while (parser.take(','))
  }
  parser.expect('}')
  parser.steps.push({ op: 'collection', count, make: dictOf })
}

/** A run of tokens; as a key of a dict without colons and interpolations. */
function primitive(parser: Parser, types: typeof primitiveTypes): void {
  const parts = parser.parts(types, types === keyTypes)
  const [only] = parts
  if (parts.length === 0) throw parser.unexpected('a value')
  if (parts.length === 1 && only !== undefined) give(parser, literal(only))
  else parser.join(parts, false)
}

function literal(token: Token): Scalar {
  if (token.type === 'null') return null
  if (token.type === 'bool') return token.text.toLowerCase() === 'true'
  if (token.type === 'int') return integerOf(token)
  if (token.type === 'float') return floatOf(token.text)
  if (token.type === 'space') throw parseError('a value of spaces only', token.offset)
  return unescaped(token, [], 0)
}

function integerOf({ text }: Token): bigint {
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
