import { expect, it } from 'vitest'
import { realClock } from '../../src/ports.ts'
import { memoryStore } from '../../src/store/memory-store.ts'
import { storeSuite } from './store-suite.ts'

storeSuite(
  'memory',
  async () => {
    let now = 0
    const store = memoryStore({ history: 50, clock: { ...realClock, now: () => now } })
    return {
      store,
      setTime: (time) => {
        now = time
      },
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    }
  },
  100,
)

it('lets others have their turn while it reads what is large, and gives up when it is told to', async () => {
  await using store = memoryStore()
  const { id } = await store.createStore('wide')
  const size = 20_000
  for (let from = 0; from < size; from += 1000) {
    const writes = Array.from({ length: 1000 }, (_, each) => ({
      user: `user:${from + each}`,
      relation: 'member',
      object: 'group:1',
    }))
    await store.write(id, { writes })
  }
  const snapshot = store.snapshot(id)
  const read = { kind: 'users', object: 'group:1', relation: 'member' } as const
  expect(snapshot.at(read)).toBeUndefined()
  expect(
    snapshot.at({ kind: 'tuple', user: 'user:19999', relation: 'member', object: 'group:1' }),
  ).toHaveLength(1)

  const aborted = new AbortController()
  const refused = snapshot.fetch([read], aborted.signal)
  setImmediate(() => aborted.abort(new Error('enough')))
  await expect(refused).rejects.toThrow('enough')
  expect(snapshot.at(read)).toBeUndefined()

  let turns = 0
  const counting = setInterval(() => turns++, 0)
  const fetched = snapshot.fetch([read])
  // What is written meanwhile is of no concern to it.
  await store.write(id, { deletes: [{ user: 'user:5', relation: 'member', object: 'group:1' }] })
  await fetched
  clearInterval(counting)
  expect(snapshot.at(read)).toHaveLength(size)
  expect(turns).toBeGreaterThan(0)
  snapshot.release()

  const after = store.snapshot(id)
  await after.fetch([read])
  expect(after.at(read)).toHaveLength(size - 1)
  after.release()
})
