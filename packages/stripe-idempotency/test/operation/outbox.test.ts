import { DatabaseSync } from 'node:sqlite'
import { memoryOutbox, type StagedJob } from '@loadbearing/stripe-idempotency'
import { sqliteOutbox } from '@loadbearing/stripe-idempotency/sqlite'
import { describe, expect, test } from 'vitest'
import { jobOf, outboxSuite } from './outbox-suite.ts'

outboxSuite(
  'the one in memory',
  async () => {
    const outbox = memoryOutbox()
    return { outbox, stage: (jobs) => outbox.stage(null, jobs), async [Symbol.asyncDispose]() {} }
  },
  300,
)

outboxSuite(
  'the one in SQLite',
  async () => {
    const database = new DatabaseSync(':memory:')
    const outbox = sqliteOutbox({ database })
    const stage = async (jobs: readonly StagedJob[], end: 'COMMIT' | 'ROLLBACK'): Promise<void> => {
      database.exec('BEGIN IMMEDIATE')
      await outbox.stage(database, jobs)
      database.exec(end)
    }
    return {
      outbox,
      stage: (jobs) => stage(jobs, 'COMMIT'),
      stageInVain: (jobs) => stage(jobs, 'ROLLBACK'),
      async [Symbol.asyncDispose]() {
        database.close()
      },
    }
  },
  100,
)

describe('an outbox in SQLite', () => {
  test('gives the jobs of a drainer that takes longer than its lease to another, and they are gone once', async () => {
    let now = 0
    const database = new DatabaseSync(':memory:')
    const outbox = sqliteOutbox({ database, lease: '60s', clock: { now: () => now } })
    database.exec('BEGIN IMMEDIATE')
    await outbox.stage(database, [jobOf(0), jobOf(1)])
    database.exec('COMMIT')
    const begun = Promise.withResolvers<void>()
    const end = Promise.withResolvers<void>()
    const slow = outbox.drain(10, async () => {
      begun.resolve()
      await end.promise
    })
    await begun.promise
    now = 59_999
    expect(await outbox.drain(10, async () => {})).toBe(0)
    now = 60_000
    const again: string[] = []
    const second = outbox.drain(10, async (jobs) => {
      again.push(...jobs.map(({ id }) => id))
      // The first one comes to its end now: what another holds is not its to delete.
      end.resolve()
      await slow
      expect(database.prepare('SELECT count(*) AS many FROM idempotency_outbox').get()).toEqual({ many: 2 })
    })
    expect(await second).toBe(2)
    expect(again).toEqual(['job-0', 'job-1'])
    expect(await outbox.drain(10, async () => {})).toBe(0)
    database.close()
  })

  test('has the jobs of a drainer for as long as its lease where the clock is set back, and they are its own until then', async () => {
    let now = 1_000_000
    const database = new DatabaseSync(':memory:')
    const outbox = sqliteOutbox({ database, lease: '60s', clock: { now: () => now } })
    database.exec('BEGIN IMMEDIATE')
    await outbox.stage(database, [jobOf(0), jobOf(1)])
    database.exec('COMMIT')
    const begun = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const end = Promise.withResolvers<void>()
    const drains = begun.map(async (mine, at) => {
      await begun[at - 1]?.promise
      return outbox.drain(1, async () => {
        mine.resolve()
        await (at === 0 ? end.promise : new Promise<never>(() => {}))
      })
    })
    await begun[1]?.promise
    now = 0
    expect(await outbox.drain(10, async () => {})).toBe(0)
    end.resolve()
    expect(await drains[0]).toBe(1)
    now = 59_999
    expect(await outbox.drain(10, async () => {})).toBe(0)
    now = 60_000
    const dead: string[] = []
    expect(await outbox.drain(10, async (jobs) => void dead.push(...jobs.map(({ id }) => id)))).toBe(1)
    expect(dead).toEqual(['job-1'])
    database.close()
  })

  test('takes jobs only in a transaction of its own database', async () => {
    const database = new DatabaseSync(':memory:')
    const other = new DatabaseSync(':memory:')
    const outbox = sqliteOutbox({ database })
    other.exec('BEGIN')
    for (const transaction of [database, other]) {
      await expect(outbox.stage(transaction, [jobOf(0)])).rejects.toMatchObject({ code: 'invalid_option' })
    }
    expect(() => sqliteOutbox({ database, table: 'a; DROP TABLE b' })).toThrow('table must be')
    expect(() => sqliteOutbox({ database, lease: 0 })).toThrow('lease')
    other.close()
    database.close()
  })
})

describe('an outbox in memory', () => {
  test('refuses what is beyond its capacity, jobs that are being delivered among it', async () => {
    const outbox = memoryOutbox({ capacity: 2 })
    await outbox.stage(null, [jobOf(0), jobOf(1)])
    await expect(outbox.stage(null, [jobOf(2)])).rejects.toMatchObject({ code: 'store_unavailable' })
    await outbox.drain(10, async () => {
      await expect(outbox.stage(null, [jobOf(2)])).rejects.toMatchObject({ code: 'store_unavailable' })
    })
    await outbox.stage(null, [jobOf(2)])
    expect(() => memoryOutbox({ capacity: 0 })).toThrow('capacity')
  })
})
