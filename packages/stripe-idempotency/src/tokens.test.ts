import { expect, test } from 'vitest'
import { realRandom } from './ports.ts'
import { Tokens } from './tokens.ts'

test('gives 22 characters of base64url each time, others each time, that no command takes for an option', () => {
  const tokens = new Tokens(realRandom)
  const given = Array.from({ length: 10_000 }, () => tokens.next())
  expect(new Set(given).size).toBe(given.length)
  expect(given.filter((token) => !/^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/.test(token))).toEqual([])
})
