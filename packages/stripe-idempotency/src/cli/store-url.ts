import { IdempotencyError, shown } from '../errors.ts'
import type { Finding, IdempotencyStore } from '../store/store.ts'

/** A store of a command, with what only some stores can do. */
export interface OpenStore extends AsyncDisposable {
  readonly store: IdempotencyStore
  /** Makes the tables; undefined where there are none to make. */
  readonly migrate?: () => Promise<void>
  /** What is wrong with the store; undefined where it has no way to tell. */
  readonly doctor?: () => Promise<readonly Finding[]>
}

/**
 * Opens a store by its URL: `postgres://…`, `redis://…`, `sqlite:path`. `table` names its table, or the prefix of its keys.
 *
 * @throws IdempotencyError `invalid_option`
 */
export async function openStore(url: string, table: string | undefined): Promise<OpenStore> {
  const scheme = url.split(':', 1)[0] ?? ''
  switch (scheme) {
    case 'postgres':
    case 'postgresql': {
      const { Pool } = await import('pg')
      const { postgresStore } = await import('../adapters/postgres.ts')
      const pool = new Pool({ connectionString: url, max: 2 })
      const store = postgresStore({ pool, ...(table !== undefined && { table }) })
      return {
        store,
        migrate: () => store.migrate(),
        doctor: () => store.doctor(),
        async [Symbol.asyncDispose]() {
          await store[Symbol.asyncDispose]()
          await pool.end()
        },
      }
    }
    case 'redis':
    case 'rediss': {
      const { Redis } = await import('ioredis')
      const { redisStore } = await import('../adapters/redis.ts')
      const client = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 1 })
      // Whoever asks is told.
      client.on('error', () => {})
      try {
        const store = await redisStore({ client, ...(table !== undefined && { prefix: table }) })
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
      const { sqliteStore } = await import('../adapters/sqlite.ts')
      const database = new DatabaseSync(url.slice('sqlite:'.length))
      const store = sqliteStore({ database, ...(table !== undefined && { table }) })
      return {
        store,
        migrate: () => Promise.resolve(),
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
