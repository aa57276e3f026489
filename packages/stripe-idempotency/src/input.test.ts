import { Buffer } from 'node:buffer'
import { hash } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { fingerprintOf } from './input.ts'

/** JSON with its members by name, written down without a thought for time. */
function inOrder(text: string): string {
  const value: unknown = JSON.parse(text)
  if (Array.isArray(value)) return `[${value.map((item) => inOrder(JSON.stringify(item))).join()}]`
  if (typeof value !== 'object' || value === null) return text
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  // Names that look like numbers come first in any object, and so in what is hashed.
  const isIndex = (name: string): boolean => /^(?:0|[1-9]\d{0,8})$/.test(name)
  const indices = members.filter(([name]) => isIndex(name)).toSorted(([a], [b]) => Number(a) - Number(b))
  const named = members.filter(([name]) => !isIndex(name))
  const written = [...indices, ...named].map(
    ([name, member]) => `${JSON.stringify(name)}:${inOrder(JSON.stringify(member))}`,
  )
  return `{${written.join()}}`
}

const name = fc.oneof(
  fc.string({ maxLength: 3 }),
  fc.constantFrom('__proto__', 'a', 'b', '10', '9', 'toJson'),
)
const { value: input } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, fc.jsonValue({ maxDepth: 0 }), tie('object'), fc.array(tie('value'))),
  // By way of JSON, so that `__proto__` is a member.
  object: fc
    .array(fc.tuple(name, tie('value')), { maxLength: 6 })
    .map((members) =>
      JSON.parse(
        `{${members.map(([each, member]) => `${JSON.stringify(each)}:${JSON.stringify(member)}`).join()}}`,
      ),
    ),
}))

test('a fingerprint is the hash of the JSON whose members are by name, however they stood', () => {
  fc.assert(
    fc.property(input, (each) => {
      const before = JSON.stringify(each)
      const expected = hash('sha256', inOrder(before), 'hex')
      expect(Buffer.from(fingerprintOf(each)).toString('hex')).toBe(expected)
      expect(JSON.stringify(each)).toBe(before)
    }),
    { numRuns: 2000 },
  )
})

test('what makes its own JSON is asked for it, with the name that it has', () => {
  const own = { toJSON: (at: string) => ({ b: at, a: [1] }) }
  expect(fingerprintOf({ y: own, x: [own] })).toEqual(
    fingerprintOf({ x: [{ a: [1], b: '0' }], y: { a: [1], b: 'y' } }),
  )
})
