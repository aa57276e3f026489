import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { watch } from '../../src/consistency/watch.ts'
import type { AuthorizationModel } from '../../src/model/authorization-model.ts'
import type { Read, Snapshot } from '../../src/store/snapshot.ts'
import type {
  Change,
  TupleFilter,
  TupleStore,
  TupleToWrite,
  WriteRequest,
} from '../../src/store/tuple-store.ts'
import type { Tuple, TupleKey } from '../../src/tuple/tuple.ts'
import { asksFor, PlainStore } from './plain-store.ts'

/** A store to be tried, and its time. */
export interface StoreUnderTest extends AsyncDisposable {
  readonly store: TupleStore
  /** Sets what its clock shows. */
  setTime(now: number): void
}

const model: AuthorizationModel = { schema_version: '1.1', type_definitions: [{ type: 'user' }] }

/** What every store must do. `open` gives an empty one; its kept history is at least 50 revisions. */
export function storeSuite(name: string, open: () => Promise<StoreUnderTest>, runs: number): void {
  describe(`a store: ${name}`, () => {
    async function withStore(
      body: (store: TupleStore, id: string, setTime: (now: number) => void) => Promise<void>,
    ): Promise<void> {
      await using opened = await open()
      opened.setTime(1000)
      const { id } = await opened.store.createStore('suite')
      await body(opened.store, id, (now) => opened.setTime(now))
    }

    it('makes, finds, lists and deletes stores', () =>
      withStore(async (store, first) => {
        const ids = [first]
        for (let made = 0; made < 4; made++) ids.push((await store.createStore(`store ${made % 2}`)).id)
        for (const id of ids) expect(id).toMatch(/^[ABCDEFGHJKMNPQRSTVWXYZ0-9]{26}$/)
        expect(await store.getStore(first)).toEqual({
          id: first,
          name: 'suite',
          createdAt: 1000,
          updatedAt: 1000,
        })

        const page = await store.listStores({ limit: 2 })
        expect(page.items.map(({ id }) => id)).toEqual(ids.slice(0, 2))
        await store.deleteStore(ids[1] ?? '')
        const rest = await store.listStores({ limit: 9, after: page.next })
        expect(rest.items.map(({ id }) => id)).toEqual(ids.slice(2))
        expect(rest.next).toBeUndefined()
        const named = await store.listStores({ limit: 9, name: 'store 1' })
        expect(named.items.map(({ id }) => id)).toEqual([ids[2], ids[4]])

        await store.deleteStore(first)
        await store.deleteStore(first)
        expect(await store.getStore(first)).toBeUndefined()
        await expect(store.write(first, { writes: [] })).rejects.toMatchObject({ number: 5002 })
        await expect(store.read(first, {}, { limit: 1 })).rejects.toMatchObject({ number: 5002 })
        await expect(store.readModel(first)).rejects.toMatchObject({ number: 5002 })
      }))

    it('keeps models, the newest first', () =>
      withStore(async (store, id) => {
        expect(await store.readModel(id)).toBeUndefined()
        const ids: string[] = []
        for (const type of ['a', 'b', 'c']) {
          ids.unshift(await store.writeModel(id, { ...model, type_definitions: [{ type }] }))
        }
        expect(await store.readModel(id)).toEqual({
          id: ids[0],
          model: { ...model, type_definitions: [{ type: 'c' }] },
        })
        expect((await store.readModel(id, ids[2]))?.model.type_definitions).toEqual([{ type: 'a' }])
        expect(await store.readModel(id, '01ARZ3NDEKTSV4RRFFQ69G5FAV')).toBeUndefined()
        const page = await store.listModels(id, { limit: 2 })
        await store.writeModel(id, model)
        const rest = await store.listModels(id, { limit: 2, after: page.next })
        expect([...page.items, ...rest.items].map((each) => each.id)).toEqual(ids)
        expect(rest.next).toBeUndefined()

        const other = await store.createStore('other')
        expect(await store.readModel(other.id, ids[0])).toBeUndefined()
      }))

    it('tells the model that was written last, though several are of one millisecond', () =>
      withStore(async (store, id) => {
        const toldLatest = async (): Promise<string | undefined> => {
          const snapshot = await store.snapshot(id)
          const { latestModel } = snapshot
          snapshot.release()
          return latestModel
        }
        // Or nothing, where the model itself is as near.
        const tells = name !== 'memory'
        expect(await toldLatest()).toBeUndefined()
        for (let written = 0; written < 8; written++) {
          const last = await store.writeModel(id, model)
          await store.createStore('beside').then((beside) => store.writeModel(beside.id, model))
          expect(await toldLatest()).toBe(tells ? last : undefined)
          expect((await store.readModel(id))?.id).toBe(last)
        }
      }))

    it('keeps the assertions of a model', () =>
      withStore(async (store, id) => {
        const assertion = {
          tuple: { user: 'user:a', relation: 'viewer', object: 'doc:1' },
          expectation: true,
          contextualTuples: [{ user: 'user:b', relation: 'viewer', object: 'doc:1' }],
          context: { x: [1, null, JSON.parse('{"__proto__":"y"}')] },
        }
        expect(await store.readAssertions(id, 'm')).toEqual([])
        await store.writeAssertions(id, 'm', [assertion])
        await store.writeAssertions(id, 'm', [assertion, { ...assertion, expectation: false }])
        expect(await store.readAssertions(id, 'm')).toEqual([assertion, { ...assertion, expectation: false }])
        expect(await store.readAssertions(id, 'n')).toEqual([])
      }))

    it('tells ids apart that only look alike', () =>
      withStore(async (store, id) => {
        const users = [
          'a',
          'A',
          'é',
          'e\u0301',
          'a\u00a0',
          'ａ',
          '😀',
          "a'",
          'a"',
          '__proto__',
          'ß',
          'ss',
          'a%',
          'a_',
        ]
        const tuples = users.map((user) => ({ user: `user:${user}`, relation: 'viewer', object: 'doc:1' }))
        await store.write(id, { writes: tuples })
        expect(await held(store, id)).toEqual(texts(tuples))
        using snapshot = await pinned(store, id)
        for (const each of tuples) {
          expect(await asked(snapshot, { kind: 'tuple', ...each })).toEqual(texts([each]))
        }
        expect((await store.read(id, { object: 'doc:', user: 'user:a%' }, { limit: 9 })).items).toHaveLength(
          1,
        )
        expect((await store.read(id, { object: 'do_:' }, { limit: 9 })).items).toHaveLength(0)
      }))

    it('gives the same pages, however they are cut', () =>
      withStore(async (store, id) => {
        const tuples = Array.from({ length: 37 }, (_, each) => tuple(`user:${each % 7} viewer doc:${each}`))
        for (const each of tuples) await store.write(id, { writes: [each] })
        const filters: TupleFilter[] = [
          {},
          { object: 'doc:' },
          { object: 'doc:', user: 'user:3' },
          { object: 'doc:5' },
        ]
        for (const filter of filters) {
          const whole = await store.read(id, filter, { limit: 100 })
          for (const limit of [1, 2, 36, 37]) {
            const items = []
            let after: string | undefined
            do {
              const page = await store.read(id, filter, { limit, after })
              expect(page.items.length).toBeLessThanOrEqual(limit)
              items.push(...page.items)
              after = page.next
            } while (after !== undefined)
            expect(items).toEqual(whole.items)
          }
        }
      }))

    it('gives changes in the order of commits, from a position, a time and of a type', () =>
      withStore(async (store, id, setTime) => {
        await store.write(id, { writes: [tuple('user:a viewer doc:1'), tuple('user:a viewer folder:1')] })
        setTime(2000)
        await store.write(id, {
          deletes: [tuple('user:a viewer doc:1')],
          writes: [{ ...tuple('user:b viewer doc:1'), condition: { name: 'cc', context: { x: 1 } } }],
        })
        setTime(3000)
        await store.write(id, { deletes: [tuple('user:b viewer doc:1')] })
        const all = await store.changes(id, { limit: 100 })
        expect(all.map(told)).toEqual([
          'write user:a viewer doc:1 1 1000',
          'write user:a viewer folder:1 1 1000',
          'delete user:a viewer doc:1 2 2000',
          'write user:b viewer doc:1 cc{"x":1} 2 2000',
          'delete user:b viewer doc:1 3 3000',
        ])
        for (const [index, { position }] of all.entries()) {
          expect(await store.changes(id, { after: position, limit: 1 })).toEqual(
            all.slice(index + 1, index + 2),
          )
        }
        expect(await store.changes(id, { startTime: 2000, limit: 9 })).toEqual(all.slice(2))
        expect(await store.changes(id, { startTime: 3001, limit: 9 })).toEqual([])
        expect(await store.changes(id, { afterRevision: 1, limit: 9 })).toEqual(all.slice(2))
        expect(await store.changes(id, { afterRevision: 3, limit: 9 })).toEqual([])
        expect(await store.changes(id, { type: 'folder', limit: 9 })).toEqual(all.slice(1, 2))
        expect(await store.changes(id, { type: 'doc', after: all[2]?.position, limit: 9 })).toEqual(
          all.slice(3),
        )
        expect(await store.changes(id, { type: 'do', limit: 9 })).toEqual([])
      }))

    it('reads few and many, and one more than a limit', () =>
      withStore(async (store, id) => {
        const conditioned = { name: 'cc', context: { x: 1 } }
        for (const [count, condition] of [
          [3, undefined],
          [16, undefined],
          [17, undefined],
          [60, undefined],
          [60, conditioned],
        ] as const) {
          const of = `${count}-${condition?.name ?? 'plain'}`
          const all = Array.from({ length: count }, (_, at) => [
            tuple(`user:${at} viewer doc:${of}`),
            tuple(`group:${at}#member viewer doc:${of}`),
            tuple(`user:"${of}\\ viewer doc:${at}`),
          ]).flat()
          const last = all.pop()
          if (last !== undefined) await store.write(id, { writes: [...all, { ...last, condition }] })
          const kinds: readonly Exclude<Read, { readonly kind: 'tuple' }>[] = [
            { kind: 'users', object: `doc:${of}`, relation: 'viewer' },
            { kind: 'usersets', object: `doc:${of}`, relation: 'viewer' },
            { kind: 'objects', user: `user:"${of}\\`, type: 'doc', relation: 'viewer' },
          ]
          using snapshot = await pinned(store, id)
          for (const read of kinds) {
            const whole = await asked(snapshot, read)
            expect(whole).toHaveLength(read.kind === 'users' ? 2 * count : count)
            for (const limit of [1, 15, 16, 17, 30, 60, 200]) {
              const some = await asked(snapshot, { ...read, limit })
              expect([limit, new Set(some).size]).toEqual([limit, Math.min(limit + 1, whole.length)])
              expect(whole).toEqual(expect.arrayContaining([...some]))
            }
          }
          if (condition !== undefined) {
            const [read] = kinds.slice(-1)
            expect(read && (await asked(snapshot, read))).toContain(
              `user:"${of}\\ viewer doc:${count - 1} cc{"x":1}`,
            )
          }
        }
      }))

    it('refuses revisions that are not there', () =>
      withStore(async (store, id) => {
        await expect((async () => store.snapshot(id, { revision: 1 }))()).rejects.toMatchObject({
          code: 'token_from_the_future',
        })
        await store.write(id, { writes: [tuple('user:a viewer doc:1')] })
        using empty = await pinned(store, id, 0)
        expect(await asked(empty, { kind: 'users', relation: 'viewer', object: 'doc:1' })).toEqual([])
      }))

    it('tells those who wait that something was written', () =>
      withStore(async (store, id) => {
        const waiting = store.changed(id, 0)
        await store.write(id, { writes: [tuple('user:a viewer doc:1')] })
        await waiting
        await store.changed(id, 0)
        const aborted = new AbortController()
        const refused = store.changed(id, 1, aborted.signal)
        aborted.abort(new Error('enough'))
        await expect(refused).rejects.toThrow('enough')
      }))

    it('gives a tuple to one of those who write it at once', () =>
      withStore(async (store, id) => {
        const key = tuple('user:a viewer doc:1')
        const writing = Array.from({ length: 6 }, () => outcome(store, id, { writes: [key] }))
        const outcomes = await Promise.all(writing)
        expect(outcomes.filter((each) => JSON.stringify(each) === '{"revision":1}')).toHaveLength(1)
        for (const each of outcomes) {
          expect([
            { revision: 1 },
            { code: 'write_failed_due_to_invalid_input' },
            { code: 'Aborted' },
          ]).toContainEqual(each)
        }
        expect(await store.changes(id, { limit: 9 })).toHaveLength(1)
      }))

    it('is watched by a reader that comes and goes, without a gap and nothing twice', () =>
      withStore(async (store, id) => {
        const writers = Array.from({ length: 8 }, async (_, writer) => {
          for (let each = 0; each < 12; each++) {
            const writes = [
              tuple(`user:${writer} viewer doc:${each}`),
              tuple(`user:${writer} viewer doc:${each}x`),
            ]
            await store.write(id, { writes })
          }
        })
        const seen: Change[] = []
        while (seen.length < 192) {
          // Gone after every seventh change, in the middle of a commit or not.
          let left = 7
          for await (const change of watch(store, id, { after: seen.at(-1)?.position })) {
            seen.push(change)
            if (--left === 0 || seen.length === 192) break
          }
        }
        await Promise.all(writers)
        expect(seen).toEqual(await store.changes(id, { limit: 1000 }))
        expect(new Set(seen.map(({ revision }) => revision)).size).toBe(96)

        for (const after of [Number.NaN, 1.5, -1, (seen.at(-1)?.position ?? 0) + 1, 2 ** 60]) {
          const refused = watch(store, id, { after }).next()
          const code: unknown = expect.stringMatching(/^(invalid_option|token_expired)$/)
          await expect(refused).rejects.toMatchObject({ code })
        }

        const aborted = new AbortController()
        const types: string[] = []
        const watching = (async () => {
          const options = { afterRevision: 96, types: ['folder'], signal: aborted.signal }
          for await (const change of watch(store, id, options)) types.push(change.tuple.object)
        })()
        await store.write(id, { writes: [tuple('user:a viewer doc:1'), tuple('user:a viewer folder:1')] })
        await vi.waitUntil(() => types.length > 0, { timeout: 20_000 })
        aborted.abort()
        await watching
        expect(types).toEqual(['folder:1'])
      }))

    it('keeps the stores apart', () =>
      withStore(async (store, id) => {
        const other = await store.createStore('other')
        await store.write(id, { writes: [tuple('user:a viewer doc:1')] })
        expect(await held(store, other.id)).toEqual([])
        expect(await store.changes(other.id, { limit: 1 })).toEqual([])
        expect(await store.revision(other.id)).toBe(0)
        expect(await store.revision(id)).toBe(1)
      }))

    it('does as the plain store does', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
          await withStore(async (store, id, setTime) => {
            const plain = new PlainStore()
            plain.now = 1000
            const pins: Snapshot[] = []
            for (const each of steps) {
              if (each.kind === 'time') {
                plain.now += each.ms
                setTime(plain.now)
              } else if (each.kind === 'pin') {
                pins.push(await pinned(store, id))
              } else {
                const request = {
                  ...each.request,
                  writes: each.request.writes?.map((one) => expiring(one, plain.now)),
                }
                expect(await outcome(store, id, request)).toEqual(plain.write(request))
              }
              for (const filter of each.filters) {
                const { items } = await store.read(id, filter, { limit: 1000 })
                expect(texts(items.map(({ tuple: found }) => found))).toEqual(texts(plain.matching(filter)))
              }
            }
            const changes = await store.changes(id, { limit: 1000 })
            expect(sorted(changes)).toEqual(sorted(plain.changes))
            expect(changes.map(({ position }) => position)).toEqual(
              changes.map(({ position }) => position).toSorted((a, b) => a - b),
            )
            for (let revision = 0; revision <= plain.revision; revision++) {
              pins.push(await pinned(store, id, revision))
            }
            for (const snapshot of pins) {
              // Time goes on for what was pinned before: what has expired since then may be seen or not.
              const stays = (found: Tuple): boolean => !expiries.has(found.user)
              await snapshot.fetch(reads)
              for (const read of reads) {
                const wanted = plain.at(snapshot.revision).filter((found) => asksFor(read, found))
                const got = snapshot.at(read) ?? []
                expect(texts(got.filter(stays))).toEqual(texts(wanted.filter(stays)))
              }
              snapshot.release()
            }
            using latest = await pinned(store, id)
            await latest.fetch(reads)
            for (const read of reads) {
              expect(texts(latest.at(read) ?? [])).toEqual(
                texts(plain.at(plain.revision).filter((found) => asksFor(read, found))),
              )
            }
          })
        }),
        { numRuns: runs },
      )
    })
  })
}

