import { expect } from 'vitest'
import type { TupleStore } from '../../src/index.ts'

const hour = 3_600_000

/** Looks whether what has expired is removed, as a change of its own; gives how many rows are left in the end, which are few. */
export async function rowsAfterSweep(
  store: TupleStore,
  setTime: (now: number) => void,
  rows: () => Promise<number>,
): Promise<number> {
  setTime(1000)
  const { id } = await store.createStore('expiry')
  const viewer = (user: string) => ({ user: `user:${user}`, relation: 'viewer', object: 'doc:1' })
  const soon = { ...viewer('soon'), expiresAt: 2000 }
  await store.write(id, { writes: [soon, { ...viewer('late'), expiresAt: 10 * hour }, viewer('ever')] })
  const before = await store.snapshot(id)
  const flip = async (times: number): Promise<void> => {
    for (let each = 0; each < times; each++)
      await store.write(id, { [each % 2 === 0 ? 'writes' : 'deletes']: [viewer('flip')] })
  }
  setTime(3000)
  await flip(80)
  const changes = await store.changes(id, { limit: 1000 })
  const swept = changes.filter(({ tuple }) => tuple.user === 'user:soon')
  expect(swept.map(({ operation }) => operation)).toEqual(['write', 'delete'])
  // Revisions go on without a hole, and nothing is in one with it.
  expect([...new Set(changes.map(({ revision }) => revision))]).toEqual(
    Array.from({ length: 82 }, (_, each) => each + 1),
  )
  expect(changes.filter(({ revision }) => revision === swept[1]?.revision)).toHaveLength(1)
  expect(await store.revision(id)).toBe(82)
  const { items } = await store.read(id, {}, { limit: 9 })
  expect(items.map(({ tuple }) => tuple.user)).toEqual(['user:late', 'user:ever'])
  // Who looks at the moment before it was swept has not lost it.
  const read = { kind: 'tuple', ...viewer('soon') } as const
  await before.fetch([read])
  expect(before.at(read)).toHaveLength(1)
  before.release()

  // It can be written again, and after the history all that is left of it are the changes.
  await store.write(id, { writes: [soon].map((tuple) => ({ ...tuple, expiresAt: 5 * hour })) })
  setTime(6 * hour)
  await flip(64)
  setTime(8 * hour)
  await flip(64)
  expect((await store.read(id, {}, { limit: 9 })).items).toHaveLength(2)
  return await rows()
}
