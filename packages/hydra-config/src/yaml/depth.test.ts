import { expect, test } from 'vitest'
import { isHydraConfigError } from '../errors.ts'
import { resolveAll, select } from '../interpolation/resolve-all.ts'
import { merge } from '../merge/merge.ts'
import { parseOverride } from '../override/parse.ts'
import { list, map, scalar, type Value } from '../value/value.ts'
import { dumpYaml } from './dump.ts'
import { parseYaml } from './parse-yaml.ts'

const levels = 10_000

function nested(around: (inner: Value) => Value): Value {
  let value: Value = scalar(1n)
  for (let level = 0; level < levels; level++) value = around(value)
  return value
}

const deepMap = nested((inner) => map([['a', inner]]))
const deepList = map([['l', nested((inner) => list([inner]))]])

/** Every element an alias of the line before, nine times. */
const bomb = Array.from({ length: 9 }, (_, at) => {
  const items = at === 0 ? Array(9).fill('x') : Array(9).fill(`*a${at - 1}`)
  return `a${at}: &a${at} [${items.join(', ')}]\n`
})
const mergeBomb = Array.from({ length: 60 }, (_, at) =>
  at === 0 ? 'b0: &b0 {x: 1}\n' : `b${at}: &b${at} {<<: [*b${at - 1}, *b${at - 1}]}\n`,
)

test.each<[string, () => unknown]>([
  ['YAML lists in lists', () => parseYaml('['.repeat(levels) + ']'.repeat(levels))],
  ['YAML maps in maps', () => parseYaml(`${'{a: '.repeat(levels)}1${'}'.repeat(levels)}`)],
  ['YAML items in items', () => parseYaml(`${'- '.repeat(levels)}x`)],
  [
    'YAML keys below keys',
    () => parseYaml(Array.from({ length: 1000 }, (_, at) => `${' '.repeat(at)}a:\n`).join('')),
  ],
  ['a bomb of aliases', () => parseYaml(bomb.join(''))],
  ['a bomb of merge keys', () => parseYaml(mergeBomb.join(''))],
  ['a value in itself', () => parseYaml('&a [*a]')],
  ['lists of an override', () => parseOverride(`a=${'['.repeat(levels)}${']'.repeat(levels)}`)],
  ['calls of an override', () => parseOverride(`a=${'int('.repeat(levels)}1${')'.repeat(levels)}`)],
  ['interpolations in interpolations', () => parseYaml(`a: "${'${'.repeat(levels)}${'}'.repeat(levels)}"`)],
  ['maps that are written', () => dumpYaml(deepMap)],
  ['lists that are written', () => dumpYaml(deepList)],
  ['maps that are merged', () => merge(deepMap, deepMap)],
])('%s are refused with an error of this package', (_, run) => {
  let thrown: unknown
  try {
    run()
  } catch (error) {
    thrown = error
  }
  expect(isHydraConfigError(thrown)).toBe(true)
})

test('values as deep as these are resolved and found', () => {
  expect(resolveAll(deepMap)).toBeDefined()
  expect(resolveAll(deepList)).toBeDefined()
  expect(select(deepMap, Array(levels).fill('a').join('.'))).toMatchObject({ value: 1n })
})

test('an override of 1 MB is parsed', () => {
  expect(parseOverride(`a=${'x,'.repeat(500_000)}x`).value).toMatchObject({ kind: 'choice' })
})
