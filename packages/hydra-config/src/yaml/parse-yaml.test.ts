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
