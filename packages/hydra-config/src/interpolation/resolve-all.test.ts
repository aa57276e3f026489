import { expect, test } from 'vitest'
import { dumpYaml } from '../yaml/dump.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import { resolveAll, select } from './resolve-all.ts'

test('oc.env reads only what it is given', () => {
  const root = parseYaml('home: ${oc.env:HOME,none}\n')
  expect(select(root, 'home')).toMatchObject({ value: 'none' })
  expect(select(root, 'home', { environment: (name) => `<${name}>` })).toMatchObject({
    value: '<HOME>',
    origin: { kind: 'env', name: 'HOME' },
  })
})

test('oc.deprecated warns of the keys', () => {
  const warnings: string[] = []
  resolveAll(parseYaml('new: {x: 1}\nold: ["${oc.deprecated:new.x}"]\n'), {
    warn: (text) => warnings.push(text),
  })
  expect(warnings).toEqual(["'old[0]' is deprecated. Change your code and config to use 'new.x'"])
})

test('own resolvers stand beside those of OmegaConf', () => {
  const resolvers = { count: (...args: never[]) => args.length - 1 }
  expect(dumpYaml(resolveAll(parseYaml('a: ${count:1,2}\n'), { resolvers }))).toBe('a: 2\n')
})

test('what leads to a missing value becomes missing', () => {
  expect(dumpYaml(resolveAll(parseYaml('a: ???\nb: ${a}\n')))).toBe('a: ???\nb: ???\n')
})

test('a circle is an error, not an endless walk', () => {
  expect(() => resolveAll(parseYaml('a: ${b}\nb: ${a}\n'))).toThrow(/Recursive interpolation detected/)
  expect(() => resolveAll(parseYaml('a: {b: "${c}"}\nc: {d: "${a}"}\n'))).toThrow('a → c → a')
  expect(() => resolveAll(parseYaml('a: ${oc.select:a}\n'))).toThrow(
    /Recursive interpolation detected: a → a/,
  )
})
