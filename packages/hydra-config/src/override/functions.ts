import type { Random } from '../ports.ts'
import type { Bound } from './bound.ts'
import { castBool, castFloat, castInt, castStr } from './casts.ts'
import { shuffle, sort } from './order-functions.ts'
import { type Element, isList, isQuoted } from './override.ts'
import { refuse } from './refuse.ts'
import { choice, glob, interval, range, tag } from './sweep-functions.ts'

/** The arguments of one call, quoted strings still quoted. */
interface Call {
  readonly positional: readonly Element[]
  readonly named: ReadonlyMap<string, Element>
  readonly random: Random
}

interface Signature {
  /** Parameters that take positional arguments; undefined where `*args` takes them all. */
  readonly positional?: readonly string[]
  /** How many of `positional` must be given. */
  readonly required?: number
  /** Parameters that are given by name alone. */
  readonly named?: readonly string[]
  readonly run: (bound: Bound) => Element
}

const functions: ReadonlyMap<string, Signature> = new Map<string, Signature>([
  ['bool', { named: ['value'], run: castBool }],
  ['choice', { run: choice }],
  ['float', { named: ['value'], run: castFloat }],
  ['glob', { positional: ['include', 'exclude'], required: 1, run: glob }],
  ['int', { named: ['value'], run: castInt }],
  ['interval', { positional: ['start', 'end'], required: 2, run: interval }],
  ['range', { positional: ['start', 'stop', 'step'], required: 1, run: range }],
  ['shuffle', { named: ['sweep', 'list'], run: shuffle }],
  ['sort', { named: ['sweep', 'list', 'reverse'], run: sort }],
  ['str', { named: ['value'], run: castStr }],
  ['tag', { named: ['sweep'], run: tag }],
])

/**
 * Calls a function of the override grammar, its arguments bound as Python binds them.
 * @throws {HydraConfigError} `OVERRIDE_PARSE`, without an offset
 */
export function callFunction(name: string, call: Call): Element {
  const signature = functions.get(name)
  if (signature === undefined)
    return refuse(
      `Unknown function '${name}'\nAvailable: ${[...functions.keys()].join(',')}\n`,
      'HydraException',
    )
  return signature.run(bind(signature, call))
}

/** In the words, and the order, of Python's `Signature.bind`. */
function bind(signature: Signature, { positional, named, random }: Call): Bound {
  const { positional: places, required = 0, named: keywords = [] } = signature
  const parameters = new Map<string, Element>()
  for (const [at, value] of places === undefined ? [] : positional.entries()) {
    const place = places?.[at] ?? refuse('too many positional arguments')
    if (named.has(place)) refuse(`multiple values for argument '${place}'`)
    parameters.set(place, unquoted(value))
  }
  const missing = places?.slice(0, required).find((key) => !parameters.has(key) && !named.has(key))
  if (missing !== undefined) refuse(`missing a required argument: '${missing}'`)
  for (const [key, value] of named) {
    const isKnown = keywords.includes(key) || places?.includes(key) === true
    if (!isKnown) refuse(`got an unexpected keyword argument '${key}'`)
    parameters.set(key, unquoted(value))
  }
  return { rest: places === undefined ? positional.map(unquoted) : [], parameters, random }
}

function unquoted(value: Element): Element {
  return !isList(value) && isQuoted(value) ? value.text : value
}
