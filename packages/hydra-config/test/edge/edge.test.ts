import { expect, test } from 'vitest'
import { bundle, edgeCode } from './bundle.ts'
import { publishedSize } from './published.ts'
import { runAsWorker } from './worker-context.ts'

const files = {
  'config.yaml': 'defaults:\n- db: pg\n- _self_\nurl: pg://${db.host}:${db.port}\nlist: [1, 2.0, yes]\n',
  'db/pg.yaml': 'host: localhost\nport: 5432\n',
  'db/mysql.yaml': '# @package db\nhost: &h remote\nport: 3306\nsame: *h\n',
}

test('composition from memory is bundled without any module of Node, and runs where there is none', async () => {
  const { script, imports } = await bundle(
    `import { compose, fromMemory } from '@loadbearing/hydra-config'
     export const run = async (files, overrides) => {
       const composition = await compose({ source: fromMemory(files), config: 'config', overrides })
       return JSON.stringify({ value: composition.value, origin: composition.explain('db.port').origin, digest: composition.digest() })
     }`,
  )
  expect(imports).toEqual([])
  const { run } = runAsWorker(script)
  if (typeof run !== 'function') throw new TypeError('run is no function')
  const found: unknown = JSON.parse(String(await run(files, ['db=mysql', 'db.port=3307'])))
  expect(found).toMatchObject({
    value: {
      db: { host: 'remote', port: 3307, same: 'remote' },
      url: 'pg://remote:3307',
      list: [1, 2, true],
    },
    origin: { kind: 'override', index: 1 },
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
  await expect(run(files, ['db=nope'])).rejects.toMatchObject({ code: 'MISSING_CONFIG' })
})

test.each([
  // What the specification asks of the bundle without the reader of all of YAML.
  ['compose', 25_000],
  // So that nothing grows by accident.
  ['explain', 27_050],
  ['plain', 28_250],
  ['calls', 31_100],
  ['features', 47_600],
  ['everything', 65_000],
] as const)('the bundle with %s is at most %i bytes', async (name, most) => {
  const { gzipped, imports } = await bundle(edgeCode[name])
  expect(imports).toEqual([])
  expect(gzipped).toBeLessThanOrEqual(most)
})

test('of the package as it is published the smallest bundle is at most 25,000 bytes too', async () => {
  const size = await publishedSize(edgeCode.compose)
  expect(size).toBeGreaterThan(20_000)
  expect(size).toBeLessThanOrEqual(25_000)
})

test('a watch from memory takes nothing of Node either', async () => {
  const { script } = await bundle(`export { createHydra, fromGlob, watch } from '@loadbearing/hydra-config'`)
  expect(Object.keys(runAsWorker(script))).toEqual(['createHydra', 'fromGlob', 'watch'])
})
