import {
  compose,
  fromMemory,
  type HydraConfigError,
  isHydraConfigError,
  type StandardSchema,
} from '@loadbearing/hydra-config'
import { describe, expect, test } from 'vitest'
import { schemas } from './schemas.ts'

const source = fromMemory({
  'config.yaml': 'defaults: [db: pg, _self_]\ntags: [a, b]\n',
  'db/pg.yaml': 'driver: pg\nport: 5432\npassword: correct\n',
  'db/bare.yaml': 'driver: pg\nport: ???\n',
})

describe.each(Object.entries(schemas))('%s', (_, schema) => {
  const composed = (...overrides: string[]): ReturnType<typeof compose> =>
    compose({ source, config: 'config', overrides, schema })
  const refused = async (...overrides: string[]): Promise<HydraConfigError> => errorOf(composed(...overrides))

  test('takes a configuration, and gives it frozen', async () => {
    const { value } = await compose({
      source,
      config: 'config',
      overrides: ['db.port=${oc.decode:"5433"}', '~tags'],
      schema,
    })
    expect(value).toEqual({ db: { driver: 'pg', port: 5433, password: 'correct' }, tags: ['none'] })
    expect([value, value.db, value.tags].every(Object.isFrozen)).toBe(true)
  })

  test('tells every issue with the place that the value was written at', async () => {
    const { code, issues, message, origin, path } = await refused('db.port=high', 'tags=[a,1]')
    expect(code).toBe('CONFIG_INVALID')
    const byPath = (issues ?? []).toSorted((a, b) => a.path.localeCompare(b.path))
    expect(byPath).toMatchObject([
      {
        path: 'db.port',
        origin: { kind: 'override', text: 'db.port=high', index: 0, start: 8, end: 12 },
      },
      { path: 'tags[1]', origin: { kind: 'override', text: 'tags=[a,1]', index: 1 } },
    ])
    expect(message).toContain("override 'db.port=high'")
    expect({ origin, path }).toEqual({ origin: issues?.[0]?.origin, path: issues?.[0]?.path })
  })

  test('tells the file, line and column of a value of a file', async () => {
    const { issues, message } = await refused('db.password=abc', '+db.dsn=${db.driver}', 'db.driver=x')
    expect(issues?.find(({ path }) => path === 'db.driver')).toMatchObject({ origin: { kind: 'override' } })
    const inFile = await errorOf(
      compose({
        source: fromMemory({
          'config.yaml': 'tags: []\ndb:\n  driver: pg\n  port:  5.5\n  password: long enough\n',
        }),
        config: 'config',
        schema,
      }),
    )
    expect(inFile.issues).toMatchObject([
      { path: 'db.port', origin: { kind: 'file', config: 'config', line: 4, column: 10 } },
    ])
    expect(inFile.message).toMatch(/config\.yaml:4:10/)
    expect(message).toContain('db.password')
  })

  test('holds a missing value for absent, and says so', async () => {
    const { issues } = await refused('db=bare')
    expect(issues?.map(({ path }) => path).toSorted()).toEqual(['db.password', 'db.port'])
    expect(issues?.find(({ path }) => path === 'db.port')).toMatchObject({
      message: expect.stringContaining('???'),
      origin: { kind: 'file', config: 'db/bare', line: 2 },
    })
    expect(issues?.find(({ path }) => path === 'db.password')?.origin).toMatchObject({ config: 'db/bare' })
  })
})

test('a schema that throws, and one that never answers, end in a typed error or the reason of the signal', async () => {
  const schema = (validate: () => Promise<never>): StandardSchema => ({
    '~standard': { version: 1, vendor: 'own', validate },
  })
  const thrown = await errorOf(
    compose({ source, config: 'config', schema: schema(() => Promise.reject(new Error('out of order'))) }),
  )
  expect(thrown).toMatchObject({ code: 'CONFIG_INVALID', cause: { message: 'out of order' } })
  const abort = new AbortController()
  const reason = new Error('enough')
  const hanging = compose({
    source,
    config: 'config',
    signal: abort.signal,
    schema: schema(() => {
      abort.abort(reason)
      return new Promise(() => undefined)
    }),
  })
  await expect(hanging).rejects.toMatchObject({ code: 'ABORTED', cause: reason })
})

async function errorOf(promise: Promise<unknown>): Promise<HydraConfigError> {
  try {
    await promise
  } catch (error) {
    if (isHydraConfigError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
