import {
  type Composition,
  compose,
  fromDotlist,
  fromMemory,
  instantiate,
  merge,
  parseYaml,
  registry,
  select,
  str,
  structured,
  update,
} from '@loadbearing/hydra-config'
import { expect, test } from 'vitest'
import { z } from 'zod'

// What convict (CVE-2022-22143, CVE-2023-0163, its issues 423, 424 and 426) and node-config (905 and 906) were hit by, and
// what defu guards against: a key or a path that reaches Object.prototype.
const paths = [
  '__proto__.polluted',
  'constructor.prototype.polluted',
  '__proto__.__proto__.polluted',
  'a.__proto__.polluted',
  'a.constructor.prototype.polluted',
  'toString.polluted',
  '__proto__.toString',
  'this.constructor.prototype.polluted',
  '__lookupGetter__.polluted',
]
const documents = [
  '{"__proto__": {"polluted": true}}',
  '{"constructor": {"prototype": {"polluted": true}}}',
  '{"a": {"__proto__": {"polluted": true}}}',
  '{"a": [{"__proto__": {"polluted": true}}]}',
  '{"__proto__": {"toString": "x"}, "hasOwnProperty": 1}',
  '__proto__: &p\n  polluted: true\nb:\n  <<: *p\n',
  '? __proto__\n: polluted: true\n',
]

const prototypes = [Object.prototype, Array.prototype, Function.prototype, Map.prototype]
const before = prototypes.map(keysOf)

/** The prototypes that are as they were before. */
function untouched(): boolean {
  const isClean =
    Reflect.get({}, 'polluted') === undefined && Object.prototype.toString.call({}) === '[object Object]'
  return isClean && prototypes.every((each, index) => keysOf(each) === before[index])
}

function keysOf(prototype: object): string {
  return JSON.stringify(Reflect.ownKeys(prototype).map(String))
}

/** Everything that a configuration is made into. */
async function used(files: Record<string, string>, overrides: readonly string[] = []): Promise<void> {
  const composition = await compose({ source: fromMemory(files), config: 'config', overrides })
  JSON.stringify(composition.value)
  composition.toYAML({ resolve: true })
  composition.digest()
  composition.diff(await compose({ source: fromMemory({ 'config.yaml': '{}\n' }), config: 'config' }))
  for (const path of paths) selected(composition, path)
  const checked = await compose({
    source: fromMemory(files),
    config: 'config',
    overrides,
    schema: z.record(z.string(), z.unknown()),
  })
  Object.assign({}, checked.value)
  instantiate(composition.tree, registry({}))
}

function selected({ tree }: Composition, path: string): void {
  try {
    select(tree.raw, path)
  } catch (error) {
    // In a list there is no such index.
    expect(error).toMatchObject({ code: 'INTERPOLATION_UNRESOLVED' })
  }
}

test.each(documents)('a document: %s', async (document) => {
  await used({ 'config.yaml': document })
  await used({ 'config.yaml': 'defaults: [db: bad]\n', 'db/bad.yaml': document })
  const other = parseYaml('{c: {d: 1}}')
  for (const merged of [merge(other, parseYaml(document)), merge(parseYaml(document), other)]) {
    expect(merged.kind).toBe('map')
  }
  expect(untouched()).toBe(true)
})

test.each(paths)('a path, as an override, a package and an interpolation: %s', async (path) => {
  for (const prefix of ['+', '++']) await used({ 'config.yaml': 'a: {}\n' }, [`${prefix}${path}=true`])
  await used({ 'config.yaml': `defaults: [db@${path}: x]\n`, 'db/x.yaml': 'v: 1\n' })
  await used({ 'config.yaml': 'defaults: [db: x]\n', 'db/x.yaml': `# @package ${path}\nv: 1\n` })
  await expect(used({ 'config.yaml': `a: {b: "\${${path}}"}\n` })).rejects.toMatchObject({
    code: 'INTERPOLATION_UNRESOLVED',
  })
  fromDotlist([`${path}=true`])
  expect(update(parseYaml('{a: {}}'), path, parseYaml('{x: 1}'), { forceAdd: true }).kind).toBe('map')
  expect(untouched()).toBe(true)
})

test('names of configs, groups, variables, targets and fields', async () => {
  await used({
    'config.yaml': 'defaults: [__proto__: constructor]\n',
    '__proto__/constructor.yaml': 'v: 1\n',
  })
  const environment = (name: string): string => `${name} is set`
  const { value } = await compose({
    source: fromMemory({ 'config.yaml': 'v: "${oc.env:__proto__}"\n' }),
    config: 'config',
    environment,
  })
  expect(value).toEqual({ v: '__proto__ is set' })
  const odd = structured('Odd', { ['__proto__']: str('x'), constructor: str('y') })
  expect([...odd.value.entries.keys()]).toEqual(['__proto__', 'constructor'])
  const own = await compose({ source: fromMemory({ 'config.yaml': '{}\n' }), config: 'config', schema: odd })
  expect(Object.entries(own.value)).toEqual([
    ['__proto__', 'x'],
    ['constructor', 'y'],
  ])
  expect(untouched()).toBe(true)
})
