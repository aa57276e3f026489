import type { DatabaseSync } from 'node:sqlite'
import type { Random } from '../../ports.ts'
import { neverRemoved } from '../tuple-filter.ts'
import { keepWriteAheadLog } from './write-ahead-log.ts'

/**
 * Makes the tables where they are not there. A tuple's versions are rows: seen from the revision that created it up to the
 * one that removed it. Text is compared byte by byte; `object` is `type:id`, so that all of a type are a range.
 *
 * @returns the identity of the storage
 */
export function migrate(database: DatabaseSync, random: Random): Uint8Array {
  keepWriteAheadLog(database)
  database.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA foreign_keys = ON;
    CREATE TABLE IF NOT EXISTS zanzibar_storage (
      one INTEGER PRIMARY KEY CHECK (one = 1), identity BLOB NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS zanzibar_store (
      place INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
      created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
      revision INTEGER NOT NULL DEFAULT 0, position INTEGER NOT NULL DEFAULT 0, oldest INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE IF NOT EXISTS zanzibar_model (
      place INTEGER PRIMARY KEY AUTOINCREMENT, store INTEGER NOT NULL REFERENCES zanzibar_store ON DELETE CASCADE,
      id TEXT NOT NULL, model TEXT NOT NULL, UNIQUE (store, id)
    ) STRICT;
    CREATE INDEX IF NOT EXISTS zanzibar_model_latest ON zanzibar_model (store, place);
    CREATE TABLE IF NOT EXISTS zanzibar_assertions (
      store INTEGER NOT NULL REFERENCES zanzibar_store ON DELETE CASCADE, model TEXT NOT NULL, assertions TEXT NOT NULL,
      PRIMARY KEY (store, model)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS zanzibar_tuple (
      store INTEGER NOT NULL REFERENCES zanzibar_store ON DELETE CASCADE,
      object TEXT NOT NULL, relation TEXT NOT NULL, is_userset INTEGER NOT NULL, user TEXT NOT NULL,
      created INTEGER NOT NULL, removed INTEGER NOT NULL, position INTEGER NOT NULL, timestamp INTEGER NOT NULL,
      condition TEXT, context TEXT, expires_at INTEGER,
      PRIMARY KEY (store, object, relation, is_userset, user, created)
    ) STRICT, WITHOUT ROWID;
    DROP INDEX IF EXISTS zanzibar_tuple_user;
    CREATE INDEX IF NOT EXISTS zanzibar_tuple_of_user
      ON zanzibar_tuple (store, user, relation, object, created, removed, expires_at, condition);
    CREATE INDEX IF NOT EXISTS zanzibar_tuple_position ON zanzibar_tuple (store, position) WHERE removed = ${neverRemoved};
    CREATE INDEX IF NOT EXISTS zanzibar_tuple_removed ON zanzibar_tuple (store, removed) WHERE removed < ${neverRemoved};
    CREATE INDEX IF NOT EXISTS zanzibar_tuple_expiry ON zanzibar_tuple (store, expires_at)
      WHERE removed = ${neverRemoved} AND expires_at IS NOT NULL;
    CREATE TABLE IF NOT EXISTS zanzibar_commit (
      store INTEGER NOT NULL REFERENCES zanzibar_store ON DELETE CASCADE,
      revision INTEGER NOT NULL, timestamp INTEGER NOT NULL,
      PRIMARY KEY (store, revision)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS zanzibar_change (
      store INTEGER NOT NULL REFERENCES zanzibar_store ON DELETE CASCADE, position INTEGER NOT NULL,
      revision INTEGER NOT NULL, timestamp INTEGER NOT NULL, operation TEXT NOT NULL,
      object TEXT NOT NULL, relation TEXT NOT NULL, user TEXT NOT NULL,
      condition TEXT, context TEXT, expires_at INTEGER,
      PRIMARY KEY (store, position)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS zanzibar_change_revision ON zanzibar_change (store, revision);
    CREATE INDEX IF NOT EXISTS zanzibar_change_time ON zanzibar_change (store, timestamp)`)
  const kept = database.prepare('SELECT identity FROM zanzibar_storage')
  // Asked first: what is there already is opened without a turn among those who write.
  if (kept.get() === undefined)
    database.prepare('INSERT OR IGNORE INTO zanzibar_storage VALUES (1, ?)').run(random.bytes(16))
  const identity = kept.get()?.['identity']
  return identity instanceof Uint8Array ? identity : new Uint8Array()
}
