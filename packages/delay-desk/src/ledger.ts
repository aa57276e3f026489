import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** What a transfer is asked for with. */
export interface Order {
  /** In the smallest unit of the currency: cents. */
  readonly amount: number
  /** ISO 4217, in lower case. */
  readonly currency: string
  readonly destination: string
  readonly transferGroup: string | null
  readonly metadata: Readonly<Record<string, string>>
}

/** A transfer that was made. */
export interface Transfer extends Order {
  readonly id: string
  /** Seconds since 1970. */
  readonly created: number
}

/** Which transfers to show. */
export interface Search {
  readonly limit: number
  readonly transferGroup?: string
  /** The id of the last one of the page before. */
  readonly startingAfter?: string
}

/** The bank's ledger in SQLite. A committed transfer survives the death of the process (not of the machine: `synchronous` is `NORMAL`). */
export class Ledger {
  readonly #insert: StatementSync
  readonly #find: StatementSync
  readonly #list: StatementSync

  /** @param database of its own; the ledger is made in it where it is not there */
  constructor(database: DatabaseSync) {
    database.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA wal_autocheckpoint = 10000;
      CREATE TABLE IF NOT EXISTS transfer (
        place          INTEGER PRIMARY KEY,
        id             TEXT NOT NULL UNIQUE,
        amount         INTEGER NOT NULL CHECK (amount > 0),
        currency       TEXT NOT NULL,
        destination    TEXT NOT NULL,
        transfer_group TEXT,
        metadata       TEXT NOT NULL,
        created        INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX IF NOT EXISTS transfer_of_group ON transfer (transfer_group)`)
    this.#insert = database.prepare(
      'INSERT INTO transfer VALUES (NULL, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING *',
    )
    this.#find = database.prepare('SELECT * FROM transfer WHERE id = ?')
    this.#list = database.prepare(`
      SELECT * FROM transfer
      WHERE (?1 IS NULL OR transfer_group = ?1)
        AND place < coalesce((SELECT place FROM transfer WHERE id = ?2), 9223372036854775807)
      ORDER BY place DESC LIMIT ?3`)
  }

  /** Makes the transfer of this id, or answers with the one there is: the same id is of the same order. */
  apply(id: string, { amount, currency, destination, transferGroup, metadata }: Order): Transfer {
    const created = Math.floor(Date.now() / 1000)
    const note = JSON.stringify(metadata)
    const row = this.#insert.get(id, amount, currency, destination, transferGroup, note, created)
    const made = row === undefined ? this.find(id) : transferOf(row)
    if (made === undefined) throw new Error(`the transfer ${id} was made and is not there`)
    return made
  }

  find(id: string): Transfer | undefined {
    const row = this.#find.get(id)
    return row && transferOf(row)
  }

  /** The newest first. */
  list({ limit, transferGroup, startingAfter }: Search): Transfer[] {
    return this.#list.all(transferGroup ?? null, startingAfter ?? null, limit).map(transferOf)
  }
}

function transferOf(row: Record<string, unknown>): Transfer {
  const group = row['transfer_group']
  return {
    id: String(row['id']),
    amount: Number(row['amount']),
    currency: String(row['currency']),
    destination: String(row['destination']),
    transferGroup: typeof group === 'string' ? group : null,
    metadata: JSON.parse(String(row['metadata'])),
    created: Number(row['created']),
  }
}
