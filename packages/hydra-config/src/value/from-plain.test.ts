import { expect, test } from 'vitest'
import { fromPlain } from './from-plain.ts'
import { plainView } from './plain.ts'

const circle: Record<string, unknown> = {}
circle['self'] = circle
const gap: unknown[] = []
gap[1] = 1

test.each([
  ['an array with a gap', gap, 'a value of the type undefined'],
  ['an array of gaps', Array.from({ length: 3 }), 'a value of the type undefined'],
  ['undefined', undefined, 'a value of the type undefined'],
  ['a function', () => 1, 'a value of the type function'],
  ['a symbol', Symbol('x'), 'a value of the type symbol'],
  ['an instance', new Date(0), 'an object of the class Date'],
  ['a circle', circle, 'nested deeper than 500, or in a circle'],
  ['a Map with an object as a key', new Map([[{}, 1]]), 'a key that is no scalar'],
])('%s is refused', (_, inner, told) => {
  expect(() => fromPlain({ a: inner })).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(told) }),
  )
})

test('keys of a prototype are keys like any other', () => {
  const given: unknown = JSON.parse(
    '{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 2}}}',
  )
  expect(JSON.stringify(plainView(fromPlain(given)))).toBe(JSON.stringify(given))
  expect(Reflect.get({}, 'polluted')).toBeUndefined()
})
