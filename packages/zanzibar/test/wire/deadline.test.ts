import { expect, test } from 'vitest'
import { memoryStore, openFgaApi, openZanzibar, parseModel, type TupleStore } from '../../src/index.ts'
import { type Clock, realClock } from '../../src/ports.ts'
import type { Read, Snapshot } from '../../src/store/snapshot.ts'
import { deadlineExceeded } from '../../src/wire/deadline.ts'

const model = `
model
  schema 1.1
type user
type folder
  relations
    define viewer: [user]
type doc
  relations
    define parent: [folder]
    define blocked: [user]
    define viewer: [user] or viewer from parent
    define reader: [user, folder#viewer] but not blocked`

const tuples = [
  { user: 'user:a', relation: 'viewer', object: 'doc:own' },
  { user: 'user:a', relation: 'viewer', object: 'folder:f' },
  { user: 'folder:f', relation: 'parent', object: 'doc:f' },
  { user: 'user:b', relation: 'reader', object: 'doc:own' },
]

/** A clock whose timers are called by hand. */
class Timers implements Clock {
  readonly now = realClock.now
  readonly monotonic = realClock.monotonic
  readonly set = new Map<() => void, number>()

  setTimeout(callback: () => void, delay: number): () => void {
    this.set.set(callback, delay)
    return callback
  }

  clearTimeout(handle: unknown): void {
    for (const callback of this.set.keys()) if (callback === handle) this.set.delete(callback)
  }

  fire(): void {
    for (const callback of this.set.keys()) callback()
  }
}

interface SlowStore {
  readonly store: TupleStore
  readonly waits: Promise<void>
  release(): void
  /** Whether every snapshot that was opened was given up. */
  released(): boolean
}

/** A store of which nothing is at hand until it is fetched; before the fetch that is the `held`th it waits for `release`. */
function slowStore(inner: TupleStore, held: number): SlowStore {
  const waits = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const open = new Set<Snapshot>()
  const slow = (snapshot: Snapshot): Snapshot => {
    open.add(snapshot)
    const fetched = new Set<string>()
    let fetches = 0
    return {
      revision: snapshot.revision,
      at: (read) => (fetched.has(JSON.stringify(read)) ? snapshot.at(read) : undefined),
      fetch: async (reads: readonly Read[], signal) => {
        if (++fetches === held) {
          waits.resolve()
          const stopped = new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()))
          await Promise.race([released.promise, stopped])
          signal?.throwIfAborted()
        }
        for (const read of reads) fetched.add(JSON.stringify(read))
      },
      release: () => {
        open.delete(snapshot)
        snapshot.release()
      },
    }
  }
  const store = new Proxy(inner, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target)
      if (name === 'snapshot') return async (id: string) => slow(await target.snapshot(id))
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { store, waits: waits.promise, release: () => released.resolve(), released: () => open.size === 0 }
}

async function opened(held: number) {
  const inner = memoryStore()
  const { store, waits, release, released } = slowStore(inner, held)
  const timers = new Timers()
  const api = openFgaApi({ store, clock: timers })
  const { id } = await api.createStore({ name: 'deadline' })
  if (typeof id !== 'string') throw new Error('the store has no id')
  await api.writeAuthorizationModel(id, parseModel(model))
  await api.write(id, { writes: { tuple_keys: tuples } })
  return { api, id, timers, waits, release, released, store }
}

const asked = { type: 'doc', relation: 'viewer', user: 'user:a' }

test('objects are streamed as they are found', async () => {
  const { api, id, release } = await opened(2)
  const stream = api.streamedListObjects(id, asked)[Symbol.asyncIterator]()
  // The second fetch would wait for ever.
  expect(await stream.next()).toEqual({ done: false, value: { object: 'doc:own' } })
  release()
  expect(await stream.next()).toEqual({ done: false, value: { object: 'doc:f' } })
  expect(await stream.next()).toEqual({ done: true, value: undefined })
})

test('lists end at their deadline with what they have', async () => {
  const { api, id, timers, waits } = await opened(2)
  const listing = api.listObjects(id, asked)
  await waits
  expect([...timers.set.values()]).toEqual([3000])
  timers.fire()
  expect(await listing).toEqual({ objects: ['doc:own'] })
  expect(timers.set.size).toBe(0)

  const users = await opened(2)
  const question = { object: { type: 'doc', id: 'f' }, relation: 'viewer', user_filters: [{ type: 'user' }] }
  const listingUsers = users.api.listUsers(users.id, question)
  await users.waits
  users.timers.fire()
  expect(await listingUsers).toEqual({ users: [] })
  expect(users.timers.set.size).toBe(0)
})

test('a stream ends at its deadline as if there were no more', async () => {
  const { api, id, timers, waits } = await opened(2)
  const objects: string[] = []
  void waits.then(() => timers.fire())
  for await (const { object } of api.streamedListObjects(id, asked)) objects.push(object)
  expect(objects).toEqual(['doc:own'])
})

test('a stream that nobody reads holds its moment no longer than its deadline', async () => {
  const { api, id, timers, released } = await opened(2)
  const stream = api.streamedListObjects(id, asked)[Symbol.asyncIterator]()
  expect(await stream.next()).toEqual({ done: false, value: { object: 'doc:own' } })
  expect(released()).toBe(false)
  timers.fire()
  expect(released()).toBe(true)
  expect(await stream.next()).toEqual({ done: true, value: undefined })
})

test('nobody is listed whom what was not looked at could take away', async () => {
  // Of both sides of the exclusion the first fetch brings neither.
  const { api, id, timers, waits } = await opened(1)
  const question = {
    object: { type: 'doc', id: 'own' },
    relation: 'reader',
    user_filters: [{ type: 'user' }],
  }
  const listing = api.listUsers(id, question)
  await waits
  timers.fire()
  expect(await listing).toEqual({ users: [] })
})

test('the time of the request itself ends a list so, a client that has gone does not', async () => {
  const late = await opened(2)
  const request = new AbortController()
  const listing = late.api.listObjects(late.id, asked, { signal: request.signal })
  await late.waits
  request.abort(deadlineExceeded())
  expect(await listing).toEqual({ objects: ['doc:own'] })

  const gone = await opened(2)
  const client = new AbortController()
  const given = gone.api.listObjects(gone.id, asked, { signal: client.signal })
  await gone.waits
  client.abort()
  await expect(given).rejects.toMatchObject({ code: 'cancelled' })
})

test('in the process no list is cut by time', async () => {
  const { store, timers, waits, release } = await opened(2)
  const zanzibar = await openZanzibar({ store, model, name: 'deadline', clock: timers })
  const listing = Array.fromAsync(zanzibar.listObjects('user:a', 'viewer', 'doc'))
  await waits
  expect(timers.set.size).toBe(0)
  release()
  expect(await listing).toEqual(['doc:f', 'doc:own'])
})

test('a list stops at 1000 objects, a stream does not', async () => {
  const { api, id } = await opened(0)
  for (let from = 0; from < 1500; from += 100) {
    const writes = Array.from({ length: 100 }, (_, at) => ({
      user: 'user:c',
      relation: 'viewer',
      object: `doc:${from + at}`,
    }))
    await api.write(id, { writes: { tuple_keys: writes } })
  }
  const question = { ...asked, user: 'user:c' }
  const { objects } = await api.listObjects(id, question)
  expect(new Set(objects).size).toBe(1000)
  const streamed = await Array.fromAsync(api.streamedListObjects(id, question), ({ object }) => object)
  expect(new Set(streamed).size).toBe(1500)
})
