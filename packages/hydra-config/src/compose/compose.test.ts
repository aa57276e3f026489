import { describe, expect, test } from 'vitest'
import { isHydraConfigError } from '../errors.ts'
import { fromMemory } from '../source/memory.ts'
import { type ComposeOptions, compose, defaultsList } from './compose.ts'

const source = fromMemory({
  'config.yaml': 'defaults:\n- db: mysql\n- _self_\nname: app\n',
  'db/mysql.yaml': 'port: 3306\n',
  'db/postgres.yaml': '# @package store\nport: 5432\n',
  'loop.yaml': 'defaults:\n- loop\n',
  '__proto__.yaml': '__proto__: {polluted: 1}\n',
})

async function refusal(config: string, ...overrides: string[]): Promise<string> {
  try {
    await compose({ source, config, overrides })
  } catch (error) {
    if (isHydraConfigError(error)) return `${error.code} ${error.class}: ${error.message}`
    throw error
  }
  throw new Error('it was composed')
}

describe('compose', () => {
  test('the option that an override chooses goes where its header says', async () => {
    expect(await defaultsList({ source, config: 'config', overrides: ['db=postgres'] })).toMatchObject([
      { config: 'db/postgres', package: 'store' },
      { config: 'config', package: '' },
    ])
  })

  test('what an override sets knows its place on the command line', async () => {
    const { tree } = await compose({ source, config: 'config', overrides: ['name=x', '+extra=1'] })
    expect(tree.get('extra')?.raw).toMatchObject({
      value: 1n,
      origin: { kind: 'override', text: '+extra=1', index: 1, start: 7, end: 8 },
    })
  })

  test('an option that is not there is refused with those that are', async () => {
    expect(await refusal('config', 'db=nope')).toMatch(
      /^MISSING_CONFIG MissingConfigException: .*'db\/nope'.*\tmysql\n\tpostgres\n.*path=memory:/s,
    )
  })

  test('an unknown key is refused', async () => {
    expect(await refusal('config', 'nme=1')).toMatch(
      /^COMPOSITION ConfigCompositionException: .*\+nme=1; did you mean 'name'/s,
    )
  })

  test.each([[`+${'a.'.repeat(10_000)}b=1`], [`+db@${'a.'.repeat(10_000)}b=mysql`]])(
    'a path of thousands of keys is refused',
    async (override) => {
      expect(await refusal('config', override)).toMatch(/^COMPOSITION .*10001 keys is too deep/)
    },
  )

  test('a cycle of defaults lists is named', async () => {
    expect(await refusal('loop')).toMatch(/^COMPOSITION RecursionError: .*loop/)
  })

  test('__proto__ is a key like any other', async () => {
    const { value } = await compose({ source, config: '__proto__' })
    expect(Object.entries(Object(value))).toEqual([['__proto__', { polluted: 1 }]])
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  })

  test.each([
    [{ source: { path: 'x' } }, /source must be a source .* not an object/],
    [{ source: [] }, /not an empty array/],
    [{ source, config: 1 }, /config must be the name of a config, not 1/],
    [{ source, overrides: 'a=1' }, /overrides must be an array of strings .* not "a=1"/],
    [{ source, overrides: ['a=1', 2] }, /not one with 2/],
    [{ source, semantics: 'hydra-2' }, /semantics must be/],
    [{ source, resolvers: { 'oc.env': () => '' } }, /oc\.env/],
  ])('options are checked: %o', async (options, message) => {
    const given: ComposeOptions = JSON.parse('{}')
    await expect(compose(Object.assign(given, { config: 'config' }, options))).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringMatching(message) }),
    )
  })
})
