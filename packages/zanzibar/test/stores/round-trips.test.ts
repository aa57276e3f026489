import { skipWithout } from '@loadbearing/harness/services'
import { describe, expect, test } from 'vitest'
import { openZanzibar, type Zanzibar } from '../../src/index.ts'
import { openCountedStore } from './counted-store.ts'

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
  /** How many round trips it takes: where little is led to, and at most, however much that is. */
  readonly trips: readonly [narrow: number, wide: number]
}

const questions: Readonly<Record<string, Question>> = {
  'check by the last of the folders': {
    ask: (zanzibar, width) => zanzibar.check(`user:in-${width}-${width - 1}`, 'viewer', `doc:${width}`),
    answer: () => true,
    trips: [1, 2],
  },
  'check by the last of the binders': {
    ask: (zanzibar, width) => zanzibar.check(`user:in-${width}-${width - 1}`, 'reader', `doc:${width}`),
    answer: () => true,
    trips: [1, 2],
  },
  'check of who has other binders': {
    ask: (zanzibar, width) => zanzibar.check(`user:many-${width}`, 'reader', `doc:${width}`),
    answer: () => false,
    trips: [1, 3],
  },
  'check of nobody': {
    ask: (zanzibar, width) => zanzibar.check('user:nobody', 'viewer', `doc:${width}`),
    answer: () => false,
    trips: [1, 2],
  },
  checkMany: {
    ask: async (zanzibar, width) => {
      const docs = Array.from({ length: width }, (_, at) => `doc:many-${width}-${at}`)
      const asked = docs.map((doc): Triple => [`user:many-${width}`, 'signer', doc])
      return (await zanzibar.checkMany(asked)).filter(Boolean).length
    },
    answer: (width) => width,
    trips: [1, 1],
  },
  listObjects: {
    ask: async (zanzibar, width) =>
      (await Array.fromAsync(zanzibar.listObjects(`user:many-${width}`, 'signer', 'doc'))).length,
    answer: (width) => width,
    trips: [2, 2],
  },
  listObjectsPage: {
    ask: async (zanzibar, width) =>
      (await zanzibar.listObjectsPage(`user:many-${width}`, 'signer', 'doc', { limit: 5 })).objects.length,
    answer: () => 5,
    trips: [2, 2],
  },
  // Every one of which is a candidate only, and is checked.
  'listObjects through a cycle with exclusions': {
    ask: async (zanzibar, width) =>
      (await Array.fromAsync(zanzibar.listObjects(`user:many-${width}`, 'shown', 'doc'))).length,
    answer: (width) => width,
    trips: [2, 3],
  },
  'listObjects by groups': {
    ask: (zanzibar, width) =>
      Array.fromAsync(zanzibar.listObjects(`group:${width}-0#member`, 'viewer', 'doc')),
    answer: (width) => [`doc:${width}`],
    trips: [2, 2],
  },
  listUsers: {
    ask: async (zanzibar, width) => (await zanzibar.listUsers(`doc:${width}`, 'viewer', 'user')).users.length,
    answer: (width) => 2 * width + 1,
    trips: [4, 4],
  },
  'expand by three levels': {
    ask: async (zanzibar, width) => {
      const tree = JSON.stringify(await zanzibar.expand(`doc:${width}`, 'viewer', { depth: 3 }))
      return new Set(tree.match(/user:[\w-]+/g)).size
    },
    answer: (width) => 2 * width + 2,
    trips: [5, 5],
  },
  'explain a yes': {
    ask: async (zanzibar, width) =>
      (await zanzibar.explain(`user:in-${width}-${width - 1}`, 'viewer', `doc:${width}`)).allowed,
    answer: () => true,
    trips: [4, 5],
  },
  'explain a no': {
    ask: async (zanzibar, width) => {
      const why = await zanzibar.explain('user:nobody', 'viewer', `doc:${width}`)
      return why.allowed || why.missing
    },
    answer: (width) => [{ user: 'user:nobody', relation: 'viewer', object: `doc:${width}` }],
    trips: [6, 7],
  },
  'explain what is blocked': {
    ask: async (zanzibar, width) => {
      const why = await zanzibar.explain(`user:both-${width}`, 'viewer', `doc:blocked-${width}`)
      return why.allowed || why.blocking.map(({ object }) => object)
    },
    answer: (width) => [`group:${width}-${width - 1}`],
    trips: [4, 4],
  },
  'explain a condition': {
    ask: async (zanzibar, width) => {
      const why = await zanzibar.explain(`user:never-${width}`, 'viewer', `doc:${width}`)
      return why.allowed || why.unmet.map(({ condition, parameters }) => ({ condition, parameters }))
    },
    answer: () => [{ condition: 'never', parameters: { x: 1 } }],
    trips: [6, 7],
  },
}

/** Groups one in another, and a circle of them at the end. */
function chain(depth: number): readonly Triple[] {
  const groups = Array.from(
    { length: depth },
    (_, at): Triple => [`group:${depth}-${at + 1}#member`, 'member', `group:${depth}-${at}`],
  )
  return [
    ...groups,
    [`group:${depth}-0#member`, 'member', `group:${depth}-${depth}`],
    [`user:${depth}`, 'member', `group:${depth}-${depth}`],
    [`group:${depth}-0#member`, 'viewer', `doc:chain-${depth}`],
  ]
}

describe.skipIf(skipWithout('postgres'))('PostgreSQL is asked as often', () => {
  test('however wide a question is', async () => {
    await using counted = await openCountedStore()
    const zanzibar = await openZanzibar({ store: counted.store, model })
    for (const width of [8, 120, 480]) {
      await fill(zanzibar, width)
      for (const [name, { ask, answer, trips: bounds }] of Object.entries(questions)) {
        counted.trips = 0
        expect([name, await ask(zanzibar, width)]).toEqual([name, answer(width)])
        const [narrow, wide] = bounds
        if (width === 8) expect([name, counted.trips]).toEqual([name, narrow])
        else expect([name, counted.trips <= wide]).toEqual([name, true])
      }
    }
  })

  test('where groups are nested deep', async () => {
    await using counted = await openCountedStore()
    const zanzibar = await openZanzibar({ store: counted.store, model })
    for (const [depth, trips] of [
      [30, 1],
      [400, 2],
    ] as const) {
      await zanzibar.write({ add: chain(depth) })
      for (const user of [`user:${depth}`, 'user:nobody']) {
        counted.trips = 0
        expect(await zanzibar.check(user, 'viewer', `doc:chain-${depth}`)).toBe(user !== 'user:nobody')
        expect({ depth, trips: counted.trips }).toEqual({ depth, trips })
      }
      counted.trips = 0
      const listed = await Array.fromAsync(zanzibar.listObjects(`user:${depth}`, 'member', 'group'))
      expect(listed).toHaveLength(depth + 1)
      expect({ depth, trips: counted.trips <= trips }).toEqual({ depth, trips: true })
    }
  })
})
