import { list, type MapKey, map, type Scalar, scalar, type Value } from '../value/value.ts'
import { unresolved } from './errors.ts'

/** What a resolver answered. */
export interface Answer {
  readonly value: Value
  /** Whether it is a value as a whole, with no places inside: so OmegaConf takes plain lists and dicts. */
  readonly opaque: boolean
}

const depthMax = 900
const valuesMax = 1_000_000

/**
 * Reads what a resolver answered. A number that is a safe integer is an integer; who needs `10.0` answers a `Value`.
 * @throws HydraConfigError `INTERPOLATION_UNRESOLVED` where a configuration cannot hold it
 */
export function readAnswer(answer: unknown): Answer {
  if (isValue(answer)) return { value: answer, opaque: answer.kind === 'scalar' }
  return { value: new Reader().value(answer, 0), opaque: true }
}

class Reader {
  #count = 0

  value(given: unknown, depth: number): Value {
    if (depth > depthMax) throw refusal(`values nested deeper than ${depthMax}, or in a circle`)
    if (++this.#count > valuesMax) throw refusal(`more than ${valuesMax} values`)
    if (isValue(given)) return given
    if (isScalar(given)) return scalar(scalarOf(given))
    if (Array.isArray(given)) return list(given.map((item) => this.value(item, depth + 1)))
    if (given instanceof Map) return map([...given].map(([key, item]) => this.#entry(key, item, depth)))
    if (typeof given === 'object' && given !== null && isPlain(given)) {
      return map(Object.entries(given).map(([key, item]) => this.#entry(key, item, depth)))
    }
    throw refusal(given === undefined ? 'undefined: answer null for no value' : `a ${nameOf(given)}`)
  }

  #entry(key: unknown, item: unknown, depth: number): readonly [MapKey, Value] {
    if (!isScalar(key)) throw refusal(`a ${nameOf(key)} as a key`)
    return [scalarOf(key), this.value(item, depth + 1)]
  }
}

function refusal(what: string): Error {
  return unresolved('InterpolationResolutionError', `the answer of a resolver cannot hold ${what}`)
}

function scalarOf(value: Scalar): Scalar {
  return typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0)
    ? BigInt(value)
    : value
}

function isScalar(value: unknown): value is Scalar {
  if (value === null || value instanceof Uint8Array) return true
  return ['string', 'boolean', 'number', 'bigint'].includes(typeof value)
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}

function nameOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? (value.constructor?.name ?? 'object') : typeof value
}

const valueKeys: ReadonlySet<string> = new Set([
  'kind',
  'value',
  'items',
  'entries',
  'origin',
  'secret',
  'shown',
  'as',
  'typing',
])

/** Whether a resolver answered a `Value` of this package, which keeps integers and floats apart. */
function isValue(answer: unknown): answer is Value {
  if (typeof answer !== 'object' || answer === null || !('kind' in answer)) return false
  if (!Object.keys(answer).every((key) => valueKeys.has(key))) return false
  if (answer.kind === 'list')
    return 'items' in answer && Array.isArray(answer.items) && answer.items.every(isKind)
  if (answer.kind === 'map') return 'entries' in answer && answer.entries instanceof Map
  return answer.kind === 'scalar' && 'value' in answer && isScalar(answer.value)
}

function isKind(item: unknown): boolean {
  return typeof item === 'object' && item !== null && 'kind' in item
}
