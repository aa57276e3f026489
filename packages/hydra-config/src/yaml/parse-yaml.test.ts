import { assert, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { isHydraConfigError } from '../errors.ts'
import type { Value } from '../value/value.ts'
import { parseYaml } from './parse-yaml.ts'

function failure(text: string): unknown {
  try {
    parseYaml(text)
    return undefined
  } catch (error) {
    return isHydraConfigError(error) ? error.class : error
  }
}

function at(value: Value | undefined, ...path: readonly (string | number)[]): Value | undefined {
  let found = value
  for (const key of path) {
    if (found?.kind === 'map') found = found.entries.get(key)
    else found = found?.kind === 'list' && typeof key === 'number' ? found.items[key] : undefined
  }
  return found
}

test('every value knows its line and column, an alias those of its anchor', () => {
  const root = parseYaml('a:\n  b: [1, two]\nc: &x\n  d: 3\ne: *x\n', { source: 'memory://', config: 'f' })
  const place = (...path: readonly (string | number)[]): unknown => at(root, ...path)?.origin
  expect(place()).toEqual({ kind: 'file', source: 'memory://', config: 'f', line: 1, column: 1 })
  expect(place('a', 'b')).toMatchObject({ line: 2, column: 6 })
  expect(place('a', 'b', 1)).toMatchObject({ line: 2, column: 10 })
  expect(place('e', 'd')).toMatchObject({ line: 4, column: 6 })
})

test('__proto__ is a key as any other', () => {
  const root = parseYaml('__proto__: {polluted: 1}\n')
  expect(at(root, '__proto__', 'polluted')).toMatchObject({ value: 1n })
  expect({}).not.toHaveProperty('polluted')
})

test('what is too deep, too large or holds itself is an error, soon', () => {
  expect(failure('['.repeat(100_000))).toBe('RecursionError')
  expect(failure('a: &x [*x]')).toBe('RecursionError')
  const bomb = Array.from(
    { length: 40 },
    (_, n) => `a${n}: &a${n} [${n === 0 ? '1' : `*a${n - 1}, *a${n - 1}`}]`,
  )
  expect(failure(bomb.join('\n'))).toBe('RecursionError')
  const merges = Array.from({ length: 40 }, (_, n) =>
    n === 0 ? 'a0: &a0 {k: 1}' : `a${n}: &a${n} {<<: [*a${n - 1}, *a${n - 1}]}`,
  )
  expect(failure(merges.join('\n'))).toBe('RecursionError')
})

test('any text is read or refused with the class of an error', () => {
  assert(
    property(string({ unit: 'binary', maxLength: 60 }), (text) => {
      expect(['undefined', 'string']).toContain(typeof failure(text))
    }),
  )
})

test('an error tells its place in characters', () => {
  expect(() => parseYaml('a: "😀" x')).toThrow(expect.objectContaining({ offset: 7 }))
  expect(() => parseYaml('é: "a" x')).toThrow(expect.objectContaining({ offset: 7 }))
})

test('an integer that is told to be one may have the digits of any script, as in Python', () => {
  expect(at(parseYaml('a: !!int "٣٤"\nb: !!float " ٣.٥\x85"'), 'a')).toMatchObject({ value: 34n })
  expect(at(parseYaml('a: !!float "٣.٥"'), 'a')).toMatchObject({ value: 3.5 })
})

test('of binary keys with the same bytes the last value stays, in the place of the first', () => {
  const read = parseYaml('? !!binary YQ==\n: 1\n? !!binary Yg==\n: 2\n? !!binary "Y Q=="\n: 3\n')
  const entries = read.kind === 'map' ? [...read.entries] : []
  const bytes = new TextEncoder()
  expect(entries.map(([key, value]) => [key, value.kind === 'scalar' && value.value])).toEqual([
    [bytes.encode('a'), 3n],
    [bytes.encode('b'), 2n],
  ])
})

// What OmegaConf 2.3.1 says of the same texts.
test.each([
  [`1${':00'.repeat(21)}.5`, 2.193695064037786e37],
  [`1${':00'.repeat(22)}.5`, 1.3162170384226713e39],
  [`1${':00'.repeat(25)}.5`, 2.84302880299297e44],
  [`1${':00'.repeat(173)}.5`, 4.170290573391028e307],
  [`-59${':59'.repeat(30)}.25`, -1.3264435183244002e55],
])('floats of base 60 are added up as in Python: %s', (text, value) => {
  expect(at(parseYaml(`a: ${text}\n`), 'a')).toMatchObject({ value })
})

test('a float of base 60 that Python cannot hold is refused as it does', () => {
  expect(failure(`a: 1${':00'.repeat(174)}.5\n`)).toBe('OverflowError')
})

test('an integer of base 60 may have many parts', () => {
  const parts = Array.from({ length: 2000 }, (_, part) => (part * 7) % 60)
  const value = parts.reduce((total, part) => total * 60n + BigInt(part), 1n)
  expect(at(parseYaml(`a: 1:${parts.join(':')}\n`), 'a')).toMatchObject({ value })
  // Longer than any test has time if it took time with the square.
  expect(at(parseYaml(`a: 1${':1'.repeat(500_000)}\n`), 'a')).toMatchObject({ kind: 'scalar' })
})
