import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { eventually, startChild } from '@loadbearing/harness/faults'
import { postgres as postgresServer, type Service, skipWithout } from '@loadbearing/harness/services'
import {
  createIdempotency,
  isIdempotencyError,
  type TransactionalStore,
} from '@loadbearing/stripe-idempotency'
import { postgresStore } from '@loadbearing/stripe-idempotency/postgres'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import type { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPool } from './pool.ts'
import { request, ride } from './ride-operation.ts'

const lease = 3000
/** Item 18 of the specification: its key is usable again within the lease and five seconds. */
const within = lease + 5000

type Held = 'transaction' | 'phase'

/** Kills who has the key, and asks for it until it is had; what was done then. */
async function killHolder<Transaction>(
  kind: 'postgres' | 'sqlite',
  place: string,
  held: Held,
  store: TransactionalStore<Transaction>,
): Promise<unknown> {
  await using holder = await startChild(new URL('programs/holder.ts', import.meta.url), {
    args: [kind, place, held, String(lease)],
    execArgv: ['--conditions=@loadbearing/source'],
    ready: 'held',
    readyWithin: '60s',
  })
  const idempotency = createIdempotency<Transaction>({ store, lease })
  const again = ride(idempotency, async () => 'charged')
  const run = (): Promise<{ value: string }> =>
    held === 'transaction'
      ? idempotency.transaction(request, async () => 'done by another')
      : again.execute(request)
  const asked = async (): Promise<string | undefined> => {
    try {
      return (await run()).value
    } catch (error) {
      if (isIdempotencyError(error) && error.code === 'in_use') return undefined
      // On SQLite who is in a transaction keeps all others from writing.
      if (store.isTransient(error)) return undefined
      throw error
    }
  }
  if (kind === 'postgres') expect(await asked()).toBeUndefined()
  await holder.kill()
  return await eventually(asked, { within })
}

describe.skipIf(skipWithout('postgres'))('a process that is killed, with its key on PostgreSQL', () => {
  let server: Service
  let pool: Pool

  beforeAll(async () => {
    server = await postgresServer()
    pool = openPool(server.url, 4)
    await postgresStore({ pool, table: 'held_record' }).migrate()
  }, 120_000)

  afterAll(async () => {
    await pool?.end()
    await server?.stop()
  })

  test.each([
    ['in a transaction', 'transaction', 'done by another'],
    ['in a phase', 'phase', 'charged'],
  ] as const)('%s: another one has it within the lease and five seconds', async (_, held, expected) => {
    await pool.query('TRUNCATE held_record')
    expect(
      await killHolder('postgres', server.url, held, postgresStore({ pool, table: 'held_record' })),
    ).toBe(expected)
  })
})

describe('a process that is killed, with its key on SQLite', () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'idempotency-held-'))
  })

  afterAll(async () => {
    await rm(folder, { recursive: true })
  })

  test.each([
    ['in a transaction', 'transaction', 'done by another'],
    ['in a phase', 'phase', 'charged'],
  ] as const)('%s: another one has it within the lease and five seconds', async (_, held, expected) => {
    const path = join(folder, `${held}.sqlite`)
    using database = new DatabaseSync(path)
    const store = sqliteStore({ database, table: 'held_record' })
    expect(await killHolder('sqlite', path, held, store)).toBe(expected)
  })
})
