import { assert, property, stringMatching } from 'fast-check'
import { expect, test } from 'vitest'
import { isHydraConfigError } from '../errors.ts'
import { Bail } from './bail.ts'
import { plainFloat, plainInteger } from './plain-number.ts'
import { readFloat, readInteger } from './python-number.ts'
import { typeOfPlain } from './resolve-tag.ts'

/** What both make of a text; undefined where they refuse it. */
function both<Read>(text: string, plain: (text: string) => Read, whole: (text: string) => Read): unknown[] {
  return [plain, whole].map((read) => {
    try {
      return read(text)
    } catch (error) {
      if (error instanceof Bail || isHydraConfigError(error)) return undefined
      throw error
    }
  })
}

test('a plain number is what the reader of all of YAML makes of it', () => {
  const types = { int: 0, float: 0 }
  assert(
    property(
      stringMatching(/^[-+]?(?:0[bx]|\.)?[0-9a-f_]{0,6}(?:[:.][0-5]?[0-9_]{0,4}){0,3}(?:e[-+]?[0-9]{1,3})?$/),
      (text) => {
        const type = typeOfPlain(text)
        if (type !== 'int' && type !== 'float') return
        types[type] += 1
        const [plain, whole] =
          type === 'int'
            ? both<bigint | number>(text, plainInteger, readInteger)
            : both(text, plainFloat, readFloat)
        expect(plain).toBe(whole)
      },
    ),
    { numRuns: 20_000 },
  )
  expect(Math.min(types.int, types.float)).toBeGreaterThan(200)
})

test('so it is where numbers are seldom, or no numbers to Python', () => {
  for (const text of ['.inf', '-.INF', '+.inf', '.NaN', '1_000.5_0', '190:20:30.15', '-0.0', '-1:59.9']) {
    expect(typeOfPlain(text)).toBe('float')
    const [plain, whole] = both(text, plainFloat, readFloat)
    expect(plain).toBe(whole)
  }
  for (const text of ['0b_', '0x_', '9'.repeat(4301), '9'.repeat(4300), '-0', '00', '0_7', '-190:20:30']) {
    expect(typeOfPlain(text)).toBe('int')
    const [plain, whole] = both(text, plainInteger, readInteger)
    expect(plain).toBe(whole)
  }
})
