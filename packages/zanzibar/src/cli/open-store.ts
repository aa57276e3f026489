import { existsSync } from 'node:fs'
import { ZanzibarError } from '../errors.ts'
import { memoryStore } from '../store/memory-store.ts'
import type { TupleStore } from '../store/tuple-store.ts'

/** Opens what a URL names: `memory`, `sqlite:path`, `postgres://…`. @throws ZanzibarError `invalid_option` */
export async function openStore(url: string): Promise<TupleStore> {
  if (url === 'memory') return memoryStore()
  if (url.startsWith('sqlite:')) {
    const { sqliteStore } = await import('../adapters/sqlite.ts')
    return sqliteStore({ path: url.slice('sqlite:'.length) })
  }
  if (/^postgres(?:ql)?:/.test(url)) return await openPostgres(url)
  throw new ZanzibarError(
    'invalid_option',
    `--store must be memory, sqlite:path or postgres://…, not ${withoutSecret(url)}`,
  )
}

/** The same, but makes no database where there is none: to be asked. @throws ZanzibarError `invalid_option` */
export async function openExistingStore(url: string): Promise<TupleStore> {
  const path = url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : undefined
  if (path !== undefined && path !== ':memory:' && !existsSync(path)) {
    throw new ZanzibarError('invalid_option', `--store ${url}: there is no file ${path}`)
  }
  return await openStore(url)
}

async function openPostgres(url: string): Promise<TupleStore> {
  const { Pool } = await import('pg')
  const { openPostgresStore } = await import('../adapters/postgres.ts')
  const pool = new Pool({ connectionString: url, connectionTimeoutMillis: 10_000 })
  // Whoever asks is told.
  pool.on('error', () => {})
  const store = await openPostgresStore({ pool })
  const dispose = store[Symbol.asyncDispose].bind(store)
  return Object.assign(store, {
    async [Symbol.asyncDispose]() {
      await dispose()
      await pool.end()
    },
  })
}

const withoutSecret = (url: string): string => url.replace(/\/\/.*@/, '//…@')
