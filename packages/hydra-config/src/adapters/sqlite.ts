import type { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'
import { checkDuration, type Duration } from '../duration.ts'
import { HydraConfigError } from '../errors.ts'
import {
  checkName,
  nothingPublished,
  type PublishedSource,
  packFiles,
  storeFailed,
  unpackFiles,
} from '../source/published.ts'

export type { Duration, PublishedSource }

/** Options of {@link fromSqlite}. */
export interface SqliteOptions {
  /** Of several folders in one table. Default `default`. */
  readonly name?: string
  /** Default `hydra_config`. */
  readonly table?: string
  /** How often `watch` asks for the revision: SQLite tells nobody of a change. Default 250 ms. */
  readonly pollEvery?: Duration
}

export interface SqliteSource extends PublishedSource {
  /** Makes the table, unless it is there. */
  migrate(): void
}

/**
 * A folder of configs in a table of SQLite, one row each.
 *
 * @param database stays yours: nothing here closes it
 * @throws {HydraConfigError} `INVALID_OPTION`; of `files()`: `SOURCE_NOT_FOUND`, `SOURCE_READ`
 */
export function fromSqlite(database: DatabaseSync, options: SqliteOptions = {}): SqliteSource {
  if (typeof database?.prepare !== 'function') {
    throw new HydraConfigError('INVALID_OPTION', 'database must be a DatabaseSync of node:sqlite')
  }
  const name = checkName('name', options.name ?? 'default')
  const table = `"${checkName('table', options.table ?? 'hydra_config')}"`
  const pollMs = checkDuration('pollEvery', options.pollEvery ?? 250)
  const path = `sqlite://${table.slice(1, -1)}/${name}`
  const ask = <T>(work: () => T): T => {
    try {
      return work()
    } catch (cause) {
      if (cause instanceof Error && cause.message.includes('no such table')) nothingPublished(path)
      throw storeFailed(path, cause)
    }
  }
  return {
    path,
    migrate: () =>
      ask(() =>
        database.exec(
          `CREATE TABLE IF NOT EXISTS ${table} (name TEXT PRIMARY KEY, revision INTEGER NOT NULL, files TEXT NOT NULL) STRICT`,
        ),
      ),
    files: () => {
      const row = ask(() => database.prepare(`SELECT files FROM ${table} WHERE name = ?`).get(name))
      return typeof row?.['files'] === 'string' ? unpackFiles(row['files'], path) : nothingPublished(path)
    },
    publish: async (files) => {
      const packed = packFiles(files)
      const row = ask(() =>
        database
          .prepare(
            `INSERT INTO ${table} (name, revision, files) VALUES (?, 1, ?)
             ON CONFLICT (name) DO UPDATE SET revision = revision + 1, files = excluded.files RETURNING revision`,
          )
          .get(name, packed),
      )
      return Number(row?.['revision'])
    },
    async *watch(signal) {
      const revision = (): unknown =>
        ask(() => database.prepare(`SELECT revision FROM ${table} WHERE name = ?`).get(name))?.['revision']
      let seen: unknown
      for (let first = true; !signal.aborted; first = false) {
        const now = revision()
        if (first || now !== seen) yield
        seen = now
        await setTimeout(pollMs, undefined, { signal, ref: false }).catch(() => {})
      }
    },
  }
}
