import { hash } from 'node:crypto'
import type { Statement } from './client.ts'
import { columns, newColumns } from './record-row.ts'

/** What a store asks of its table. */
export interface Statements {
  /** `$1` of all that tell the time is milliseconds to take for it, or null for the server's own. */
  readonly claim: Statement
  /** Whether no other transaction is at the place `$2`: `free`, and from then on this one is. With the time, in texts. */
  readonly lock: Statement
  /** A row where there is a record. A statement after {@link lock}, whose own snapshot is of before it had the lock. */
  readonly seek: Statement
  /** Puts a record that is claimed here and has left no phase where there is none, or fails. */
  readonly put: Statement
  readonly replace: Statement
  readonly renew: Statement
  readonly advance: Statement
  readonly complete: Statement
  readonly leave: Statement
  readonly release: Statement
  readonly markUncertain: Statement
  readonly settle: Statement
  readonly settleAsNew: Statement
  readonly reopen: Statement
  readonly find: Statement
  readonly list: Statement
  readonly reap: Statement
  readonly erase: Statement
  /** Asks for a notification when the record changes; no row where it has. */
  readonly await: Statement
  /** Notes for how long to wait, `$2`, and for which place, `$1`; {@link waitForKey} does it. */
  readonly noteWait: Statement
}

const types: Readonly<Record<string, string>> = {
  fingerprint: 'bytea',
  journal: 'bytea',
  input: 'bytea',
  response: 'bytea',
  erased: 'boolean',
  fence: 'bigint',
  lease_ends: 'bigint',
  created_at: 'bigint',
  expires_at: 'bigint',
}

const typed = (column: string, n: number): string => `$${n}::${types[column] ?? 'text'}`
const list = columns.join(', ')
// As a double: `extract` reckons with numerics, which takes longer.
const now = `coalesce($1::bigint, floor(date_part('epoch', clock_timestamp()) * 1000)::bigint)`
const leftWithNothing = `state = 'claimed' AND lease_ends = 0 AND operation IS NULL AND recovery_point IS NULL`
/** As `hasExpired` of `record.ts`. */
export const expiredBy = (time: string): string =>
  `((state = 'completed' AND expires_at <= ${time}) OR (${leftWithNothing} AND expires_at <= ${time}))`
/** What an erased record no longer keeps. */
const unlessErased = (kept: string, otherwise = 'NULL'): string =>
  `CASE WHEN erased THEN ${otherwise} ELSE ${kept} END`
const held = `scope = $1 AND key = $2 AND id = $3 AND fence = $4::bigint AND owner = $5 AND state = 'claimed'`

