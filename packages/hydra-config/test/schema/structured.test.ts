import { inspect } from 'node:util'
import {
  any,
  compose,
  dictOf,
  enumOf,
  fromDotlist,
  fromMemory,
  int,
  listOf,
  maskedCopy,
  merge,
  missingKeys,
  optional,
  parseYaml,
  secretOf,
  select,
  str,
  structured,
  update,
  withFlagsAt,
} from '@loadbearing/hydra-config'
import { expect, test } from 'vitest'

const DB = structured('DB', {
  driver: enumOf('Driver', { PG: 1, MYSQL: 2 }, 'PG'),
  host: str(),
  port: int(5432),
  tags: listOf(str(), []),
  options: dictOf(str(), any(), {}),
})
const App = structured('App', { db: DB, replica: optional(DB, null), seen: int('${db.port}') })

test('as the schema of a composition it fills in, converts and refuses', async () => {
  const composed = (text: string, ...overrides: string[]): ReturnType<typeof compose> =>
    compose({ source: fromMemory({ 'config.yaml': text }), config: 'config', overrides, schema: App })
  expect((await composed('db: {host: h, port: "77", driver: 2}\n', '+db.tags=[1]')).value).toEqual({
    db: { driver: 'MYSQL', host: 'h', port: 77, tags: ['1'], options: {} },
    replica: null,
    seen: 77,
  })
  await expect(composed('db: {port: 1}\n')).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    issues: [{ path: 'db.host', origin: { kind: 'file', config: 'config', line: 1 } }],
  })
  await expect(composed('db: {host: h}\n', '+db.port=high')).rejects.toMatchObject({
    issues: [{ path: 'db.port', origin: { kind: 'override', text: '+db.port=high' } }],
  })
  await expect(composed('db: {host: h, prot: 1}\n')).rejects.toMatchObject({ issues: [{ path: 'db.prot' }] })
})

test('flags hold for what is inside, until something there has its own', () => {
  const config = withFlagsAt(parseYaml('a: {b: 1}\nc: {d: 1}\n'), '', { readonly: true, struct: true })
  const five = parseYaml('[5]')
  expect(() => update(config, 'a.b', five)).toThrow(
    expect.objectContaining({ code: 'READONLY', class: 'ReadonlyConfigError', path: 'a.b' }),
  )
  const opened = withFlagsAt(config, 'c', { readonly: false })
  expect(select(update(opened, 'c.d', five), 'c.d')).toEqual(five)
  expect(() => update(opened, 'c.e', five)).toThrow(
    expect.objectContaining({ code: 'UNKNOWN_PATH', class: 'ConfigAttributeError' }),
  )
  expect(select(update(opened, 'c.e', five, { forceAdd: true }), 'c.e')).toEqual(five)
  const unset = withFlagsAt(opened, '', { readonly: undefined, struct: undefined })
  expect(select(update(unset, 'a.x', five), 'a.x')).toEqual(five)
})

test('what is missing, a part of it, and a list of dots', () => {
  expect([...missingKeys(App.value)]).toEqual(['db.host'])
  expect(merge(maskedCopy(parseYaml('{a: 1, b: 2, c: 3}'), ['c', 'a', 'z']), parseYaml('{}'))).toEqual(
    maskedCopy(parseYaml('{a: 1, b: 2, c: 3}'), ['a', 'c']),
  )
  const dotted = fromDotlist(['a.b=1', 'a.c=[x, 2.0]', 'd', 'a[b]=yes'])
  expect(select(dotted, 'a.b')).toMatchObject({ value: true })
  expect(select(dotted, 'a.c[1]')).toMatchObject({ value: 2 })
  expect(dotted.kind === 'map' && [...dotted.entries.keys()]).toEqual(['a', 'd'])
})

test('its JSON Schema is for editors', () => {
  const wider = structured('Wide', { key: secretOf(str()) }, { extends: DB })
  expect(wider['~standard'].jsonSchema?.input({ target: 'draft-2020-12' })).toMatchObject({
    title: 'Wide',
    type: 'object',
    additionalProperties: false,
    properties: {
      driver: { anyOf: [{ enum: ['PG', 'MYSQL'] }, { $ref: '#/$defs/special' }] },
      tags: { anyOf: [{ type: 'array', items: { anyOf: [{ type: 'string' }, {}] } }, {}] },
      options: { anyOf: [{ type: 'object', additionalProperties: {} }, {}] },
      key: { writeOnly: true },
    },
  })
})

test('an item that is not there is told before that the list is read-only, where it would be merged into', () => {
  const frozen = structured('Fixed', { a: listOf(dictOf(str(), int()), []) }, { frozen: true })
  const refused = (isMerged: boolean): (() => unknown) => {
    return () => update(frozen.value, 'a[0]', parseYaml('{}'), { merge: isMerged })
  }
  expect(refused(true)).toThrow(expect.objectContaining({ class: 'ConfigIndexError' }))
  expect(refused(false)).toThrow(expect.objectContaining({ class: 'ReadonlyConfigError' }))
})

test('that a list cannot hold a value is told before that it has no such item', () => {
  const { value } = structured('Lists', {
    some: listOf(int(), []),
    maybe: listOf(optional(DB), []),
  })
  const refused = (path: string, given: null | bigint): (() => unknown) => {
    return () => update(value, path, { kind: 'scalar', value: given }, { merge: false })
  }
  expect(refused('some[0]', null)).toThrow(expect.objectContaining({ class: 'ValidationError' }))
  expect(refused('some[0]', 1n)).toThrow(expect.objectContaining({ class: 'ConfigIndexError' }))
  expect(refused('maybe[0]', null)).toThrow(expect.objectContaining({ class: 'ConfigIndexError' }))
  expect(refused('maybe[0]', 1n)).toThrow(expect.objectContaining({ class: 'ValidationError' }))
})

test('a frozen struct, one that extends another, and a secret field', () => {
  const frozen = structured('Fixed', { a: int(1) }, { frozen: true })
  expect(() => update(frozen.value, 'a', parseYaml('[1]'))).toThrow(
    expect.objectContaining({ code: 'READONLY' }),
  )
  const wider = structured('Wide', { user: str('u'), password: secretOf(str('hunter2')) }, { extends: DB })
  const merged = merge(App.value, merge(parseYaml('{}'), parseYaml('{replica: {host: h}}')))
  expect(select(merged, 'replica.port')).toMatchObject({ value: 5432n })
  expect([...wider.value.entries.keys()].slice(0, 2)).toEqual(['driver', 'host'])
  expect(inspect(wider, { depth: 20, showHidden: true, getters: true })).not.toContain('hunter2')
})
