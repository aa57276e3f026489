import * as edge from '@loadbearing/hydra-config/edge'
import { afterEach, expect, test, vi } from 'vitest'
import { configStore } from '../source/config-store.ts'
import { fromMemory } from '../source/memory.ts'
import { dictOf, int, listOf, str } from '../structured/field.ts'
import { structured } from '../structured/structured.ts'
import { compose } from './compose.ts'

afterEach(() => void vi.restoreAllMocks())

const values = (count: number): Record<string, unknown> => ({
  items: Array.from({ length: count }, (_, at) => at),
  map: Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, at])),
})

/** How many entries were put into maps, and items into copies of lists, by one composition. */
async function workOf(composing: () => Promise<unknown>): Promise<number> {
  let work = 0
  const { set } = Map.prototype
  vi.spyOn(Map.prototype, 'set').mockImplementation(function (this: Map<unknown, unknown>, key, value) {
    work++
    return Reflect.apply(set, this, [key, value])
  })
  for (const name of ['slice', 'with', 'toSpliced'] as const) {
    const own: unknown = Array.prototype[name]
    if (typeof own !== 'function') throw new TypeError(`there is no ${name}`)
    vi.spyOn(Array.prototype, name).mockImplementation(function (this: unknown[], ...given: unknown[]) {
      work += this.length
      return Reflect.apply(own, this, given)
    })
  }
  await composing()
  vi.restoreAllMocks()
  return work
}

test.each([
  ['one list', (at: number) => `items.${at}=x`],
  ['one map', (at: number) => `map.k${at}=x`],
  ['new keys of one map', (at: number) => `+map.new${at}=x`],
  ['keys of one map that go', (at: number) => `~map.k${at}`],
  ['maps that are merged into one map', (at: number) => `map={k${at}: x}`],
])('the work of many overrides grows with their number: %s', async (_, override) => {
  for (const composeBy of [compose, edge.compose]) {
    const work = (count: number): Promise<number> =>
      workOf(() =>
        composeBy({
          source: fromMemory({ 'config.yaml': values(count) }),
          config: 'config',
          overrides: Array.from({ length: count }, (__, at) => override(at)),
        }),
      )
    const [few, many] = [await work(250), await work(1000)]
    expect(few).toBeGreaterThan(250)
    expect(many / few).toBeLessThan(5)
  }
})

const typed = structured('Typed', { map: dictOf(str(), int()), items: listOf(int()) })

test.each([
  ['one list', (at: number) => `items.${at}=7`],
  ['one map', (at: number) => `map.k${at}=7`],
  ['new keys of one map', (at: number) => `+map.new${at}=7`],
  ['keys of one map that go', (at: number) => `~map.k${at}`],
])('so does it where there are types: %s', async (_, override) => {
  const work = (count: number): Promise<number> =>
    workOf(() =>
      compose({
        source: [
          fromMemory({ 'config.yaml': { defaults: ['typed', '_self_'], ...values(count) } }),
          configStore({ typed }),
        ],
        config: 'config',
        overrides: Array.from({ length: count }, (__, at) => override(at)),
      }),
    )
  const [few, many] = [await work(250), await work(1000)]
  expect(few).toBeGreaterThan(250)
  expect(many / few).toBeLessThan(5)
})

test('where there are types as well, an override changes one of two places that an interpolation led to', async () => {
  const top = structured('Top', { maps: dictOf(str(), dictOf(str(), listOf(int()))) })
  const source = [
    fromMemory({
      'config.yaml': { defaults: ['top', '_self_'], maps: { a: { list: [1, 2] }, b: '${maps.a}' } },
    }),
    configStore({ top }),
  ]
  const overrides = ['maps.a.list.0=3', '+maps={b: {y: [7]}}', 'maps.a.list.1=5', 'maps.b.list.0=6']
  const { value } = await compose({ source, config: 'config', overrides })
  expect(value).toEqual({ maps: { a: { list: [3, 5] }, b: { list: [6, 2], y: [7] } } })
})

test('what an interpolation led to is changed at one of its places alone', async () => {
  const source = fromMemory({
    'config.yaml': { top: { a: { x: 1, list: [1, 2] }, b: '${.a}' } },
  })
  const before = ['top.a.x=2', 'top.a.list.0=3']
  const after = ['top.a.x=4', 'top.a.list.1=5', 'top.b.list.0=6']
  const overrides = [...before, 'top={b: {y: 1}}', ...after]
  for (const composeBy of [compose, edge.compose]) {
    const { value } = await composeBy({ source, config: 'config', overrides })
    expect(value).toEqual({ top: { a: { x: 4, list: [3, 5] }, b: { x: 2, y: 1, list: [6, 2] } } })
  }
})

test('each override is replayed on what was before it', async () => {
  const source = fromMemory({ 'config.yaml': { a: { x: 1, list: [1, 2] } } })
  const overrides = ['a.x=2', 'a.list.0=3', 'a.x=4', 'a.list.0=5']
  const composition = await compose({ source, config: 'config', overrides })
  const steps = (path: string): unknown => composition.explain(path).history.map(({ value }) => value)
  expect([steps('a.x'), steps('a.list[0]')]).toEqual([
    [1, 2, 4],
    [1, 3, 5],
  ])
})

test.each([
  ['one list', (at: number) => `items.${at}=x`, (at: number) => `items[${at}]`],
  ['one map', (at: number) => `map.k${at}=x`, (at: number) => `map.k${at}`],
  ['maps that are merged into one map', (at: number) => `map={k${at}: x}`, (at: number) => `map.k${at}`],
])('so does what explaining copies, and keeps: %s', async (_, override, path) => {
  for (const composeBy of [compose, edge.compose]) {
    const work = async (count: number): Promise<number> => {
      const composition = await composeBy({
        source: fromMemory({ 'config.yaml': values(count) }),
        config: 'config',
        overrides: Array.from({ length: count }, (__, at) => override(at)),
      })
      const history = (at: number): readonly unknown[] =>
        ('explain' in composition ? composition.explain(path(at)) : edge.explain(composition, path(at)))
          .history
      return await workOf(async () => {
        expect(history(0)).toHaveLength(2)
        for (const at of [1, count - 1]) expect(history(at)).toMatchObject([{ op: 'set' }, { value: 'x' }])
      })
    }
    const [few, many] = [await work(250), await work(1000)]
    expect(few).toBeGreaterThan(250)
    expect(many / few).toBeLessThan(5)
  }
})
