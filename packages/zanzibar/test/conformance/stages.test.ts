import { field } from '@loadbearing/harness/conformance'
import { expect, test } from 'vitest'
import { memoryStore } from '../../src/index.ts'
import { runStages } from './stages.ts'

const model = 'model\n  schema 1.1\ntype user\ntype doc\n  relations\n    define viewer: [user]\n'

test('what is wrong with one question is said of that question', async () => {
  const tuple = { user: 'user:a', relation: 'viewer', object: 'doc:1' }
  const stage = {
    model,
    tuples: [null, tuple, tuple],
    checks: [null, { tuple: 5 }, { tuple, contextualTuples: 5 }, { tuple }],
    listObjects: [7, { user: 'user:a', type: 'doc', relation: 'viewer' }],
    listUsers: [
      { filters: 'user', object: 'doc:1', relation: 'viewer' },
      { filters: ['user', 'user'], object: 'doc:1', relation: 'viewer' },
      { filters: ['user'], object: 'doc:1', relation: 'viewer' },
    ],
  }
  await using store = memoryStore()
  const given = field({ stages: [stage, { model: 'none' }, stage] }, 'stages').list((each) => each)
  const stages = await runStages(given, { store, contextual: false, streamed: false })
  const numbers = (name: string, of: unknown): unknown =>
    field({ of }, 'of')
      .field(name)
      .list(({ value }) => {
        const { ok, error }: { ok?: unknown; error?: { number: number } } = Object(value)
        return error?.number ?? ok
      })
  const refused = { error: { code: 'invalid_authorization_model', number: 2056 } }
  expect(stages[1]).toMatchObject(refused)
  for (const [at, firstWrite] of [
    [0, true],
    [2, 2017],
  ] as const) {
    expect(numbers('writes', stages[at])).toEqual([2000, firstWrite, 2017])
    expect(numbers('checks', stages[at])).toEqual([2037, 2000, 2000, true])
    expect(numbers('listObjects', stages[at])).toEqual([2047, ['doc:1']])
    expect(numbers('listUsers', stages[at])).toEqual([2000, 2000, ['user:a']])
  }
})
