import { skipWithout } from '@loadbearing/harness/services'
import type { QueryConfig } from 'pg'
import { describe, expect, test } from 'vitest'
import { openPostgresStore } from '../../src/adapters/postgres.ts'
import { openZanzibar, type Zanzibar } from '../../src/index.ts'
import { openTestStore } from './open-test-store.ts'

const model = `
model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member, user with never]
type folder
  relations
    define viewer: [user, group#member]
type binder
  relations
    define editor: [user]
    define reader: [user] or editor
type doc
  relations
    define parent: [folder]
    define blocked: [user, group#member]
    define approved: [user]
    define viewer: ([user, group#member] or viewer from parent) but not blocked
    define signer: viewer and approved
    define binder: [binder]
    define reader: reader from binder
    define next: [doc]
    define hidden: [user] or shown from next
    define shown: ([user] or shown from next) but not hidden
condition never(x: int) {
  x < 0
}`

type Triple = readonly [user: string, relation: string, object: string]

/** Everything `width` times: groups and folders that lead to a document, documents of a user. */
async function fill(zanzibar: Zanzibar, width: number): Promise<void> {
  const each = (at: number): readonly Triple[] => [
    [`group:${width}-${at}#member`, 'viewer', `doc:${width}`],
    [`user:${width}-${at}`, 'member', `group:${width}-${at}`],
    [`folder:${width}-${at}`, 'parent', `doc:${width}`],
    [`group:in-${width}-${at}#member`, 'viewer', `folder:${width}-${at}`],
    [`binder:${width}-${at}`, 'binder', `doc:${width}`],
    [`user:in-${width}-${at}`, 'editor', `binder:${width}-${at}`],
    [`user:many-${width}`, 'reader', `binder:other-${width}-${at}`],
    [`user:in-${width}-${at}`, 'member', `group:in-${width}-${at}`],
    [`group:${width}-${at}#member`, 'blocked', `doc:blocked-${width}`],
    [`user:many-${width}`, 'viewer', `doc:many-${width}-${at}`],
    [`user:many-${width}`, 'approved', `doc:many-${width}-${at}`],
    [`user:many-${width}`, 'shown', `doc:many-${width}-${at}`],
  ]
  await zanzibar.write({
    add: [
      ...Array.from({ length: width }, (_, at) => each(at)).flat(),
      [`user:both-${width}`, 'viewer', `doc:blocked-${width}`],
      [`user:both-${width}`, 'member', `group:${width}-${width - 1}`],
      {
        user: `user:never-${width}`,
        relation: 'member',
        object: `group:${width}-${width - 1}`,
        condition: { name: 'never', context: { x: 1 } },
      },
    ],
  })
}

interface Question {
  ask(zanzibar: Zanzibar, width: number): Promise<unknown>
  /** How large its answer is for a width. */
  answer(width: number): unknown
  /** How many trips more it takes to find out that it is wide. */
  readonly more?: number
}

