import { HydraConfigError } from '../errors.ts'
import { list, map, type Origin, type Scalar, scalar, type Value } from './value.ts'

const depthMax = 500

/**
 * The value of what JavaScript holds: objects and Maps are maps, arrays lists; numbers without a fraction integers.
 * @throws {HydraConfigError} `INVALID_OPTION` where a configuration cannot hold it
 */
export function fromPlain(plain: unknown, origin?: Origin, depth: number = 0): Value {
  if (depth > depthMax) refuse(`a value nested deeper than ${depthMax}, or in a circle`)
  if (isScalar(plain)) return scalar(exact(plain), origin)
  const inner = (item: unknown): Value => fromPlain(item, origin, depth + 1)
  // Array.from sees the holes as well.
  if (Array.isArray(plain)) return list(Array.from(plain, inner), origin)
  if (typeof plain !== 'object' || plain === null) return refuse(`a value of the type ${typeof plain}`)
  const isMap = plain instanceof Map
  const prototype: unknown = Object.getPrototypeOf(plain)
  // An object of another realm has another `Object.prototype`.
  if (!isMap && prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    return refuse(`an object of the class ${plain.constructor.name}`)
  }
  const entries: Iterable<[unknown, unknown]> = isMap ? plain : Object.entries(plain)
  const pairs = Array.from(entries, ([key, item]) => {
    if (!isScalar(key)) return refuse('a key that is no scalar')
    return [exact(key), inner(item)] as const
  })
  return map(pairs, origin)
}

function exact(value: Scalar): Scalar {
  const isInteger = typeof value === 'number' && Number.isSafeInteger(value) && !Object.is(value, -0)
  return isInteger ? BigInt(value) : value
}

function isScalar(value: unknown): value is Scalar {
  if (value === null || value instanceof Uint8Array) return true
  return ['string', 'boolean', 'number', 'bigint'].includes(typeof value)
}

function refuse(what: string): never {
  throw new HydraConfigError('INVALID_OPTION', `a configuration cannot hold ${what}`)
}