const users = ['user:a', 'user:b', 'user:*', 'group:1#member', 'group:2#owner', 'user:soon']
const expiries: ReadonlySet<string> = new Set(['user:soon'])
const relations = ['viewer', 'member']
const objects = ['doc:1', 'doc:2', 'group:1', 'docs:1']
const key: fc.Arbitrary<TupleKey> = fc.record({
  user: fc.constantFrom(...users),
  relation: fc.constantFrom(...relations),
  object: fc.constantFrom(...objects),
})
const tupleToWrite: fc.Arbitrary<TupleToWrite> = fc
  .tuple(key, fc.constantFrom(undefined, 1, 2))
  .map(([each, x]) => (x === undefined ? each : { ...each, condition: { name: 'cc', context: { x } } }))
const filter: fc.Arbitrary<TupleFilter> = fc.record({
  object: fc.constantFrom('', 'doc:', 'group:', 'docs:', ...objects),
  relation: fc.constantFrom('', ...relations),
  user: fc.constantFrom('', 'user:', 'group:', ...users),
})
const mode = fc.constantFrom<'ignore' | 'error' | undefined>('ignore', 'ignore', 'error', undefined)
const request: fc.Arbitrary<WriteRequest> = fc
  .record({
    // A key is named once in a request: that is looked at before.
    tuples: fc.uniqueArray(tupleToWrite, {
      selector: ({ user, relation, object }) => `${user} ${relation} ${object}`,
      maxLength: 5,
    }),
    deletes: fc.nat(5),
    removeWhere: fc.option(fc.array(filter, { maxLength: 2 }), { nil: undefined, freq: 8 }),
    preconditions: fc.option(fc.array(fc.record({ filter, exists: fc.boolean() }), { maxLength: 2 }), {
      nil: undefined,
      freq: 8,
    }),
    onDuplicate: mode,
    onMissing: mode,
  })
  .map(({ tuples, deletes, ...rest }) => ({
    ...rest,
    deletes: tuples.slice(0, deletes).map(({ user, relation, object }) => ({ user, relation, object })),
    writes: tuples.slice(deletes),
  }))