const questions: Readonly<Record<string, Question>> = {
  'check by the last of the folders': {
    ask: (zanzibar, width) => zanzibar.check(`user:in-${width}-${width - 1}`, 'viewer', `doc:${width}`),
    answer: () => true,
  },
  'check by the last of the binders': {
    ask: (zanzibar, width) => zanzibar.check(`user:in-${width}-${width - 1}`, 'reader', `doc:${width}`),
    answer: () => true,
  },
  'check of who has other binders': {
    ask: (zanzibar, width) => zanzibar.check(`user:many-${width}`, 'reader', `doc:${width}`),
    answer: () => false,
    // Both sides are.
    more: 1,
  },
  'check of nobody': {
    ask: (zanzibar, width) => zanzibar.check('user:nobody', 'viewer', `doc:${width}`),
    answer: () => false,
  },
  checkMany: {
    ask: async (zanzibar, width) => {
      const docs = Array.from({ length: width }, (_, at) => `doc:many-${width}-${at}`)
      const asked = docs.map((doc): Triple => [`user:many-${width}`, 'signer', doc])
      return (await zanzibar.checkMany(asked)).filter(Boolean).length
    },
    answer: (width) => width,
  },
  listObjects: {
    ask: async (zanzibar, width) =>
      (await Array.fromAsync(zanzibar.listObjects(`user:many-${width}`, 'signer', 'doc'))).length,
    answer: (width) => width,
  },
  // Every one of which is a candidate only, and is checked.
  'listObjects through a cycle with exclusions': {
    ask: async (zanzibar, width) =>
      (await Array.fromAsync(zanzibar.listObjects(`user:many-${width}`, 'shown', 'doc'))).length,
    answer: (width) => width,
  },
  'listObjects by groups': {
    ask: (zanzibar, width) =>
      Array.fromAsync(zanzibar.listObjects(`group:${width}-0#member`, 'viewer', 'doc')),
    answer: (width) => [`doc:${width}`],
  },
  listUsers: {
    ask: async (zanzibar, width) => (await zanzibar.listUsers(`doc:${width}`, 'viewer', 'user')).users.length,
    answer: (width) => 2 * width + 1,
  },
  'expand by three levels': {
    ask: async (zanzibar, width) => {
      const tree = JSON.stringify(await zanzibar.expand(`doc:${width}`, 'viewer', { depth: 3 }))
      return new Set(tree.match(/user:[\w-]+/g)).size
    },
    answer: (width) => 2 * width + 2,
  },
  'explain a yes': {
    ask: async (zanzibar, width) =>
      (await zanzibar.explain(`user:in-${width}-${width - 1}`, 'viewer', `doc:${width}`)).allowed,
    answer: () => true,
  },
  'explain a no': {
    ask: async (zanzibar, width) => {
      const why = await zanzibar.explain('user:nobody', 'viewer', `doc:${width}`)
      return why.allowed || why.missing
    },
    answer: (width) => [{ user: 'user:nobody', relation: 'viewer', object: `doc:${width}` }],
  },
  'explain what is blocked': {
    ask: async (zanzibar, width) => {
      const why = await zanzibar.explain(`user:both-${width}`, 'viewer', `doc:blocked-${width}`)
      return why.allowed || why.blocking.map(({ object }) => object)
    },
    answer: (width) => [`group:${width}-${width - 1}`],
  },
  'explain a condition': {
    ask: async (zanzibar, width) => {
      const why = await zanzibar.explain(`user:never-${width}`, 'viewer', `doc:${width}`)
      return why.allowed || why.unmet.map(({ condition, parameters }) => ({ condition, parameters }))
    },
    answer: () => [{ condition: 'never', parameters: { x: 1 } }],
  },
}

describe.skipIf(skipWithout('postgres'))('PostgreSQL is asked as often', () => {
  test('however wide a question is', async () => {
    await using opened = await openTestStore('postgres')
    const { pool } = opened
    if (pool === undefined) throw new TypeError('no pool')
    let trips = 0
    const counted = {
      options: {},
      query: (statement: QueryConfig) => {
        trips++
        return pool.query(statement)
      },
      connect: () => pool.connect(),
    }
    await using store = await openPostgresStore({ pool: counted })
    const zanzibar = await openZanzibar({ store, model })
    const took: Record<string, number[]> = {}
    for (const width of [8, 120]) {
      await fill(zanzibar, width)
      for (const [name, { ask, answer }] of Object.entries(questions)) {
        trips = 0
        expect([name, await ask(zanzibar, width)]).toEqual([name, answer(width)])
        ;(took[name] ??= []).push(trips)
      }
    }
    for (const [name, [narrow = 0, wide = 0]] of Object.entries(took)) {
      expect([name, wide]).toEqual([name, narrow + (questions[name]?.more ?? 0)])
      expect(narrow).toBeLessThanOrEqual(10)
    }
  })
})
