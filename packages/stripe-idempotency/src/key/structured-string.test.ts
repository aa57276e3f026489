import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { parseItem } from 'structured-headers'
import { describe, expect, test } from 'vitest'
import { structuredString } from './structured-string.ts'

/** What an independent parser makes of it: the string, or undefined. */
function byOther(value: string): string | undefined {
  try {
    const [item] = parseItem(value)
    return typeof item === 'string' ? item : undefined
  } catch {
    return undefined
  }
}

test('reads what an independent parser reads, parameters included', () => {
  const parameter = fc.tuple(
    fc.stringMatching(/^[a-z*][a-z0-9_.*-]{0,4}$/),
    fc.oneof(
      fc.constant(''),
      fc.integer({ min: -99, max: 99 }).map((n) => `=${n}`),
      fc.constantFrom('=1.5', '=-0.125', '=?1', '=tok/en', '="a\\"b"', '=:aGk=:', '=', '=1.', '=A b', '="x'),
    ),
  )
  const value = fc
    .tuple(
      fc.constantFrom('', ' ', '  ', '\t'),
      fc.string({ maxLength: 12 }).map((text) => JSON.stringify(text)),
      fc.array(parameter, { maxLength: 3 }),
      fc.constantFrom('', ' ', ';', ',', 'x'),
    )
    .map(
      ([before, text, list, after]) =>
        `${before}${text}${list.map((each) => `;${each.join('')}`).join('')}${after}`,
    )
  fc.assert(
    fc.property(
      fc.oneof(value, fc.string(), fc.string({ unit: fc.constantFrom('"', '\\', ';', 'a', '=', '1', ' ') })),
      (text) => {
        expect(structuredString(text)).toBe(byOther(text))
      },
    ),
    { numRuns: 5000 },
  )
})

test('reads a long value in one pass', () => {
  expect(structuredString(`"${'\\"'.repeat(500_000)}"`)).toHaveLength(500_000)
  expect(structuredString(`"a"${';a'.repeat(500_000)}!`)).toBeUndefined()
})

const vectors = join(import.meta.dirname, '../../../../../shared/vectors/structured-fields')
const missing = existsSync(vectors)
  ? false
  : 'the vectors of httpwg/structured-field-tests are not beside the repository'
if (missing !== false) console.warn(`SKIPPED: ${missing}`)

interface Vector {
  readonly name: string
  readonly raw: readonly string[]
  readonly header_type: string
  readonly expected?: readonly [unknown, unknown]
}

describe.skipIf(missing)('httpwg/structured-field-tests', () => {
  const all = (missing ? [] : ['item', 'string', 'token']).flatMap((file): Vector[] =>
    JSON.parse(readFileSync(join(vectors, `${file}.json`), 'utf8')),
  )
  test.each(all.filter((each) => each.header_type === 'item' && each.raw.length === 1))(
    '$name',
    ({ raw, expected }) => {
      const [item] = expected ?? []
      expect(structuredString(raw[0] ?? '')).toBe(typeof item === 'string' ? item : undefined)
    },
  )
})
