import { postgres, type Service, skipWithout } from '@loadbearing/harness/services'
import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Statement } from '../../src/adapters/postgres/client.ts'
import { openPostgresStore } from '../../src/adapters/postgres.ts'
import { openZanzibar } from '../../src/index.ts'
import { rowsAfterSweep } from './rows-after-sweep.ts'
import { storeSuite } from './store-suite.ts'

const unavailable = skipWithout('postgres')

describe.skipIf(unavailable)('PostgreSQL', () => {
  let server: Service
  let pool: Pool
  let admin: Pool
  const database = `zanzibar_stores_${process.pid}`

  beforeAll(async () => {
    server = await postgres()
    // A database of its own: every test of the suite begins without stores, and others use the server too.
    admin = new Pool({ connectionString: server.url, max: 1 })
    admin.on('connect', (client) => client.on('error', () => {}))
    admin.on('error', () => {})
    await admin.query(`CREATE DATABASE ${database}`)
    const url = new URL(server.url)
    url.pathname = database
    // What survives is a question of the faults.
    url.searchParams.set('options', '-c synchronous_commit=off')
    pool = new Pool({ connectionString: url.href, max: 5 })
    pool.on('error', () => {})
  }, 120_000)

  afterAll(async () => {
    await pool?.end()
    await admin?.query(`DROP DATABASE IF EXISTS ${database}`)
    await admin?.end()
    await server?.stop()
  })

  it('is opened by several at once, and is one storage', async () => {
    const stores = await Promise.all(Array.from({ length: 4 }, () => openPostgresStore({ pool })))
    const [first] = stores
    for (const store of stores) {
      expect(store.identity).toHaveLength(16)
      expect(store.identity).toEqual(first?.identity)
      await store[Symbol.asyncDispose]()
    }
  })

  it('says which option is at fault', async () => {
    await expect(openPostgresStore({ pool, history: 0 })).rejects.toMatchObject({ code: 'invalid_option' })
    await expect(openPostgresStore({ pool, poll: Number.NaN })).rejects.toThrow(
      'poll must be a number of milliseconds',
    )
  })

  // As it fails beyond 1 GB: of one text, and of the texts of a row together.
  it.each(['54000', 'XX000'])('reads a list row by row where it cannot be one row: %s', async (code) => {
    let failures = 0
    const query = async (statement: Statement): Promise<{ rows: unknown[] }> => {
      if (!statement.text.includes('string_agg')) return pool.query(statement)
      failures++
      throw Object.assign(new Error('out of memory'), { code })
    }
    const full = { query, connect: () => pool.connect(), options: pool.options }
    await using store = await openPostgresStore({ pool: full })
    const zanzibar = await openZanzibar({
      store,
      name: 'full',
      model:
        'model\n  schema 1.1\ntype user\ntype group\n  relations\n    define member: [user, group#member]',
    })
    await zanzibar.write({
      add: [
        ['group:1#member', 'member', 'group:0'],
        ['user:1', 'member', 'group:1'],
        ['user:3', 'member', 'group:0'],
      ],
    })
    expect(await zanzibar.check('user:1', 'member', 'group:0')).toBe(true)
    expect(await zanzibar.check('user:3', 'member', 'group:0')).toBe(true)
    expect(await zanzibar.check('user:2', 'member', 'group:0')).toBe(false)
    const found = await Array.fromAsync(zanzibar.listObjects('user:1', 'member', 'group'))
    expect(found).toEqual(['group:0', 'group:1'])
    expect(failures).toBeGreaterThan(3)
    await store.deleteStore(zanzibar.storeId)
  })

  it('removes what has expired', async () => {
    let now = 0
    await using store = await openPostgresStore({ pool, time: { now: () => now } })
    const left = await rowsAfterSweep(
      store,
      (time) => {
        now = time
      },
      async () => {
        const { rows } = await pool.query('SELECT count(*)::int AS n FROM zanzibar_tuple')
        return Number(rows[0]?.n)
      },
    )
    expect(left).toBeLessThan(80)
  }, 60_000)

  storeSuite(
    'PostgreSQL',
    async () => {
      let now = 0
      const store = await openPostgresStore({ pool, time: { now: () => now } })
      await pool.query('DELETE FROM zanzibar_store')
      return {
        store,
        setTime: (time) => {
          now = time
        },
        [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
      }
    },
    10,
  )
})
