import { compose, fromMemory } from '@loadbearing/hydra-config/edge'
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