/** @param table a name that needs no quotes, perhaps with its schema */
export function statementsFor(table: string): Statements {
  const channel = channelOf(table)
  /** One row where the change was made; who waits for the record is told. */
  const changed = (change: string): Statement =>
    statement(`WITH changed AS (${change} RETURNING id, awaited)
      SELECT CASE WHEN awaited THEN pg_notify('${channel}', id)::text END FROM changed`)
  const update = (assignments: string, where: string): Statement =>
    changed(`UPDATE ${table} SET ${assignments} WHERE ${where}`)
  const records = (where: string, clock: string): string =>
    `SELECT ${list}, ${clock} AS now FROM ${table} WHERE ${where}`
  const values =
    `$2::text, $3::text, $4::text, $5::text, $6::bytea, 'claimed', 1, $7::text, now + $8::bigint, now, now + $9::bigint, ` +
    `NULL, ''::bytea, $10::text, $11::bytea, NULL, NULL, false`
  const insert = (from: string): string =>
    `inserted AS (INSERT INTO ${table} (${list}) SELECT ${values} FROM ${from}
      ON CONFLICT (scope, key) DO NOTHING RETURNING *)`
  /** The advisory lock that a transaction has which is at a place, as text: 64 bits of a hash. */
  const lockOf = (place: string): string =>
    `hashtextextended(${place}::text COLLATE "C", hashtext('${table}'))`
  return {
    claim: statement(`WITH clock AS MATERIALIZED (SELECT ${now} AS now), ${insert('clock')}
      SELECT true AS claimed, ${list}, now FROM inserted, clock
      UNION ALL SELECT false, ${list}, now FROM ${table}, clock WHERE scope = $2 AND key = $3`),
    lock: statement(`SELECT pg_try_advisory_xact_lock(${lockOf('$2')})::text AS free, ${now}::text AS now`),
    // No EXISTS and no time beside it: each costs the server as much as the look itself.
    seek: statement(`SELECT 'found' FROM ${table} WHERE scope = $1 AND key = $2`),
    // Of the rest a new record has nothing.
    put: statement(`INSERT INTO ${table} (${newColumns.join(', ')}, fence)
      VALUES (${newColumns.map((column, at) => typed(column, at + 1)).join(', ')}, 1)`),
    replace: statement(`UPDATE ${table}
      SET (${list}, awaited) = (${columns.map((column, at) => typed(column, at + 1)).join(', ')}, awaited AND id = $3)
      WHERE scope = $1 AND key = $2 AND id = $19 AND fence = $20::bigint AND state = $21 AND lease_ends = $22::bigint
        AND length(journal) = $23::int AND erased = $24::boolean
      RETURNING id`),
    renew: statement(
      `UPDATE ${table} SET lease_ends = $7::bigint + ${now.replace('$1', '$6')} WHERE ${held} RETURNING id`,
    ),
    advance: statement(
      `UPDATE ${table} SET recovery_point = $6::text, journal = ${unlessErased('journal || $7::bytea', 'journal')} WHERE ${held} RETURNING id`,
    ),
    complete: update(
      `state = 'completed', response = ${unlessErased('$6::bytea')},
        expires_at = greatest(expires_at, ${now.replace('$1', '$7')} + (expires_at - created_at) / 10)`,
      held,
    ),
    leave: update('lease_ends = 0', held),
    release: changed(`DELETE FROM ${table} WHERE ${held}`),
    markUncertain: update(`state = 'uncertain', why = $6::text`, held),
    settle: update(
      `state = 'completed', fence = fence + 1, response = ${unlessErased('$4::bytea')},
        expires_at = greatest(expires_at, ${now.replace('$1', '$5')} + expires_at - created_at)`,
      `scope = $1 AND key = $2 AND id = $3 AND state = 'uncertain'`,
    ),
    settleAsNew: changed(
      `DELETE FROM ${table} WHERE scope = $1 AND key = $2 AND id = $3 AND state = 'uncertain'`,
    ),
    reopen: update(
      `state = 'claimed', fence = fence + 1, lease_ends = 0, why = NULL, recovery_point = $4::text, journal = ${unlessErased('journal || $5::bytea', 'journal')}`,
      `scope = $1 AND key = $2 AND id = $3 AND state = 'uncertain'`,
    ),
    find: statement(records('scope = $2 AND key = $3', now)),
    list: statement(
      `${records(
        `($2::text IS NULL OR scope = $2) AND ($3::text IS NULL OR state = $3)
        AND ($4::bigint IS NULL OR (state = 'claimed' AND lease_ends <= ${now} - $4))
        AND NOT ${expiredBy(now)}
        AND ($6::text IS NULL OR operation IN (SELECT jsonb_array_elements_text($6::text::jsonb)))`,
        now,
      )} ORDER BY created_at DESC LIMIT $5::int`,
    ),
    // In the order of the index, or else the planner reads the whole table: a limit makes it hope to be done soon.
    reap: statement(`DELETE FROM ${table} WHERE (scope, key) IN (
      SELECT scope, key FROM ${table}
      WHERE state IN ('claimed', 'completed') AND ${expiredBy(`(SELECT ${now})`)}
      ORDER BY state, expires_at LIMIT $2::int FOR UPDATE SKIP LOCKED) RETURNING id`),
    erase: statement(`UPDATE ${table}
      SET input = CASE WHEN operation IS NOT NULL THEN ''::bytea END, response = NULL, journal = '', why = NULL, erased = true
      WHERE scope = $1 AND ($2::text IS NULL OR key = $2) RETURNING id`),
    await: statement(`UPDATE ${table} SET awaited = true
      WHERE scope = $1 AND key = $2 AND id = $3 AND state = 'claimed' AND lease_ends <> 0 RETURNING id`),
    noteWait: statement(`SELECT set_config('idempotency.lock_timeout', current_setting('lock_timeout'), true),
      set_config('lock_timeout', $2::text, true), set_config('idempotency.key', ${lockOf('$1')}::text, true)`),
  }
}

/**
 * Waits as noted, and gives up in silence: an error would end the user's transaction, or, with some drivers, be told to the
 * user though it was caught.
 */
export const waitForKey: string = `DO $$ BEGIN
    BEGIN PERFORM pg_advisory_xact_lock(current_setting('idempotency.key')::bigint);
    EXCEPTION WHEN lock_not_available THEN NULL; END;
    PERFORM set_config('lock_timeout', current_setting('idempotency.lock_timeout'), true);
  END $$`

/** The channel on which changes of records of the table are told, with their ids. */
export function channelOf(table: string): string {
  return table.replaceAll('.', '_').toLowerCase()
}

/**
 * What makes the table, as one text, which is one transaction; does nothing where it is there. It has no CHECK, and no
 * index of some rows only: PostgreSQL reads and compiles their conditions anew for every statement that inserts. One index
 * finds what has expired and, as they are few, what is open.
 */
export function migrationOf(table: string): string {
  const index = channelOf(table)
  return `SELECT pg_advisory_xact_lock(7253, hashtext('${table}'));
    CREATE TABLE IF NOT EXISTS ${table} (
      scope text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, id text NOT NULL, endpoint text NOT NULL,
      fingerprint bytea NOT NULL, state text COLLATE "C" NOT NULL,
      fence bigint NOT NULL, owner text NOT NULL, lease_ends bigint NOT NULL, created_at bigint NOT NULL,
      expires_at bigint NOT NULL, recovery_point text, journal bytea NOT NULL DEFAULT '', operation text, input bytea,
      response bytea, why text, erased boolean NOT NULL DEFAULT false, awaited boolean NOT NULL DEFAULT false,
      PRIMARY KEY (scope, key));
    CREATE INDEX IF NOT EXISTS ${index}_state ON ${table} (state, expires_at)`
}

export function statement(text: string): Statement {
  return { name: `idempotency_${hash('sha256', text, 'hex').slice(0, 16)}`, text }
}
