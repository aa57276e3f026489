import { expect, test } from 'vitest'
import type { Clock } from '../ports.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { Snapshot } from '../store/snapshot.ts'
import { momentOf } from './moment.ts'

const tuples = [1, 2, 3].map((each) => ({ user: 'user:a', relation: 'viewer', object: `doc:${each}` }))

/** A store at revision 3, whose snapshots may lag behind, and a clock that is moved by hand. */
async function lagging(lag: number) {
  const store = memoryStore()
  const { id: storeId } = await store.createStore('moment')
  for (const tuple of tuples) await store.write(storeId, { writes: [tuple] })
  let behind = lag
  let released = 0
  let time = (): void => {}
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    setTimeout: (callback) => {
      time = callback
      return callback
    },
    clearTimeout: (callback) => {
      if (callback === time) time = () => {}
    },
  }
  const opened = (revision: number | undefined): Snapshot => {
    const snapshot = store.snapshot(storeId, { revision: revision ?? 3 - behind })
    return { ...snapshot, revision: snapshot.revision, release: () => released++ }
  }
  return {
    store: {
      revision: () => 3,
      changed: (id: string, revision: number, signal?: AbortSignal) => store.changed(id, revision, signal),
      snapshot: (_: string, options: { readonly revision?: number | undefined } = {}) =>
        opened(options.revision),
    },
    storeId,
    clock,
    limit: 100,
    pass: () => time(),
    catchUp: async () => {
      behind = 0
      await store.write(storeId, { deletes: tuples.slice(0, 1) })
    },
    released: () => released,
  }
}

test('is opened at once where the store has come to it', async () => {
  const waiting = await lagging(0)
  expect(momentOf({ least: 3 }, waiting)).toMatchObject({ revision: 3 })
  expect(momentOf({ least: 0, exactly: 1 }, waiting)).toMatchObject({ revision: 1 })
  expect(momentOf({ least: 3, exactly: 1 }, waiting)).toMatchObject({ revision: 1 })
})

test('is never an earlier one, also where the store gives such', async () => {
  const waiting = await lagging(2)
  const opening = momentOf({ least: 3 }, waiting)
  expect(opening).toBeInstanceOf(Promise)
  await waiting.catchUp()
  expect(await opening).toMatchObject({ revision: 3 })
  expect(waiting.released()).toBeGreaterThan(0)
})

test('that does not come in time is an error that says so', async () => {
  const waiting = await lagging(0)
  for (const moment of [{ least: 4 }, { least: 0, exactly: 4 }]) {
    const refused = Promise.resolve(momentOf(moment, waiting)).catch((error: unknown) => error)
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    waiting.pass()
    expect(await refused).toMatchObject({
      code: 'token_from_the_future',
      message: expect.stringContaining('did not come to 4 within 100 ms'),
    })
  }
})

test('is given up with the signal', async () => {
  const waiting = await lagging(0)
  const stop = new AbortController()
  const opening = Promise.resolve(momentOf({ least: 4 }, { ...waiting, signal: stop.signal }))
  stop.abort()
  await expect(opening).rejects.toMatchObject({ code: 'cancelled' })
})
