import { compose, fromMemory } from '@loadbearing/hydra-config'
import { test as base, describe, expect } from 'vitest'
import { z } from 'zod'

// The recipe of the README for tests of an app.
const source = fromMemory({
  'config.yaml': 'defaults: [db: pg, _self_]\nuser: ${oc.env:DB_USER,nobody}\n',
  'db/pg.yaml': 'port: 5432\n',
  'db/sqlite.yaml': 'port: 0\n',
})
const schema = z.object({ db: z.object({ port: z.number() }), user: z.string() })

const test = base.extend<{
  overrides: string[]
  environment: Record<string, string>
  config: z.output<typeof schema>
}>({
  overrides: [],
  environment: {},
  config: async ({ overrides, environment }, use) => {
    const options = { source, config: 'config', schema, overrides }
    const { value } = await compose({ ...options, environment: (name) => environment[name] })
    await use(value)
  },
})

test('a test has the configuration, and no variables of the machine', ({ config }) => {
  expect(config).toEqual({ db: { port: 5432 }, user: 'nobody' })
})

describe('with overrides of its own', () => {
  test.override({ overrides: ['db=sqlite'], environment: { DB_USER: 'ann' } })

  test('a test has what they make of it', ({ config }) => {
    expect(config).toEqual({ db: { port: 0 }, user: 'ann' })
  })
})