const filters = fc.array(filter, { maxLength: 2 })
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('write' as const), request, filters }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('time' as const), ms: fc.nat(60), filters }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pin' as const), filters }) },
)
const reads: readonly Read[] = [
  ...objects.flatMap((object) =>
    relations.flatMap((relation): Read[] => [
      { kind: 'users', object, relation },
      { kind: 'usersets', object, relation },
      ...users.map((user): Read => ({ kind: 'tuple', object, relation, user })),
    ]),
  ),
  ...users.flatMap((user) =>
    relations.flatMap((relation) =>
      ['doc', 'docs', 'group', 'none'].map((type): Read => ({ kind: 'objects', type, relation, user })),
    ),
  ),
]

function expiring(each: TupleToWrite, now: number): TupleToWrite {
  return expiries.has(each.user) ? { ...each, expiresAt: now + 50 } : each
}

async function outcome(store: TupleStore, id: string, write: WriteRequest): Promise<unknown> {
  try {
    return { revision: (await store.write(id, write)).revision }
  } catch (error) {
    if (error instanceof Error && 'code' in error) return { code: error.code }
    throw error
  }
}

async function held(store: TupleStore, id: string): Promise<readonly string[]> {
  const { items } = await store.read(id, {}, { limit: 1000 })
  return texts(items.map(({ tuple: found }) => found))
}

