import { expect, test } from 'vitest'
import { dumpYaml } from '../yaml/dump.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import { merge } from './merge.ts'

test('neither side changes, and what is not touched is shared', () => {
  const dest = parseYaml('a: {b: 1}\nc: {d: 2}\n')
  const src = parseYaml('a: {b: 3}\n')
  const before = [dumpYaml(dest), dumpYaml(src)]
  const merged = merge(dest, src)
  expect([dumpYaml(dest), dumpYaml(src)]).toEqual(before)
  expect(merged.kind === 'map' && merged.entries.get('c')).toBe(dest.kind === 'map' && dest.entries.get('c'))
})

test('a value keeps the place of the file that it is from', () => {
  const source = 'memory://'
  const merged = merge(
    parseYaml('a: {b: 1, c: 2}', { source, config: 'x' }),
    parseYaml('a: {b: 3}', { source, config: 'y' }),
  )
  const inner = merged.kind === 'map' ? merged.entries.get('a') : undefined
  const origin = (key: string): unknown => inner?.kind === 'map' && inner.entries.get(key)?.origin
  expect([origin('b'), origin('c')]).toMatchObject([{ config: 'y' }, { config: 'x' }])
})

test('thousands of maps over interpolations are merged, each with what it has led to so far', () => {
  const keys = Array.from({ length: 5000 }, (_, at) => `k${at}`)
  const dest = parseYaml(`x: {a: 1}\nz: {${keys.map((key) => `${key}: "\${x}"`).join(', ')}}\n`)
  const src = parseYaml(`x: {b: 2}\nz: {${keys.map((key) => `${key}: {c: 3}`).join(', ')}}\n`)
  const merged = merge(dest, src)
  const expected = `x:\n  a: 1\n  b: 2\nz:\n${keys.map((key) => `  ${key}:\n    a: 1\n    b: 2\n    c: 3\n`).join('')}`
  expect(dumpYaml(merged)).toBe(expected)
})
