import { unlessAborted } from '../aborted.ts'
import { HydraConfigError } from '../errors.ts'
import { Notices } from '../source/notices.ts'
import {
  checkName,
  nothingPublished,
  type PublishedSource,
  packFiles,
  storeFailed,
  unpackFiles,
} from '../source/published.ts'
import {
  type PgClient,
  type PgNotification,
  type PgPool,
  type PostgresClient,
  type PostgresJs,
  postgresPort,
} from './postgres-client.ts'

export type { PgClient, PgNotification, PgPool, PostgresClient, PostgresJs, PublishedSource }

/** Options of {@link fromPostgres}. */
export interface PostgresOptions {
  /** Of several folders in one table. Default `default`. */
  readonly name?: string
  /** With a schema or without, such as `config.hydra`. Default `hydra_config`. */
  readonly table?: string
}

export interface PostgresSource extends PublishedSource {
  /** Makes the table, unless it is there. */
  migrate(): Promise<void>
}

const channel = 'loadbearing_hydra_config'

/**
 * A folder of configs in a table of PostgreSQL: one row each, its files as jsonb. `watch` listens to NOTIFY on a
 * connection of its own, or on the client itself where that is a single one.
 *
 * @param client a Pool or a connected Client of pg, or the function that postgres gives; stays yours, nothing here ends it
 * @throws {HydraConfigError} `INVALID_OPTION`; of `files()`: `SOURCE_NOT_FOUND`, `SOURCE_READ`
 */
export function fromPostgres(client: PostgresClient, options: PostgresOptions = {}): PostgresSource {
  const port = postgresPort(client)
  const name = checkName('name', options.name ?? 'default')
  const places = (options.table ?? 'hydra_config').split('.').map((part) => checkName('table', part))
  if (places.length > 2) {
    throw new HydraConfigError(
      'INVALID_OPTION',
      `table must be a table or schema.table, not ${places.join('.')}`,
    )
  }
  const table = places.map((part) => `"${part}"`).join('.')
  const path = `postgres://${places.join('.')}/${name}`
  const payload = `${places.join('.')}/${name}`
  const ask = async (
    text: string,
    params: readonly string[],
  ): Promise<Record<string, unknown> | undefined> => {
    try {
      return await port.query(text, params)
    } catch (cause) {
      const undefinedTable = cause instanceof Error && 'code' in cause && cause.code === '42P01'
      if (undefinedTable) return nothingPublished(path)
      throw storeFailed(path, cause)
    }
  }
  return {
    path,
    migrate: async () => {
      await ask(
        `CREATE TABLE IF NOT EXISTS ${table} (name text PRIMARY KEY, revision bigint NOT NULL, files jsonb NOT NULL)`,
        [],
      )
    },
    files: async () => {
      const row = await ask(`SELECT files::text AS files FROM ${table} WHERE name = $1`, [name])
      return typeof row?.['files'] === 'string' ? unpackFiles(row['files'], path) : nothingPublished(path)
    },
    publish: async (files) => {
      const row = await ask(
        `WITH published AS (
           INSERT INTO ${table} AS t (name, revision, files) VALUES ($1, 1, $2::text::jsonb)
           ON CONFLICT (name) DO UPDATE SET revision = t.revision + 1, files = excluded.files RETURNING revision
         ) SELECT revision::text, pg_notify($3, $4) FROM published`,
        [name, packFiles(files), channel, payload],
      )
      return Number(row?.['revision'])
    },
    async *watch(signal) {
      const notices = new Notices()
      const onPayload = (told: string): void => {
        if (told === payload) notices.tell()
      }
      try {
        const listening = await unlessAborted(port.listen(channel, onPayload, notices), signal, (late) =>
          late.close(),
        )
        try {
          notices.tell()
          yield* notices.until(signal)
        } finally {
          listening.close()
        }
      } catch (cause) {
        throw storeFailed(path, cause)
      }
    },
  }
}