type Pinned = Snapshot & Disposable

async function pinned(store: TupleStore, id: string, revision?: number): Promise<Pinned> {
  const snapshot = await store.snapshot(id, { revision })
  return Object.assign(snapshot, { [Symbol.dispose]: () => snapshot.release() })
}

async function asked(snapshot: Snapshot, read: Read): Promise<readonly string[]> {
  await snapshot.fetch([read])
  return texts(snapshot.at(read) ?? [])
}

function tuple(written: string): TupleKey {
  const [user = '', relation = '', object = ''] = written.split(' ')
  return { user, relation, object }
}

function text({ user, relation, object, condition }: Tuple): string {
  const bound = condition === undefined ? '' : ` ${condition.name}${JSON.stringify(condition.context ?? {})}`
  return `${user} ${relation} ${object}${bound}`
}

function texts(tuples: readonly Tuple[]): readonly string[] {
  return tuples.map(text).toSorted()
}

function told({ operation, tuple: changed, revision, timestamp }: Omit<Change, 'position'>): string {
  return `${operation} ${text(changed)} ${revision} ${timestamp}`
}

/** By commit; the order within one is that of a request, removals first. */
function sorted(changes: readonly Omit<Change, 'position'>[]): readonly string[] {
  return changes
    .toSorted(
      (a, b) =>
        a.revision - b.revision ||
        a.operation.localeCompare(b.operation) ||
        text(a.tuple).localeCompare(text(b.tuple)),
    )
    .map(told)
}
