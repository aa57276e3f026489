import { inspect } from 'node:util'
import {
  compose,
  configStore,
  fromMemory,
  planSweep,
  secretOf,
  str,
  structured,
  sweep,
} from '@loadbearing/hydra-config'
import { expect, test } from 'vitest'

const text = 'hunter2swordfish'
const source = fromMemory({ 'config.yaml': `db: {host: h, password: none}\nn: 1\nurl: 'x'\n` })
const secrets = { paths: ['db.password'] }

async function refusalOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(Error)
  return inspect(error, { depth: 10, getters: true })
}

test.each([
  ['a job that cannot be composed', [`+db.password=${text}`, 'n=1,2']],
  ['a job where the value cannot stand', [`db.password.x.y=${text}`, 'n=1,2', 'nope=3']],
  ['one of the choices of a sweep', [`+db.password=${text},b`]],
  ['what cannot be read', [`db.password=${text}&`, 'n=1,2']],
  ['an override of a group that is none', [`db.password@p=${text}`, 'n=1,2']],
])('an error of a sweep holds no secret: %s', async (_, overrides) => {
  const shown = await refusalOf(sweep({ source, config: 'config', overrides, secrets }))
  expect(shown).not.toContain(text)
})

test('the jobs of a sweep have the secret: they are what is composed', async () => {
  const options = { source, config: 'config', secrets, overrides: [`db.password=${text}`, 'n=1,2'] }
  const jobs = await sweep(options)
  expect(jobs).toEqual([
    [`db.password=${text}`, 'n=1'],
    [`db.password=${text}`, 'n=2'],
  ])
  expect([...(await planSweep(options))]).toEqual(jobs)
})

test('what a stored structured config marks is secret wherever it is put', async () => {
  const DB = structured('DB', { host: str('h'), password: secretOf(str()) })
  const options = {
    source: [
      fromMemory({
        'config.yaml': 'defaults:\n- base@a.b\n- _self_\ncopy: ${a.b.password}\n',
        'broken.yaml': `defaults:\n- base@a.b\n- _self_\na: {b: {password: [${text}]}}\n`,
      }),
      configStore({ base: DB }),
    ],
    config: 'config',
  }
  const composed = await compose({ ...options, overrides: [`a.b.password=${text}`] })
  expect(composed.value).toEqual({ a: { b: { host: 'h', password: text } }, copy: text })
  const outputs = [
    composed.toYAML({ resolve: true }),
    inspect(composed.explain('copy' as never), { depth: 10 }),
    inspect(composed.tree.raw, { depth: 10, getters: true }),
    await refusalOf(compose({ ...options, config: 'broken' })),
    await refusalOf(compose({ ...options, overrides: [`a.b.password=[${text}]`] })),
    await refusalOf(compose({ ...options, overrides: [`+a.b.password=${text}`, `+a.b.password=${text}`] })),
    await refusalOf(sweep({ ...options, overrides: [`a.b.password=[${text}]`] })),
  ]
  for (const output of outputs) expect(output).not.toContain(text)
  expect(outputs[0]).toContain('***')
})
