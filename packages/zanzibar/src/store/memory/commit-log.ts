import { Column } from './column.ts'

/** A change of a table of tuples. */
export interface LoggedChange {
  readonly operation: 'write' | 'delete'
  readonly row: number
  readonly revision: number
  readonly timestamp: number
  readonly position: number
}

/** What is left of the commits at the beginning, of which some changes were forgotten. */
interface Archive {
  /** The last revision that it stands for. */
  readonly revision: number
  /** How many changes there were up to it. */
  readonly positions: number
  /** Of each commit that has rows left. */
  readonly revisions: number[]
  /** How many changes there were before each of these. */
  readonly starts: number[]
  /** Of each row, its position less the start of its commit. */
  readonly offsets: Column
}

/**
 * The order of what was done to a table of tuples. A change has a position: how many changes were before it, and one more.
 * Within a commit removals come first.
 */
export class CommitLog {
  readonly #archive: Archive
  // Of each commit.
  readonly #times: number[] = []
  readonly #rowEnds = new Column()
  readonly #removalEnds = new Column()
  /** The row that each removal removed. */
  readonly #removed = new Column()

  constructor(revision = 0, positions = 0) {
    this.#archive = { revision, positions, revisions: [], starts: [], offsets: new Column() }
  }

  /** The revision of the last commit. */
  get revision(): number {
    return this.#archive.revision + this.#times.length - this.#archived
  }

  /** Up to this revision changes may have been forgotten; 0 where none were. */
  get archivedRevision(): number {
    return this.#archive.revision
  }

  /** How many changes there were up to it. */
  get archivedPositions(): number {
    return this.#archive.positions
  }

  /** How many rows there were at a revision. */
  rowsAt(revision: number): number {
    return this.#rowEnd(this.#commitsUpTo(revision))
  }

  /** How many removals there were at a revision. */
  removalsAt(revision: number): number {
    return this.#removalEnd(this.#commitsUpTo(revision))
  }

  /** How many changes there were at a revision. */
  positionAt(revision: number): number {
    return this.#start(this.#commitsUpTo(revision))
  }

  /** Notes a commit whose rows are those up to `rowEnd`. */
  push(removed: Iterable<number>, rowEnd: number, timestamp: number): void {
    for (const row of removed) this.#removed.push(row)
    this.#rowEnds.push(rowEnd)
    this.#removalEnds.push(this.#removed.length)
    this.#times.push(timestamp)
  }

  /** Notes a row of a commit that is archived: of the last one, or of the next. */
  archive({ revision, timestamp, position }: LoggedChange, start: number): void {
    const { revisions, starts, offsets } = this.#archive
    offsets.push(position - start)
    if (revisions.at(-1) === revision) {
      this.#rowEnds.set(revisions.length - 1, offsets.length)
      return
    }
    revisions.push(revision)
    starts.push(start)
    this.push([], offsets.length, timestamp)
  }

  /** When a row was added. */
  timeOf(row: number): number {
    return this.#times[this.#commitOf(row)] ?? 0
  }

  positionOf(row: number): number {
    const commit = this.#commitOf(row)
    return this.#start(commit) + this.#offset(commit, row)
  }

  /** The row at a position, or the first one after it. */
  rowAfter(position: number): number {
    const rows = this.#rowEnd(this.#times.length)
    return countWhile(rows, (row) => this.positionOf(row) <= position)
  }

  /** Changes after a position and a revision, and not before a time. Clocks step back: from the first commit of that time on. */
  *changes(
    after: number,
    afterRevision: number,
    startTime: number | undefined,
  ): Generator<LoggedChange, void, undefined> {
    const known = countWhile(this.#times.length, (commit) => this.#start(commit + 1) <= after)
    let commit = Math.max(known, this.#commitsUpTo(afterRevision))
    if (startTime !== undefined) {
      const first = this.#times.findIndex((time) => time >= startTime)
      commit = first === -1 ? this.#times.length : Math.max(commit, first)
    }
    for (; commit < this.#times.length; commit++) {
      const start = this.#start(commit)
      const moment = { revision: this.#revisionOf(commit), timestamp: this.#times[commit] ?? 0 }
      const removals = this.#removalEnd(commit)
      for (let removal = removals; removal < this.#removalEnd(commit + 1); removal++) {
        const position = start + 1 + removal - removals
        if (position > after)
          yield { operation: 'delete', row: this.#removed.get(removal), ...moment, position }
      }
      for (let row = this.#rowEnd(commit); row < this.#rowEnd(commit + 1); row++) {
        const position = start + this.#offset(commit, row)
        if (position > after) yield { operation: 'write', row, ...moment, position }
      }
    }
  }

  get #archived(): number {
    return this.#archive.revisions.length
  }

  /** How many commits there are up to a revision. */
  #commitsUpTo(revision: number): number {
    const { revisions, revision: last } = this.#archive
    if (revision < last) return countWhile(revisions.length, (commit) => (revisions[commit] ?? 0) <= revision)
    return Math.min(this.#times.length, revisions.length + revision - last)
  }

  #revisionOf(commit: number): number {
    const { revisions, revision } = this.#archive
    return revisions[commit] ?? revision + 1 + commit - revisions.length
  }

  #rowEnd(commits: number): number {
    return commits === 0 ? 0 : this.#rowEnds.get(commits - 1)
  }

  #removalEnd(commits: number): number {
    return commits === 0 ? 0 : this.#removalEnds.get(commits - 1)
  }

  /** How many changes there were before a commit. */
  #start(commit: number): number {
    const { starts, positions, offsets } = this.#archive
    return starts[commit] ?? positions + this.#rowEnd(commit) - offsets.length + this.#removalEnd(commit)
  }

  #offset(commit: number, row: number): number {
    if (commit < this.#archived) return this.#archive.offsets.get(row)
    const removals = this.#removalEnd(commit + 1) - this.#removalEnd(commit)
    return removals + row - this.#rowEnd(commit) + 1
  }

  #commitOf(row: number): number {
    return countWhile(this.#times.length, (commit) => this.#rowEnds.get(commit) <= row)
  }
}

/** How many of the first `count` numbers fulfil what only numbers at the beginning do. */
function countWhile(count: number, fulfils: (index: number) => boolean): number {
  let low = 0
  let high = count
  while (low < high) {
    const middle = (low + high) >>> 1
    if (fulfils(middle)) low = middle + 1
    else high = middle
  }
  return low
}
