import { Buffer } from 'node:buffer'
import type { Random } from '../../ports.ts'
import { neverRemoved } from '../tuple-filter.ts'
import { type PostgresQuerier, rowsOf } from './client.ts'

/** Milliseconds since 1970: of the server, or of the clock that a store was given. */
export function timeOr(parameter: string): string {
  return `coalesce(${parameter}::bigint, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)`
}

// Text is compared byte by byte, whatever the database's collation: ids that only look alike are two.
const text = 'text COLLATE "C" NOT NULL'
const ofStore = 'store bigint NOT NULL REFERENCES zanzibar_store ON DELETE CASCADE'
const lock = 0x7a61_6e7a

/**
 * What is known of the stores that were there says nothing of the next one, whose rows PostgreSQL would take for none: then an
 * index that begins with the store and goes on with what is not asked for is as good as the right one, and is gone through.
 */
function withoutStatistics(table: string): string {
  // Each opening would wait for a VACUUM, and have every connection plan anew, for what is so already.
  return `DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_attribute
      WHERE attrelid = '${table}'::regclass AND attname = 'store' AND attstattarget IS DISTINCT FROM 0)
    THEN ALTER TABLE ${table} ALTER COLUMN store SET STATISTICS 0; END IF; END $$`
}

const schema = `
  SELECT pg_advisory_xact_lock(${lock});
  CREATE TABLE IF NOT EXISTS zanzibar_storage (one int PRIMARY KEY CHECK (one = 1), identity bytea NOT NULL);
  CREATE TABLE IF NOT EXISTS zanzibar_store (
    place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id ${text} UNIQUE, name ${text},
    created_at bigint NOT NULL, updated_at bigint NOT NULL,
    revision bigint NOT NULL DEFAULT 0, position bigint NOT NULL DEFAULT 0, oldest bigint NOT NULL DEFAULT 0
  );
  CREATE TABLE IF NOT EXISTS zanzibar_model (
    place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ${ofStore}, id ${text}, model ${text}, UNIQUE (store, id)
  );
  CREATE INDEX IF NOT EXISTS zanzibar_model_latest ON zanzibar_model (store, place);
  CREATE TABLE IF NOT EXISTS zanzibar_assertions (
    ${ofStore}, model ${text}, assertions ${text}, PRIMARY KEY (store, model)
  );
  CREATE TABLE IF NOT EXISTS zanzibar_tuple (
    ${ofStore}, object ${text}, relation ${text}, is_userset boolean NOT NULL, "user" ${text},
    created bigint NOT NULL, removed bigint NOT NULL, position bigint NOT NULL, timestamp bigint NOT NULL,
    condition text, context text, expires_at bigint,
    PRIMARY KEY (store, object, relation, is_userset, "user", created)
  );
  CREATE INDEX IF NOT EXISTS zanzibar_tuple_user ON zanzibar_tuple (store, "user", relation, object);
  CREATE UNIQUE INDEX IF NOT EXISTS zanzibar_tuple_position ON zanzibar_tuple (store, position) WHERE removed = ${neverRemoved};
  CREATE UNIQUE INDEX IF NOT EXISTS zanzibar_tuple_there
    ON zanzibar_tuple (store, object, relation, "user") WHERE removed = ${neverRemoved};
  CREATE INDEX IF NOT EXISTS zanzibar_tuple_removed ON zanzibar_tuple (store, removed) WHERE removed < ${neverRemoved};
  CREATE INDEX IF NOT EXISTS zanzibar_tuple_expiry ON zanzibar_tuple (store, expires_at)
    WHERE removed = ${neverRemoved} AND expires_at IS NOT NULL;
  CREATE TABLE IF NOT EXISTS zanzibar_commit (
    ${ofStore}, revision bigint NOT NULL, timestamp bigint NOT NULL, PRIMARY KEY (store, revision)
  );
  CREATE TABLE IF NOT EXISTS zanzibar_change (
    ${ofStore}, position bigint NOT NULL, revision bigint NOT NULL, timestamp bigint NOT NULL, operation text NOT NULL,
    object ${text}, relation ${text}, "user" ${text}, condition text, context text, expires_at bigint,
    PRIMARY KEY (store, position)
  );
  CREATE INDEX IF NOT EXISTS zanzibar_change_revision ON zanzibar_change (store, revision);
  CREATE INDEX IF NOT EXISTS zanzibar_change_time ON zanzibar_change (store, timestamp);
  ${['zanzibar_tuple', 'zanzibar_change'].map(withoutStatistics).join(';\n  ')}`

/** Makes the tables where they are not there, and gives the identity of the storage. Several processes may call it at once. */
export async function migrate(querier: PostgresQuerier, random: Random): Promise<Uint8Array> {
  // Several statements without parameters are one transaction.
  await rowsOf(querier, { text: schema })
  await rowsOf(querier, {
    text: 'INSERT INTO zanzibar_storage VALUES (1, $1) ON CONFLICT DO NOTHING',
    values: [Buffer.from(random.bytes(16))],
  })
  const [row] = await rowsOf(querier, { text: 'SELECT identity FROM zanzibar_storage' })
  const identity = row?.['identity']
  return identity instanceof Uint8Array ? identity : new Uint8Array()
}
