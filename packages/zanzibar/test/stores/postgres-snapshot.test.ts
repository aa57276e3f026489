import { skipWithout } from '@loadbearing/harness/services'
import { describe, expect, test } from 'vitest'
import type { Statement } from '../../src/adapters/postgres/client.ts'
import { usualBounds } from '../../src/adapters/postgres/reading.ts'
import { realClock } from '../../src/ports.ts'
import type { Onward, Read } from '../../src/store/snapshot.ts'
import { openTestStore } from './open-test-store.ts'
import { storeWithin } from './store-within.ts'

describe.skipIf(skipWithout('postgres'))('a snapshot of PostgreSQL', () => {
  test('reads a list that is asked for only in part no further', async () => {
    await using opened = await openTestStore('postgres')
    const { store } = opened
    const { id } = await store.createStore('cut')
    const members = Array.from({ length: 50 }, (_, at) => `group:${at}#member`)
    await store.write(id, {
      writes: members.map((user) => ({ user, relation: 'member', object: 'group:wide' })),
    })
    const whole: Read = { kind: 'usersets', relation: 'member', object: 'group:wide' }
    const cut: Read = { ...whole, limit: 1 }
    const onward: Onward = {
      way: 'down',
      lists: [{ kind: 'usersets', type: 'group', relation: 'member' }],
      steps: [{ from: 0, user: 'group#member', to: 0 }],
      ends: [],
    }
    const snapshot = await store.snapshot(id, { first: () => ({ reads: [cut], onward }) })
    expect(snapshot.at(cut)).toHaveLength(2)
    expect(snapshot.at(whole)).toBeUndefined()
    await snapshot.fetch([whole], undefined, onward)
    expect(snapshot.at(whole)).toHaveLength(50)
    expect(snapshot.at({ ...whole, object: 'group:7' })).toEqual([])
  })

  test.each([usualBounds.text, 0])('is of one moment to its end, with texts of %i bytes', async (text) => {
    await using opened = await openTestStore('postgres')
    const { pool = expect.unreachable() } = opened
    let now = 1000
    await using store = await storeWithin(pool, { ...usualBounds, text }, { time: { now: () => now } })
    const { id } = await store.createStore('moments')
    const of = { relation: 'member', object: 'team:1' }
    const gone = { user: 'user:removed', ...of }
    const writes = [
      { user: 'user:1', ...of },
      gone,
      { user: 'user:short', ...of, expiresAt: 2000 },
      { user: 'user:1', ...of, object: 'zone:1' },
    ]
    const { revision } = await store.write(id, { writes })
    const latest = await store.snapshot(id)
    await store.write(id, { deletes: [gone], writes: [{ user: 'user:new', ...of }] })
    const exactly = await store.snapshot(id, { revision })
    now = 3000
    const list: Read = { kind: 'users', ...of }
    for (const snapshot of [latest, exactly]) {
      await snapshot.fetch([list])
      const users = snapshot.at(list)?.map(({ user }) => user)
      expect(users?.toSorted()).toEqual(['user:1', 'user:removed', 'user:short'])
      const objects: Read = { kind: 'objects', type: 'team', relation: 'member', user: 'user:new' }
      const usersets: Read = { kind: 'usersets', ...of }
      const teams: Read = { ...objects, user: 'user:1' }
      await snapshot.fetch([objects, usersets, teams])
      expect(snapshot.at(teams)?.map(({ object }) => object)).toEqual(['team:1'])
      expect([snapshot.at(objects), snapshot.at(usersets)]).toEqual([[], []])
    }
  })

  test('is read no longer than the history is, row by row as well', async () => {
    await using opened = await openTestStore('postgres')
    const { pool = expect.unreachable() } = opened
    let now = 0
    const query = async (statement: Statement): Promise<{ rows: unknown[] }> => {
      // All that is asked for as one text takes long.
      if (statement.text.includes('string_agg')) now += 50_000
      return pool.query(statement)
    }
    const slow = { query, connect: () => pool.connect(), options: pool.options }
    const clock = { ...realClock, monotonic: () => now }
    const bounds = { ...usualBounds, text: 0 }
    await using store = await storeWithin(slow, bounds, { history: 1000, clock })
    const { id } = await store.createStore('slow')
    await store.write(id, { writes: [{ user: 'user:1', relation: 'member', object: 'team:1' }] })
    const list: Read = { kind: 'users', relation: 'member', object: 'team:1' }
    const soon = await store.snapshot(id)
    await soon.fetch([list])
    expect(soon.at(list)).toHaveLength(1)
    const late = await store.snapshot(id, { first: () => ({ reads: [list] }) })
    expect(late.at(list)).toBeUndefined()
    await expect(late.fetch([list])).rejects.toMatchObject({ code: 'token_expired' })
  })
})
