import { CommitLog, type LoggedChange } from './commit-log.ts'
import { TupleTable } from './tuple-table.ts'

/**
 * A copy of a table and its log without the rows that were removed up to a revision, the horizon. It is made in parts, while
 * the table goes on: what is committed meanwhile is copied at the end. Positions and revisions stay what they are.
 */
export class Compaction {
  readonly table: TupleTable
  readonly log: CommitLog
  readonly #from: { readonly table: TupleTable; readonly log: CommitLog }
  readonly #horizon: number
  #changes: Iterator<LoggedChange, void, undefined>
  /** The last change that was copied. */
  #last: LoggedChange | undefined
  /** The rows, in the copy, that the commit at hand removes. */
  #removed: number[] = []

  constructor(from: { readonly table: TupleTable; readonly log: CommitLog }, horizon: number, seed: number) {
    this.#from = from
    this.#horizon = horizon
    this.table = new TupleTable(seed)
    this.table.forget(horizon)
    this.log = new CommitLog(horizon, from.log.positionAt(horizon))
    this.#changes = from.log.changes(0, 0, undefined)
  }

  /** Copies so many changes more, and tells whether that were all. */
  advance(count: number): boolean {
    for (let left = count; left > 0; left--) {
      const { value: change } = this.#changes.next()
      if (change === undefined) {
        this.#endCommit()
        this.#changes = this.#from.log.changes(this.#last?.position ?? 0, 0, undefined)
        return true
      }
      if (this.#last !== undefined && change.revision !== this.#last.revision) this.#endCommit()
      this.#last = change
      if (change.revision <= this.#horizon) this.#archive(change)
      else this.#copy(change)
    }
    return false
  }

  #archive(change: LoggedChange): void {
    if (change.operation === 'delete' || this.#from.table.isRemoved(change.row, this.#horizon)) return
    this.log.archive(change, this.#from.log.positionAt(change.revision - 1))
    this.#add(change.row)
  }

  #copy({ operation, row, revision }: LoggedChange): void {
    if (operation === 'write') {
      this.#add(row)
      return
    }
    const copy = this.table.standing(this.#from.table.tuple(row))
    this.table.remove(copy, revision)
    this.#removed.push(copy)
  }

  #add(row: number): void {
    const { table } = this.#from
    this.table.add({ ...table.tuple(row), expiresAt: table.expiry(row) })
  }

  #endCommit(): void {
    if (this.#last === undefined || this.#last.revision <= this.#horizon) return
    if (this.log.revision === this.#last.revision) return
    this.log.push(this.#removed, this.table.length, this.#last.timestamp)
    this.#removed = []
  }
}
