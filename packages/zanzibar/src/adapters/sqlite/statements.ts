import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { Row } from '../rows.ts'
import { orAborted } from './write-ahead-log.ts'

/** The statements of a connection, each prepared once. There are as many as this package has texts. */
export class Statements {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()
  /** Whether a transaction is open for nothing but reads. */
  #isReading = false

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  all(sql: string, ...values: SQLInputValue[]): readonly Row[] {
    this.#endReading()
    return this.#statement(sql).all(...values)
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    this.#endReading()
    return this.#statement(sql).get(...values)
  }

  /** @throws ZanzibarError as {@link atomically} */
  run(sql: string, ...values: SQLInputValue[]): void {
    this.#endReading()
    try {
      this.#statement(sql).run(...values)
    } catch (error) {
      throw orAborted(error)
    }
  }

  /**
   * As {@link all}, of rows that no write changes any more. What is read at a stretch is read in one transaction, which saves
   * two of three parts of the time: each of its own would lock and unlock the write-ahead log. It ends with the stretch, or
   * before anything else is done.
   */
  readAll(sql: string, ...values: SQLInputValue[]): readonly Row[] {
    this.#beginReading()
    return this.#statement(sql).all(...values)
  }

  /** As {@link get}, see {@link readAll}. */
  readOne(sql: string, ...values: SQLInputValue[]): Row | undefined {
    this.#beginReading()
    return this.#statement(sql).get(...values)
  }

  /**
   * Runs `work` as a transaction that nobody else writes beside.
   *
   * @throws ZanzibarError `Aborted` where another process was writing for longer than `busy_timeout`
   */
  atomically<Result>(work: () => Result): Result {
    this.#endReading()
    try {
      this.#database.exec('BEGIN IMMEDIATE')
      const result = work()
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw orAborted(error)
    }
  }

  #beginReading(): void {
    if (this.#isReading) return
    this.#statement('BEGIN').run()
    this.#isReading = true
    queueMicrotask(() => this.#endReading())
  }

  #endReading(): void {
    if (!this.#isReading) return
    this.#isReading = false
    // A disposed store has ended it with the connection.
    if (this.#database.isOpen) this.#statement('COMMIT').run()
  }

  #statement(sql: string): StatementSync {
    let statement = this.#prepared.get(sql)
    if (statement === undefined) {
      statement = this.#database.prepare(sql)
      this.#prepared.set(sql, statement)
    }
    return statement
  }
}
