import { describe, expect, test } from 'vitest'
import { isHydraConfigError } from '../errors.ts'
import { fromMemory } from '../source/memory.ts'
import { sweep } from '../sweep/sweep.ts'
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

  test('a primary config that is a list is refused, below a package and for its defaults list too', async () => {
    const lists = fromMemory({ 'list.yaml': '- a\n', 'db/list.yaml': '- a\n' })
    for (const config of ['list', 'db/list']) {
      for (const ask of [compose, defaultsList, sweep]) {
        await expect(ask({ source: lists, config, overrides: ['unknown=1'] })).rejects.toMatchObject({
          code: 'COMPOSITION',
          class: 'ConfigCompositionException',
          message: `primary config '${config}' must be a DictConfig, got ListConfig`,
        })
      }
    }
  })

  test('an unknown key is refused', async () => {
    expect(await refusal('config', 'nme=1')).toMatch(
      /^COMPOSITION ConfigCompositionException: Could not override 'nme'\.\n.* use \+nme=1\n {2}at override 'nme=1'$/,
    )
  })

  test.each([[`+${'a.'.repeat(10_000)}b=1`], [`+db@${'a.'.repeat(10_000)}b=mysql`]])(
    'a path of thousands of keys is refused',
    async (override) => {
      expect(await refusal('config', override)).toMatch(/^COMPOSITION .*10001 keys is too deep/)
    },
  )

  test('thousands of overrides of one map are applied, each seen by the next and by explain()', async () => {
    const numbers = Array.from({ length: 5000 }, (_, at) => at)
    const wide = fromMemory({ 'config.yaml': `m:\n${numbers.map((at) => `  k${at}: 0\n`).join('')}` })
    const overrides = numbers.flatMap((at) => [
      `m.k${at}=${at}`,
      at % 2 === 0 ? `~m.k${at}` : `m.k${at}={a: ${at}}`,
      at % 2 === 0 ? `+m.k${at}=again` : `++m.k${at}.b=x`,
    ])
    const composition = await compose({ source: wide, config: 'config', overrides })
    const odd = numbers.filter((at) => at % 2 === 1).map((at) => [`k${at}`, { a: at, b: 'x' }])
    const even = numbers.filter((at) => at % 2 === 0).map((at) => [`k${at}`, 'again'])
    expect(JSON.stringify(composition.value)).toBe(
      JSON.stringify({ m: Object.fromEntries([...odd, ...even]) }),
    )
    expect(composition.explain('m.k4998').history.map(({ op }) => op)).toEqual([
      'set',
      'replace',
      'delete',
      'set',
    ])
  })

  test('an override follows interpolations that ask resolvers of the app, as in Hydra', async () => {
    const files = fromMemory({ 'config.yaml': 'a: ${${pick:m}}\nm: {b: 1, c: 2}\nd: ${made:1}\n' })
    const resolvers = { pick: (name: unknown) => name, made: () => ({ b: 1 }) }
    const composed = (override: string) =>
      compose({ source: files, config: 'config', overrides: [override], resolvers })
    expect((await composed('~a.b')).value).toMatchObject({ a: { c: 2 }, m: { c: 2 } })
    await expect(composed('~d.b')).rejects.toThrow("Could not delete from config. 'd.b' does not exist.")
  })

  test('a cycle of defaults lists is named', async () => {
    expect(await refusal('loop')).toMatch(/^COMPOSITION RecursionError: .*loop/)
  })

  test('what a source gives for a text and is none is refused by its name', async () => {
    const files = new Map()
    files.set('config.yaml', 5)
    await expect(
      compose({ source: { path: 'own://', files: () => files }, config: 'config' }),
    ).rejects.toThrow(
      expect.objectContaining({ code: 'SOURCE_READ', message: "the config 'config' is no text but 5" }),
    )
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
    [{ source, schema: {} }, /schema must be a Standard Schema .* not an object/],
    [{ source, schema: 'z' }, /schema must be a Standard Schema .* not "z"/],
    [{ source, secrets: ['**.token'] }, /secrets must be .* not an array/],
    [{ source, secrets: null }, /secrets must be .* not null/],
    [{ source, secrets: { paths: '**.token' } }, /secrets\.paths must be an array, not "\*\*\.token"/],
    [{ source, secrets: { environment: 'TOKEN' } }, /secrets\.environment must be an array, not "TOKEN"/],
    [{ source, secrets: { environment: [1] } }, /secrets\.environment takes names .* not 1/],
  ])('options are checked: %o', async (options, message) => {
    const given: ComposeOptions = JSON.parse('{}')
    await expect(compose(Object.assign(given, { config: 'config' }, options))).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringMatching(message) }),
    )
  })
})
