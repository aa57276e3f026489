import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { compose } from '../compose/compose.ts'
import type { Composition } from '../compose/composition.ts'
import { fromMemory } from '../source/memory.ts'
import { secret } from '../value/secret.ts'
import type { HistoryStep, Provenance } from './provenance.ts'

const source = fromMemory({
  'config.yaml': 'defaults:\n- db: mysql\n- tuning/fast\n- _self_\nname: app\nurl: ${db.host}:${db.port}\n',
  'db/mysql.yaml': 'defaults:\n- engine: inno\nhost: localhost\nport: 3306\nhosts: [a, b]\n',
  'db/postgres.yaml': 'host: pg.internal\nport: 5432\nhosts: []\n',
  'db/engine/inno.yaml': 'pages: 16\n',
  'tuning/fast.yaml': '# @package _global_\ndb:\n  port: 3310\n  cache: ???\n',
})

function composed(...overrides: string[]): Promise<Composition> {
  return compose({ source, config: 'config', overrides })
}

function brief({ origin, history }: Provenance): unknown {
  return { origin: place(origin), history: history.map((step) => [step.op, place(step.origin), step.value]) }
}

function place(origin: HistoryStep['origin']): unknown {
  if (origin.kind === 'file') return `${origin.config}:${origin.line}:${origin.column}`
  return origin.kind === 'override' ? origin.text.slice(origin.start, origin.end) : origin.kind
}

describe('explain', () => {
  test('a value has its place, and everything that it took the place of', async () => {
    const composition = await composed('db.port=3307')
    expect(brief(composition.explain('db.port'))).toEqual({
      origin: '3307',
      history: [
        ['set', 'db/mysql:4:7', 3306],
        ['replace', 'tuning/fast:3:9', 3310],
        ['replace', '3307', 3307],
      ],
    })
    expect(composition.explain('db.port').origin).toEqual({
      kind: 'override',
      index: 0,
      start: 8,
      end: 12,
      text: 'db.port=3307',
    })
  })

  test('the trail leads from the primary config to the one that wrote it, with what chose each', async () => {
    const { history } = (await composed('db=mysql')).explain('db.engine.pages')
    expect(history[0]?.via).toMatchObject([
      { config: 'config', package: '', chosenBy: undefined },
      { config: 'db/mysql', package: 'db', chosenBy: { kind: 'override', index: 0, start: 3, end: 8 } },
      {
        config: 'db/engine/inno',
        package: 'db.engine',
        chosenBy: { config: 'db/mysql', line: 2, column: 11 },
      },
    ])
  })

  test('items of lists, in a file and in an override', async () => {
    expect(brief((await composed()).explain('db.hosts[1]'))).toEqual({
      origin: 'db/mysql:5:12',
      history: [['set', 'db/mysql:5:12', 'b']],
    })
    expect(brief((await composed('db.hosts=[x,{k: "y"}]')).explain('db.hosts[1].k'))).toEqual({
      origin: '"y"',
      history: [['set', '"y"', 'y']],
    })
  })

  test('containers tell which layers are in them', async () => {
    const { origin, history } = (await composed('+db={extra: 1}')).explain('db')
    expect(place(origin)).toBe('db/engine/inno:1:1')
    expect(history.map(({ op, origin: at }) => [op, place(at)])).toEqual([
      ['set', 'db/engine/inno:1:1'],
      ['merge', 'db/mysql:1:1'],
      ['merge', 'tuning/fast:3:3'],
      ['merge', '{extra: 1}'],
    ])
  })

  test('what is deleted says by what', async () => {
    const found = (await composed('~db.host')).explain('db.host')
    expect([found.value, brief(found)]).toEqual([
      undefined,
      {
        origin: '~db.host',
        history: [
          ['set', 'db/mysql:3:7', 'localhost'],
          ['delete', '~db.host', undefined],
        ],
      },
    ])
  })

  test('what a scalar above it removed says so', async () => {
    expect(brief((await composed('db.engine=none')).explain('db.engine.pages'))).toEqual({
      origin: 'none',
      history: [
        ['set', 'db/engine/inno:1:8', 16],
        ['delete', 'none', undefined],
      ],
    })
  })

  test('a path that was never there is refused with what is like it', async () => {
    const composition = await composed()
    expect(() => composition.explain('db.prot')).toThrow(
      expect.objectContaining({
        code: 'UNKNOWN_PATH',
        path: 'db.prot',
        message: expect.stringMatching(/'db' has no 'prot'.*'port'/),
      }),
    )
    expect(() => composition.explain('db.port.x')).toThrow(/'db.port' is no map or list/)
  })
})

describe('explain of an interpolation', () => {
  const files = {
    'config.yaml':
      'host: ${oc.env:HOST,none}\nport: 80\nurl: ${host}:${port}\nsite: ${url}/x\nbad: ${nowhere}\nloop: ${loop}\nalias: ${deep}\ndeep: {a: 1}\n',
  }

  test('tells what was read, to the file or the variable', async () => {
    const environment = (name: string): string | undefined => (name === 'HOST' ? 'h.example' : undefined)
    const composition = await compose({
      source: fromMemory(files),
      config: 'config',
      overrides: ['port=81'],
      environment,
    })
    const site = composition.explain('site')
    expect([site.value, site.interpolation?.expr]).toEqual(['h.example:81/x', '${url}/x'])
    const [url] = site.interpolation?.reads ?? []
    expect([url?.path, url?.origin]).toMatchObject(['url', { line: 3, column: 6 }])
    const [host, port] = url?.interpolation?.reads ?? []
    expect([port?.path, port?.value, port?.origin]).toMatchObject([
      'port',
      81,
      { kind: 'override', index: 0 },
    ])
    expect(host?.interpolation?.reads).toEqual([
      { path: '', value: 'h.example', origin: { kind: 'env', name: 'HOST' }, history: [] },
    ])
  })

  test('of one that has no value says why, and hinders no other', async () => {
    const composition = await compose({ source: fromMemory(files), config: 'config' })
    expect(composition.explain('port').value).toBe(80)
    const bad = composition.explain('bad')
    expect(bad.value).toBe('${nowhere}')
    expect(bad.interpolation?.error?.message).toMatch(/nowhere/)
    expect(composition.explain('loop').interpolation?.error).toMatchObject({ code: 'INTERPOLATION_CYCLE' })
  })

  test('on the way is followed', async () => {
    const composition = await compose({ source: fromMemory(files), config: 'config' })
    expect(composition.explain('alias.a')).toMatchObject({
      path: 'deep.a',
      value: 1,
      origin: { line: 8, column: 11 },
    })
  })
})

describe('explain with a schema', () => {
  const schema = z.object({
    port: z.coerce.number(),
    mode: z.string().default('slow'),
    password: z.string(),
    url: z.string().optional(),
  })
  const derived = schema.transform((config) => ({
    ...config,
    url: `pg://${config.password}@db:${config.port}`,
  }))

  test('tells what the schema made of a value, and of its defaults that they are from there', async () => {
    const composition = await compose({
      source: fromMemory({ 'config.yaml': 'port: "80"\npassword: ${vault:}\n' }),
      config: 'config',
      schema: derived,
      resolvers: { vault: () => secret('hunter2') },
    })
    expect(composition.explain('port')).toMatchObject({ value: 80, origin: { line: 1, column: 7 } })
    expect(composition.explain('port').history).toMatchObject([{ op: 'set', value: '80' }])
    expect(composition.explain('mode')).toMatchObject({ value: 'slow', origin: { kind: 'schema-default' } })
    expect(composition.explain('password').value).toBe('***')
    expect(composition.explain('url').value).toBe('***')
  })
})
