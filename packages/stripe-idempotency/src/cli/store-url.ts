import { existsSync } from 'node:fs'
import { IdempotencyError, shown } from '../errors.ts'
import type { Finding, IdempotencyStore } from '../store/store.ts'

/** A store of a command, with what only some stores can do. */
export interface OpenStore extends AsyncDisposable {
  readonly store: IdempotencyStore
  /** Makes the tables; undefined where there are none to make. */
  readonly migrate?: () => Promise<void>
  /** What is wrong with the store. */
  readonly doctor: () => Promise<readonly Finding[]>
}

/** What to open. */
export interface StoreNames {
  /** `postgres://…`, `redis://…`, `sqlite:path`. */
  readonly url: string
  /** Of the store, or the prefix of its keys. */
  readonly table: string | undefined
  /** Table of an outbox beside it, which is made and examined too. */
  readonly outbox: string | undefined
  /** What is to be made may not be there yet; what is to be examined may be in no state to be used. */
  readonly purpose: 'use' | 'make' | 'examine'
}

/** @throws IdempotencyError `invalid_option`, `store_unavailable` */
export async function openStore({ url, table, outbox, purpose }: StoreNames): Promise<OpenStore> {
  const scheme = url.split(':', 1)[0] ?? ''
  switch (scheme) {
    case 'postgres':
    case 'postgresql': {
      const { Pool } = await import('pg')
      const { postgresOutbox, postgresStore } = await import('../adapters/postgres.ts')
      const pool = new Pool({ connectionString: url, max: 2, connectionTimeoutMillis: 10_000 })
      // Whoever asks is told.
      pool.on('error', () => {})
      const store = postgresStore({ pool, ...(table !== undefined && { table }) })
      const jobs = outbox === undefined ? undefined : postgresOutbox({ pool, table: outbox })
      return {
        store,
        async migrate() {
          await store.migrate()
          await jobs?.migrate()
        },
        doctor: async () => [...(await store.doctor()), ...((await jobs?.doctor()) ?? [])],
        async [Symbol.asyncDispose]() {
          await store[Symbol.asyncDispose]()
          await pool.end()
        },
      }
    }
    case 'redis':
    case 'rediss': {
      if (outbox !== undefined) {
        throw new IdempotencyError('invalid_option', '--outbox is for PostgreSQL and SQLite: Redis has none')
      }
      const { Redis } = await import('ioredis')
      const { redisStore } = await import('../adapters/redis.ts')
      const { openStore: openRedisStore } = await import('../adapters/redis/open-store.ts')
      const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 1 })
      // Whoever asks is told.
      client.on('error', () => {})
      try {
        const named = { client, ...(table !== undefined && { prefix: table }) }
        const store = purpose === 'examine' ? (await openRedisStore(named)).store : await redisStore(named)
        return {
          store,
          doctor: () => store.doctor(),
          async [Symbol.asyncDispose]() {
            await store[Symbol.asyncDispose]()
            client.disconnect()
          },
        }
      } catch (error) {
        client.disconnect()
        throw error
      }
    }
    case 'sqlite': {
      const { DatabaseSync } = await import('node:sqlite')
      const { sqliteOutbox, sqliteStore } = await import('../adapters/sqlite.ts')
      const path = url.slice('sqlite:'.length)
      if (path === '' || (purpose !== 'make' && !existsSync(path))) {
        throw new IdempotencyError(
          'invalid_option',
          `--store names no database of SQLite: ${shown(path)}; migrate makes one`,
        )
      }
      const database = new DatabaseSync(path)
      const store = sqliteStore({ database, ...(table !== undefined && { table }) })
      if (outbox !== undefined) sqliteOutbox({ database, table: outbox })
      return {
        store,
        migrate: () => Promise.resolve(),
        doctor: () => store.doctor(),
        async [Symbol.asyncDispose]() {
          await store[Symbol.asyncDispose]()
          database.close()
        },
      }
    }
    default:
      // A URL may have a password.
      throw new IdempotencyError(
        'invalid_option',
        `--store must begin with postgres://, redis:// or sqlite:, not with ${shown(scheme)}`,
      )
  }
}
