import { Buffer } from 'node:buffer'
import { eventually, startChild } from '@loadbearing/harness/faults'
import { postgres as postgresServer, type Service, skipWithout } from '@loadbearing/harness/services'
import { createIdempotency, type StagedJob } from '@loadbearing/stripe-idempotency'
import {
  type PostgresOutbox,
  type PostgresQuerier,
  postgresOutbox,
  postgresStore,
} from '@loadbearing/stripe-idempotency/postgres'
import { Client, type Pool } from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { jobOf, outboxSuite } from '../operation/outbox-suite.ts'
import { openPool } from './pool.ts'

describe.skipIf(skipWithout('postgres'))('an outbox in PostgreSQL', () => {
  let server: Service
  let pool: Pool
  let sql: postgres.Sql

  beforeAll(async () => {
    server = await postgresServer()
    pool = openPool(server.url, 40)
    sql = postgres(server.url, { max: 10, onnotice: () => {} })
  }, 120_000)

  afterAll(async () => {
    await pool?.end()
    await sql?.end()
    await server?.stop()
  })

  async function inTransaction(
    end: 'COMMIT' | 'ROLLBACK',
    work: (transaction: PostgresQuerier) => Promise<void>,
  ): Promise<void> {
    const client = await pool.connect()
    try {
      await client.query('BEGIN')
      await work(client)
      await client.query(end)
    } finally {
      client.release()
    }
  }

  async function emptyOutbox(table: string, lease?: number): Promise<PostgresOutbox> {
    const outbox = postgresOutbox({ pool, table, ...(lease !== undefined && { lease }) })
    await outbox.migrate()
    await pool.query(`TRUNCATE ${table}`)
    return outbox
  }

  outboxSuite(
    'a Pool of pg',
    async () => {
      const outbox = await emptyOutbox('suite_outbox')
      const stage = (end: 'COMMIT' | 'ROLLBACK') => (jobs: readonly StagedJob[]) =>
        inTransaction(end, (transaction) => outbox.stage(transaction, jobs))
      return {
        outbox,
        stage: stage('COMMIT'),
        stageInVain: stage('ROLLBACK'),
        async [Symbol.asyncDispose]() {},
      }
    },
    20,
  )

  outboxSuite(
    'the sql of postgres',
    async () => {
      await emptyOutbox('suite_outbox')
      const outbox = postgresOutbox({ pool: sql, table: 'suite_outbox' })
      return {
        outbox,
        stage: async (jobs) => {
          await sql.begin((transaction) =>
            outbox.stage({ query: (text, params) => transaction.unsafe(text, params as never[]) }, jobs),
          )
        },
        async [Symbol.asyncDispose]() {},
      }
    },
    10,
  )

  test('jobs are there with the commit of their phase, or not at all', async () => {
    const outbox = await emptyOutbox('phase_outbox')
    const store = postgresStore({ pool, table: 'phase_record' })
    await store.migrate()
    await pool.query('TRUNCATE phase_record')
    await using idempotency = createIdempotency({ store, outbox })
    let failures = 1
    const order = idempotency.operation<number>('order').tx('placed', async (_, { input, stage }) => {
      stage('receipt', { order: input })
      stage('parcel', { order: input })
      if (failures-- > 0) throw new RangeError('no stock')
      return input
    })
    const request = { scope: 'acct_1', key: 'k', input: 7 }
    await expect(order.execute(request)).rejects.toThrow('no stock')
    expect(await outbox.drain(10, async () => {})).toBe(0)
    await order.execute(request)
    await order.execute(request)
    const seen: unknown[] = []
    const done = Promise.withResolvers<void>()
    const worker = idempotency.worker({
      drain: async (jobs) => {
        seen.push(...jobs.map(({ name, payload }) => [name, payload]))
        done.resolve()
      },
    })
    await done.promise
    await worker[Symbol.asyncDispose]()
    expect(seen).toEqual([
      ['receipt', { order: 7 }],
      ['parcel', { order: 7 }],
    ])
  })

  test('of a drainer that stands still for longer than its lease the server takes the jobs back', async () => {
    const outbox = await emptyOutbox('slow_outbox', 300)
    await inTransaction('COMMIT', (transaction) => outbox.stage(transaction, [jobOf(0), jobOf(1)]))
    const begun = Promise.withResolvers<void>()
    const end = Promise.withResolvers<void>()
    const slow = outbox.drain(10, async () => {
      begun.resolve()
      await end.promise
    })
    await begun.promise
    const again: string[] = []
    await eventually(() =>
      outbox.drain(10, async (jobs) => void again.push(...jobs.map(({ id }) => id))).then((many) => many > 0),
    )
    expect(again).toEqual(['job-0', 'job-1'])
    end.resolve()
    await expect(slow).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(await outbox.drain(10, async () => {})).toBe(0)
  })

  test('says what is missing: the table, connections of its own, a transaction', async () => {
    const outbox = postgresOutbox({ pool, table: 'no_outbox' })
    await expect(outbox.drain(10, async () => {})).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('migrate'),
    })
    expect(await outbox.doctor()).toMatchObject([{ severity: 'error', subject: 'no_outbox' }])
    await expect(outbox.stage(JSON.parse('null'), [jobOf(0)])).rejects.toMatchObject({
      code: 'invalid_option',
    })
    const client = new Client({ connectionString: server.url })
    const single = postgresOutbox({ pool: client, table: 'no_outbox' })
    await expect(single.drain(10, async () => {})).rejects.toMatchObject({ code: 'invalid_option' })
    for (const option of [{ table: 'Robert"); DROP' }, { lease: 0 }, { lease: 'soon' }]) {
      expect(() => postgresOutbox({ pool, ...option })).toThrow(
        expect.objectContaining({ code: 'invalid_option', message: expect.stringMatching(/table|lease/) }),
      )
    }
  })

  describe('under eight drainers, while commits are slow', () => {
    type Drain = (limit: number, deliver: (ids: readonly string[]) => Promise<void>) => Promise<number>

    interface Counted {
      readonly lost: number
      readonly twice: number
      /** Commits that came while later jobs were being delivered. */
      readonly overtaken: number
    }

    /** Stages `transactions` times 100 jobs on 16 connections, every twentieth commit a slow one, and drains them meanwhile. */
    async function race(
      transactions: number,
      stage: (transaction: PostgresQuerier, jobs: readonly StagedJob[]) => Promise<void>,
      drain: Drain,
      drainers: number,
    ): Promise<Counted> {
      const delivered = new Map<string, number>()
      /** Commits that wait, each until a job that was staged later has been delivered. */
      const slow = new Map<number, PromiseWithResolvers<void>>()
      /** The latest transaction of which a job was delivered. Which ones are, if some are lost, is chance. */
      let latest = -1
      const isOvertaken = (at: number): boolean => latest > at
      const deliver = async (ids: readonly string[]): Promise<void> => {
        for (const id of ids) {
          delivered.set(id, (delivered.get(id) ?? 0) + 1)
          latest = Math.max(latest, Math.floor(Number(id.slice('job-'.length)) / 100))
        }
        // Older jobs become visible while the drainer is between its first statement and its last.
        const committing = slow.entries().filter(([at]) => isOvertaken(at))
        await Promise.all(committing.map(([, { promise }]) => promise))
      }
      let next = 0
      let overtaken = 0
      let staging = true
      const stager = async (): Promise<void> => {
        for (let mine = next++; mine < transactions; mine = next++) {
          const jobs = Array.from({ length: 100 }, (_, n) => jobOf(mine * 100 + n))
          const isSlow = mine % 20 === 0 && mine <= transactions * 0.8
          await inTransaction('COMMIT', async (transaction) => {
            await stage(transaction, jobs)
            if (!isSlow) return
            slow.set(mine, Promise.withResolvers())
            await eventually(() => isOvertaken(mine))
            overtaken++
          })
          slow.get(mine)?.resolve()
          slow.delete(mine)
        }
      }
      const drainer = async (): Promise<void> => {
        for (;;) {
          const last = !staging
          if ((await drain(500, deliver)) === 0 && last) return
        }
      }
      const draining = Promise.all(Array.from({ length: drainers }, drainer))
      await Promise.all(Array.from({ length: 16 }, stager))
      staging = false
      await draining
      const all = Array.from({ length: transactions * 100 }, (_, n) => jobOf(n).id)
      return {
        lost: all.filter((id) => !delivered.has(id)).length,
        twice: delivered.values().reduce((sum, count) => sum + count - 1, 0),
        overtaken,
      }
    }

    test('of 100,000 jobs none is lost and none is delivered twice', async () => {
      const outbox = await emptyOutbox('race_outbox')
      const counted = await race(
        1000,
        (transaction, jobs) => outbox.stage(transaction, jobs),
        (limit, deliver) => outbox.drain(limit, (jobs) => deliver(jobs.map(({ id }) => id))),
        8,
      )
      expect(counted).toEqual({ lost: 0, twice: 0, overtaken: 41 })
    }, 180_000)

    test('the drainer of rocket-rides-atomic loses jobs in the same race', async () => {
      const outbox = await emptyOutbox('race_outbox')
      const { lost } = await race(
        100,
        (transaction, jobs) => outbox.stage(transaction, jobs),
        async (limit, deliver) => {
          let many = 0
          await inTransaction('COMMIT', async (transaction) => {
            const rows = rowsOf(
              await transaction.query('SELECT place, id FROM race_outbox ORDER BY place LIMIT $1', [limit]),
            )
            if (rows.length === 0) return
            await deliver(rows.map(({ id }) => String(id)))
            await transaction.query('DELETE FROM race_outbox WHERE place <= $1', [rows.at(-1)?.['place']])
            many = rows.length
          })
          return many
        },
        1,
      )
      expect(lost).toBeGreaterThan(0)
    }, 60_000)
  })

  test('a drainer that is killed after it delivered loses nothing, and an inbox does each job once', async () => {
    const outbox = await emptyOutbox('drain_outbox')
    await pool.query(
      'DROP TABLE IF EXISTS queue; CREATE TABLE queue (place serial PRIMARY KEY, job json NOT NULL)',
    )
    const ids = Array.from({ length: 95 }, (_, n) => jobOf(n).id)
    // As an instance without secrets seals it.
    const payload = Buffer.from('\u0000{"value":{"amount":5}}')
    await inTransaction('COMMIT', (transaction) =>
      outbox.stage(
        transaction,
        ids.map((id) => ({ id, name: 'receipt', payload })),
      ),
    )
    const start = (crashAt?: string): ReturnType<typeof startChild> =>
      startChild(new URL('programs/drainer.ts', import.meta.url), {
        args: [server.url],
        execArgv: ['--conditions=@loadbearing/source'],
        ready: 'draining',
        readyWithin: '20s',
        ...(crashAt !== undefined && { crashAt }),
      })
    await using killed = await start('delivered:3')
    expect(await killed.exit).toMatchObject({ signal: 'SIGKILL', crashedAt: { name: 'delivered', n: 3 } })
    await using next = await start()
    await eventually(async () => (await pool.query('SELECT 1 FROM drain_outbox')).rows.length === 0)
    expect(next.ended).toBe(false)
    const { rows } = await pool.query('SELECT job FROM queue ORDER BY place')
    const delivered = rows.map(({ job }): { id: string } => job)
    // At least once: what was delivered and not committed came again.
    expect(delivered).toHaveLength(95 + 10)
    expect(new Set(delivered.map(({ id }) => id))).toEqual(new Set(ids))

    const store = postgresStore({ pool, table: 'inbox_record' })
    await store.migrate()
    await pool.query('TRUNCATE inbox_record')
    await pool.query('DROP TABLE IF EXISTS mail; CREATE TABLE mail (job text NOT NULL)')
    await using consumer = createIdempotency({ store })
    const take = consumer.inbox(
      'mailer',
      async ({ id }, transaction) => {
        await transaction.query('INSERT INTO mail VALUES ($1)', [id])
      },
      { wait: '20s' },
    )
    const taken = await Promise.all(delivered.map(take))
    expect(taken.filter(Boolean)).toHaveLength(95)
    const mail = await pool.query('SELECT job FROM mail ORDER BY job')
    expect(mail.rows.map(({ job }) => job)).toEqual(ids.toSorted())
  }, 60_000)
})

function rowsOf(result: unknown): readonly Record<string, unknown>[] {
  const rows: unknown = Reflect.get(Object(result), 'rows')
  return Array.isArray(rows) ? rows : []
}
