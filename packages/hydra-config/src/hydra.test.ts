import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { HydraEvent } from './events.ts'
import { createHydra, type HydraOptions } from './hydra.ts'
import { fromMemory } from './source/memory.ts'

const files = {
  'config.yaml': 'defaults:\n- db: pg\nname: app\nurl: ${db.host}:${db.port}\nkey: ${secret:a}\n',
  'db/pg.yaml': 'host: one\nport: 1\n',
  'db/mysql.yaml': 'host: two\nport: 2\n',
}

function hydraOf(options: Partial<HydraOptions> = {}): ReturnType<typeof createHydra> {
  return createHydra({
    sources: [fromMemory(files)],
    resolvers: { secret: (key) => `of ${String(key)}` },
    ...options,
  })
}

describe('createHydra', () => {
  test('composes, lists defaults and sweeps with what it was made with', async () => {
    const hydra = hydraOf()
    const { value } = await hydra.compose({ config: 'config', overrides: ['db=mysql'] })
    expect(value).toEqual({ db: { host: 'two', port: 2 }, name: 'app', url: 'two:2', key: 'of a' })
    expect((await hydra.defaultsList({ config: 'config' })).map(({ config }) => config)).toEqual([
      'db/pg',
      'config',
    ])
    expect(await hydra.sweep({ config: 'config', overrides: ['db=pg,mysql'] })).toEqual([
      ['db=pg'],
      ['db=mysql'],
    ])
  })

  test('100 compositions at once do not see each other', async () => {
    const hydra = hydraOf()
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(999), { minLength: 100, maxLength: 100 }), async (ports) => {
        const overrides = (port: number): string[] => [
          `db=${port % 2 === 0 ? 'pg' : 'mysql'}`,
          `db.port=${port}`,
        ]
        const compositions = await Promise.all(
          ports.map((port) => hydra.compose({ config: 'config', overrides: overrides(port) })),
        )
        for (const [index, { value }] of compositions.entries()) {
          const port = ports[index] ?? 0
          const host = port % 2 === 0 ? 'one' : 'two'
          expect(value).toMatchObject({ db: { host, port }, url: `${host}:${port}` })
        }
      }),
      { numRuns: 10 },
    )
  })

  test('two share nothing: neither resolvers nor what they have parsed', async () => {
    const other = { ...files, 'db/pg.yaml': 'host: three\nport: 3\n' }
    const one = hydraOf()
    const two = hydraOf({ sources: [fromMemory(other)], resolvers: { secret: () => 'other' } })
    const [first, second] = await Promise.all([
      one.compose({ config: 'config' }),
      two.compose({ config: 'config' }),
    ])
    expect(first.value).toMatchObject({ url: 'one:1', key: 'of a' })
    expect(second.value).toMatchObject({ url: 'three:3', key: 'other' })
  })

  test('a text that stays the same is parsed once, one that changes again', async () => {
    let texts = new Map(Object.entries(files))
    const hydra = hydraOf({ sources: [{ path: 'memory://', files: () => texts }] })
    const before = await hydra.compose({ config: 'config' })
    expect((await hydra.compose({ config: 'config' })).tree.at('db').raw).toBe(before.tree.at('db').raw)
    texts = new Map(texts).set('db/pg.yaml', 'host: four\nport: 4\n')
    expect((await hydra.compose({ config: 'config' })).value).toMatchObject({ url: 'four:4' })
  })

  test('what it composed before changes nothing of what it composes', async () => {
    let texts = new Map<string, string>()
    const named: Record<string, string> = {
      'config.yaml': 'defaults:\n- base: a\n- db: pg\n- _self_\n- extra: none\nname: ${db.host}\n',
      'base/a.yaml': '# @package _global_\nn: 1\ndb: {host: a, tags: [x]}\n',
      'base/b.yaml': '# @package _global_\nn: 2\ndb: ${other}\nother: {host: b}\n',
      'db/pg.yaml': 'host: one\n',
      'db/mysql.yaml': 'host: ???\nport: 2\n',
      'extra/none.yaml': '{}\n',
      'late/one.yaml': 'k: 1\n',
      'extra/hydra.yaml': '# @package _global_\nhydra: {job: {name: 5}}\nn: 3\n',
    }
    const source = { path: 'memory://', files: () => texts }
    const hydra = createHydra({ sources: [source] })
    const choices = [
      fc.constantFrom('base=a', 'base=b'),
      fc.constantFrom('db=pg', 'db=mysql', '~db', '+late@x=one', '+late@y=one'),
      fc.constantFrom('extra=none', 'extra=hydra', 'hydra/job_logging=none', 'hydra.job.name=x'),
      fc.constantFrom('n=7', '++db.host=z', '+m=1'),
    ]
    const answer = async (composing: ReturnType<typeof hydra.compose>): Promise<unknown> => {
      const composition = await composing
      const { choices: chosen, defaults, explain, toYAML } = composition
      const trails = defaults.map(({ trail, ...rest }) => ({ ...rest, trail }))
      const [value, digest] = [answerOf(() => composition.value), answerOf(() => composition.digest())]
      const text = toYAML()
      return { text, value, digest, chosen, trails, n: explain('n'), db: answerOf(() => explain('db.host')) }
    }
    const answerOf = (explained: () => unknown): unknown => {
      try {
        return explained()
      } catch (error) {
        return String(error)
      }
    }
    const change = fc.constantFrom('nothing', 'nothing', 'nothing', 'a map in place', 'to a new map')
    let host = 0
    await fc.assert(
      fc.asyncProperty(fc.tuple(...choices), change, async (overrides, changes) => {
        if (changes !== 'nothing') host += 1
        if (changes === 'to a new map' || host === 0) texts = new Map(Object.entries(named))
        texts.set('db/pg.yaml', `host: ${host}\n`)
        const call = { config: 'config', overrides }
        const [again, fresh] = await Promise.all([
          answer(hydra.compose(call)).catch(String),
          answer(createHydra({ sources: [source] }).compose(call)).catch(String),
        ])
        expect(again).toEqual(fresh)
      }),
      { numRuns: 600 },
    )
  })

  test('what nothing can change is composed once, and anew for a schema or after a change', async () => {
    const texts = new Map(
      Object.entries({ 'config.yaml': 'a: {b: 1}\n', 'other.yaml': 'a: !!binary aGk=\n' }),
    )
    const hydra = createHydra({ sources: [{ path: 'memory://', files: () => texts }] })
    const composed = (options?: object): ReturnType<typeof hydra.compose> =>
      hydra.compose({ config: 'config', ...options })
    const first = await composed()
    expect(await composed()).toBe(first)
    expect(await composed({ overrides: [] })).toBe(first)
    expect(await composed({ overrides: ['a.b=1'] })).not.toBe(first)
    const { value } = await composed({
      schema: z.object({ a: z.object({ b: z.number().transform(String) }) }),
    })
    expect(value).toEqual({ a: { b: '1' } })
    expect(await composed({ signal: new AbortController().signal })).not.toBe(first)
    expect((await composed()).value).toEqual({ a: { b: 1 } })
    // Bytes can be written to.
    expect(await composed({ config: 'other' })).not.toBe(await composed({ config: 'other' }))
    texts.set('config.yaml', 'a: {b: 2}\n')
    expect((await composed()).value).toEqual({ a: { b: 2 } })
    expect((await composed({ overrides: ['a.b=1'] })).explain('a.b').history).toHaveLength(2)
  })

  test('interpolations are resolved, and warnings told, each time', async () => {
    let calls = 0
    const told: string[] = []
    const hydra = createHydra({
      sources: [fromMemory({ 'config.yaml': 'a: ${next:}\nb: ${oc.deprecated:a}\nc:\n  d: ${next:}\n' })],
      resolvers: { next: () => ++calls },
      warn: (message) => void told.push(message),
    })
    for (const a of [1, 3]) {
      const { value } = await hydra.compose({ config: 'config' })
      expect(value).toEqual({ a, b: a, c: { d: a + 1 } })
    }
    expect(told).toHaveLength(2)
  })

  test('an override that asks for a value behind an interpolation is applied anew', async () => {
    let which = 'one'
    const hydra = createHydra({
      sources: [fromMemory({ 'config.yaml': 'one: 1\ntwo: null\na: ${${oc.env:WHICH}}\n' })],
      environment: () => which,
    })
    const call = { config: 'config', overrides: ['+a=3'] }
    await expect(hydra.compose(call)).rejects.toMatchObject({ code: 'COMPOSITION' })
    which = 'two'
    expect((await hydra.compose(call)).value).toMatchObject({ a: 3 })
    which = 'one'
    await expect(hydra.compose(call)).rejects.toMatchObject({ code: 'COMPOSITION' })
  })

  test('more compositions than are kept, and more files, are all right', async () => {
    const texts = new Map([['config.yaml', 'n: 0\n']])
    let given: ReadonlyMap<string, string> = texts
    const hydra = createHydra({ sources: [{ path: 'memory://', files: () => given }] })
    const valueOf = async (n: number): Promise<unknown> =>
      (await hydra.compose({ config: 'config', overrides: [`n=${n}`] })).value
    for (let round = 0; round < 2; round += 1)
      for (let n = 0; n < 200; n += 1) expect(await valueOf(n)).toEqual({ n })
    for (let n = 0; n < 20; n += 1) {
      given = new Map([['config.yaml', `n: ${n}\n`]])
      expect((await hydra.compose({ config: 'config' })).value).toEqual({ n })
    }
  })

  test('a merge that depends on where an interpolation leads is made anew', async () => {
    let which = 'one'
    const source = fromMemory({
      'config.yaml': 'defaults:\n- base\n- _self_\ndb: {m: 5}\n',
      'base.yaml': 'one: {n: 1}\ntwo: {n: 2}\ndb: ${${oc.env:WHICH}}\n',
    })
    const hydra = createHydra({ sources: [source], environment: () => which })
    const db = async (): Promise<unknown> =>
      Reflect.get(Object((await hydra.compose({ config: 'config' })).value), 'db')
    expect(await db()).toEqual({ n: 1, m: 5 })
    which = 'two'
    expect(await db()).toEqual({ n: 2, m: 5 })
  })

  test('tells of what it composes, whatever the listener does', async () => {
    const events: HydraEvent[] = []
    const hydra = hydraOf({ onEvent: (event) => events.push(event) })
    await hydra.compose({ config: 'config' })
    await expect(hydra.compose({ config: 'nothing' })).rejects.toMatchObject({ code: 'MISSING_CONFIG' })
    const types = events.map(({ type }) => type).filter((type) => type.startsWith('compose'))
    expect(types).toEqual(['compose.start', 'compose.end', 'compose.start', 'compose.error'])
  })

  test.each([
    [{ sources: [] }, /sources must be/],
    [{ sources: fromMemory({}) }, /sources must be/],
    [{ sources: ['conf'] }, /sources must be/],
    [{ sources: [fromMemory({})], semantics: 'loose' }, /semantics must be/],
    [{ sources: [fromMemory({})], onEvent: 'log' }, /onEvent must be/],
  ])('%j is refused at once', (options, message) => {
    expect(() => Reflect.apply(createHydra, undefined, [options])).toThrow(message)
  })
})
