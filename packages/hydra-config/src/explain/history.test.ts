import { configStore, int, structured, compose as wholeCompose } from '@loadbearing/hydra-config'
import { compose, explain, fromMemory } from '@loadbearing/hydra-config/edge'
import { array, assert, asyncProperty, constantFrom, integer } from 'fast-check'
import { expect, test } from 'vitest'
import { isHydraConfigError } from '../errors.ts'
import { History } from './history.ts'

const source = fromMemory({
  'config.yaml': {
    defaults: ['base', 'more', 'base', '_self_'],
    a: { x: 1, y: { z: 2 }, list: [1, { k: 2 }] },
    way: '${a}',
    other: { y: 3 },
  },
  'base.yaml': { a: { x: 0, list: [0] }, other: { w: 1 } },
  'more.yaml': { a: { y: { z: 1, v: 1 } } },
})

const keys = [
  'a',
  'a.x',
  'a.y',
  'a.y.z',
  'a.list',
  'a.list.0',
  'a.list.1.k',
  'way',
  'way.x',
  'other',
  'other.y',
]
const values = [
  '1',
  'two',
  '[3,4]',
  '{z: 5}',
  '{y: {z: 6}}',
  '{x: 7, list: [8]}',
  '${other}',
  '${a}',
  'null',
  '???',
]

const overrides = array(
  constantFrom(
    ...keys.flatMap((key) => [
      `~${key}`,
      ...values.flatMap((value) => [`${key}=${value}`, `++${key}=${value}`, `+${key}=${value}`]),
    ]),
  ),
  { minLength: 5, maxLength: 60, size: 'max' },
)

/** Those of the overrides that can be applied after those before them. */
async function applicable(texts: readonly string[]): Promise<string[]> {
  const taken: string[] = []
  for (const text of texts) {
    try {
      await compose({ source, config: 'config', overrides: [...taken, text] })
      taken.push(text)
    } catch (error) {
      if (!isHydraConfigError(error)) throw error
    }
  }
  return taken
}

test('what is replayed from a few configurations is what is seen of all of them', async () => {
  let changed = 0
  await assert(
    asyncProperty(overrides, integer({ min: 1, max: 8 }), async (texts, kept) => {
      const composed = await compose({ source, config: 'config', overrides: await applicable(texts) })
      const { layers } = composed['~composed']
      const all = new History(layers, layers.length)
      const few = new History(layers, kept)
      for (const key of ['', ...keys]) {
        const path = key === '' ? [] : key.split('.')
        const expected = all.at(path)
        // Twice, for what is kept must stay as it is.
        expect(few.at(path)).toEqual(expected)
        expect(few.at(path)).toEqual(expected)
        changed += expected.length
      }
    }),
    { numRuns: 100 },
  )
  expect(changed).toBeGreaterThan(5000)
})

test('a value that is taken away and comes back the same, by many layers, is told each time', async () => {
  const names = Array.from({ length: 81 }, (_, at) => `c${at}`)
  const files = {
    'base.yaml': { a: { x: 1 }, way: '${a}' },
    'config.yaml': { defaults: ['base', ...names, '_self_'] },
    ...Object.fromEntries(
      names.map((name, at) => [`${name}.yaml`, { way: at % 2 === 0 ? { z: at } : '${a}' }]),
    ),
  }
  const composed = await compose({ source: fromMemory(files), config: 'config' })
  expect(explain(composed, 'way.x').history).toHaveLength(81)
  const whole = await wholeCompose({ source: fromMemory(files), config: 'config' })
  expect(whole.explain('way.x').history).toHaveLength(81)

  const edited = await wholeCompose({
    source: fromMemory({ 'config.yaml': { tags: ['a', 'b'] } }),
    config: 'config',
    overrides: Array.from({ length: 80 }, (_, at) => (at % 2 === 0 ? 'tags=insert(0,x)' : 'tags=pop(0)')),
    semantics: 'strict',
  })
  expect(edited.explain('tags[1]').history).toHaveLength(81)
})

test('a value that a type has converted is told once, wherever the configuration is kept', async () => {
  const typed = [
    fromMemory({ 'config.yaml': { defaults: ['base', '_self_'] } }),
    configStore({ base: structured('App', { port: int(1), other: int(2) }) }),
  ]
  for (let count = 58; count < 130; count += 3) {
    const others = Array.from({ length: count }, (_, at) => `other=${at}`)
    const texts = ['port="5"', ...others, 'port="6"', 'other=0']
    const composed = await wholeCompose({ source: typed, config: 'config', overrides: texts })
    expect(composed.explain('port').history.map(({ value }) => value)).toEqual([1, 5, 6])
  }
})
