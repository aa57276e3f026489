import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  any,
  compose,
  configStore,
  fromMemory,
  int,
  listOf,
  str,
  structured,
} from '@loadbearing/hydra-config'
import { expect, test } from 'vitest'
import type { Answer } from '../differential/answers.ts'
import { ourStored, type StoreCase } from '../differential/store-cases.ts'

const DB = structured('DB', { host: str('localhost'), port: int(5432) })

test('what is composed with a store is what Hydra composes with its ConfigStore', async () => {
  const lines = readFileSync(join(import.meta.dirname, 'stored-cases.jsonl'), 'utf8')
    .trim()
    .split('\n')
  expect(lines.length).toBe(300)
  let failed = 0
  for (const line of lines) {
    const { expect: recorded, ...input } = JSON.parse(line) as StoreCase & { readonly expect: Answer }
    expect(await ourStored(input), line).toEqual(recorded)
    failed += Number('error' in recorded)
  }
  // Both what is taken and what is refused is there.
  expect(Math.min(failed, lines.length - failed)).toBeGreaterThan(60)
})

test('explain tells the defaults of the struct from what took their place', async () => {
  const files = { 'config.yaml': 'defaults:\n- base@db\n- _self_\ndb:\n  port: "77"\n' }
  const config = await compose({
    source: [fromMemory(files), configStore({ base: DB })],
    config: 'config',
    overrides: ['db.port=8'],
  })
  expect(config.value).toEqual({ db: { host: 'localhost', port: 8 } })
  expect(config.explain('db.host' as never)).toMatchObject({ origin: { kind: 'schema-default' } })
  expect(config.explain('db.port' as never)).toMatchObject({
    origin: { kind: 'override', text: 'db.port=8' },
    history: [
      { op: 'set', value: 5432, origin: { kind: 'schema-default' } },
      { op: 'replace', value: 77, origin: { kind: 'file', config: 'config', line: 5 } },
      { op: 'replace', value: 8, origin: { kind: 'override' } },
    ],
  })
})

test('an error of a type has the place of the value', async () => {
  const source = [
    fromMemory({
      'config.yaml': 'defaults:\n- base@db\n- _self_\ndb:\n  port: high\n',
      'unknown.yaml': 'defaults:\n- base@db\n- _self_\ndb:\n  prot: 1\n',
    }),
    configStore({ base: DB }),
  ]
  const place = { kind: 'file', line: 5, column: 9 }
  for (const [config, ofClass, path] of [
    ['config', 'ValidationError', 'db.port'],
    ['unknown', 'ConfigKeyError', 'db.prot'],
  ] as const) {
    await expect(compose({ source, config })).rejects.toMatchObject({
      class: 'ConfigCompositionException',
      origin: { ...place, config },
      path,
      cause: { class: ofClass },
    })
  }
})

test('the first source has a config, and the store is the last: it checks the file of its name', async () => {
  const warnings: string[] = []
  const source = [configStore({ config: DB, two: DB }), fromMemory({ 'config.yaml': 'port: "7"\n' })]
  const composed = (config: string): ReturnType<typeof compose> =>
    compose({ source, config, warn: (message) => warnings.push(message) })
  expect((await composed('config')).value).toEqual({ host: 'localhost', port: 7 })
  expect(warnings).toHaveLength(1)
  expect(warnings[0]).toContain("'config' is validated against ConfigStore schema with the same name")
  expect((await composed('two')).value).toEqual({ host: 'localhost', port: 5432 })
  expect(warnings).toHaveLength(1)
})

test('a struct has a defaults list of its own, which is no part of the configuration', async () => {
  const App = structured('App', { defaults: listOf(any(), ['_self_', { db: 'pg' }]), db: DB })
  const source = configStore({ app: App, 'db/pg': structured('PG', { port: int(6000) }, { extends: DB }) })
  const { value, choices } = await compose({ source, config: 'app' })
  expect(Object.keys(value as object)).toEqual(['db'])
  expect([...choices]).toEqual([['db', 'pg']])
})

test.each([
  ['../x', DB],
  ['a//b', DB],
  ['', DB],
  ['a', 5],
  ['a', { port: 1 }],
  ['a', { node: 5 }],
  ['a', { node: DB, package: 5 }],
])('a store refuses %s: %o', (name, given) => {
  expect(() => configStore({ [name]: given as never })).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION' }),
  )
})
