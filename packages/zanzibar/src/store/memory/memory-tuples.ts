import { ZanzibarError } from '../../errors.ts'
import { type Clock, nextTurn } from '../../ports.ts'
import { typeOf } from '../../tuple/object.ts'
import type { Snapshot } from '../snapshot.ts'
import type {
  Change,
  ChangesRequest,
  Page,
  PageRequest,
  StoredTuple,
  TupleFilter,
  WriteAnswer,
  WriteRequest,
} from '../tuple-store.ts'
import { Waiters } from '../waiters.ts'
import { type FilterParts, filterParts, fits, planWrite, refusePrecondition } from '../write-plan.ts'
import { alarmAt } from './alarm.ts'
import { CommitLog } from './commit-log.ts'
import { Compaction } from './compaction.ts'
import { Feed } from './feed.ts'
import { MemorySnapshot } from './memory-snapshot.ts'
import { TupleTable, type View } from './tuple-table.ts'

/** The tuples of one store in memory, at every revision that is kept. */
export class MemoryTuples {
  #table: TupleTable
  #log = new CommitLog()
  readonly #seed: number
  readonly #clock: Clock
  readonly #history: number
  readonly #slack: number
  readonly #turn: number
  #isCompacting = false
  #compactions = 0
  /** How many tuples were written that expire, since expired ones were last looked for. */
  #expiring = 0
  /** How many snapshots there are of a revision before the last one. */
  readonly #pins = new Map<number, number>()
  #pinsOfLast = 0
  readonly #waiters = new Waiters()

  /**
   * @param history how many revisions before the last one can be asked for
   * @param slack how many rows that nobody sees are left where they are, however few others there are
   * @param turn how many changes are copied, when they are not left, before others have their turn
   */
  constructor(seed: number, clock: Clock, history: number, slack = 10_000, turn = 1000) {
    this.#turn = turn
    this.#seed = seed
    this.#slack = slack
    this.#table = new TupleTable(seed)
    this.#clock = clock
    this.#history = history
  }

  get revision(): number {
    return this.#log.revision
  }

  write(request: WriteRequest): WriteAnswer {
    this.#sweep()
    const view = this.#latest()
    for (const [index, { filter, exists }] of (request.preconditions ?? []).entries()) {
      const parts = filterParts(filter)
      if (this.#candidates(parts, view, 0).some((row) => fits(parts, this.#table.tuple(row))) !== exists)
        refusePrecondition(index, exists)
    }
    const filters = (request.removeWhere ?? []).map(filterParts)
    const { removed, written } = planWrite<number>(request, {
      find: (key) => found(this.#table.find(key, view)),
      conditionOf: (row) => this.#table.condition(row),
      filtered: filters.flatMap((parts) =>
        this.#candidates(parts, view, 0).filter((row) => fits(parts, this.#table.tuple(row))),
      ),
    })
    if (removed.length + written.length > 0) this.#commit(removed, written)
    return { revision: this.revision, written: written.length, deleted: removed.length }
  }

  read(filter: TupleFilter, { limit, after = '0' }: PageRequest): Page<StoredTuple> {
    const parts = filterParts(filter)
    const items: StoredTuple[] = []
    let last = 0
    const first = this.#log.rowAfter(Number(after))
    for (const row of this.#candidates(parts, this.#latest(), first)) {
      const tuple = this.#table.tuple(row)
      if (!fits(parts, tuple)) continue
      if (items.length === limit) return { items, next: String(this.#log.positionOf(last)) }
      items.push({ tuple, timestamp: this.#log.timeOf(row), expiresAt: this.#table.expiry(row) })
      last = row
    }
    return { items, next: undefined }
  }

  /** @throws ZanzibarError `token_expired` where changes after that moment were forgotten */
  changes({ after = 0, afterRevision = 0, startTime, type, limit }: ChangesRequest): readonly Change[] {
    const feed = new Feed(this.#log, this.#compactions)
    const changes: Change[] = []
    const logged = this.#log.changes(feed.after(after, afterRevision), afterRevision, startTime)
    for (const { operation, row, position, ...moment } of logged) {
      const place = { ...moment, position: feed.told(position) }
      const { condition, ...key } = this.#table.tuple(row)
      if (type !== undefined && typeOf(key.object) !== type) continue
      changes.push(
        operation === 'delete'
          ? { operation, tuple: key, ...place }
          : { operation, tuple: { ...key, condition }, expiresAt: this.#table.expiry(row), ...place },
      )
      if (changes.length === limit) break
    }
    return changes
  }

  snapshot(given?: number): Snapshot {
    const latest = this.revision
    const revision = given ?? latest
    if (revision > latest) {
      throw new ZanzibarError(
        'token_from_the_future',
        `revision ${revision} is not there yet: the store is at ${latest}`,
      )
    }
    if (revision < latest - this.#history && !this.#pins.has(revision)) {
      throw new ZanzibarError(
        'token_expired',
        `revision ${revision} is no longer kept: the oldest is ${latest - this.#history}`,
      )
    }
    if (revision === latest) this.#pinsOfLast++
    else this.#pins.set(revision, (this.#pins.get(revision) ?? 0) + 1)
    const limit = revision === latest ? this.#table.length : this.#log.rowsAt(revision)
    const now = this.#table.isExpiring ? this.#clock.now() : 0
    return new MemorySnapshot(this.#table, { revision, limit, now }, () => this.#unpin(revision))
  }

  /** Until there is a later revision, or a tuple expires. */
  async changed(revision: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.revision > revision) return
    const due = this.#table.nextExpiry(this.#clock.now())
    const putOff = due === undefined ? undefined : alarmAt(this.#clock, due, () => this.wake())
    try {
      await this.#waiters.wait(signal)
    } finally {
      putOff?.()
    }
  }

  /** Lets go all who wait for a change. */
  wake(): void {
    this.#waiters.wake()
  }

  #latest(): View {
    return { revision: this.revision, limit: this.#table.length, now: this.#clock.now() }
  }

  #commit(removed: readonly number[], written: WriteRequest['writes'] & {}): void {
    if (this.#pinsOfLast > 0) this.#pins.set(this.revision, this.#pinsOfLast)
    this.#pinsOfLast = 0
    const revision = this.revision + 1
    const removals = new Set(removed)
    for (const tuple of written) {
      // One that has expired still has its place.
      const standing = this.#table.standing(tuple)
      if (standing !== -1) removals.add(standing)
      if (tuple.expiresAt !== undefined) this.#expiring++
    }
    for (const row of removals) this.#table.remove(row, revision)
    for (const tuple of written) this.#table.add(tuple)
    this.#log.push(removals, this.#table.length, this.#clock.now())
    const horizon = this.#horizon()
    this.#table.forget(horizon)
    this.wake()
    if (!this.#isCompacting && this.#isMuch(this.#log.removalsAt(horizon))) void this.#compact(horizon)
  }

  /** Removes what has expired, where much may have: a commit of its own. */
  #sweep(): void {
    if (!this.#isMuch(this.#expiring)) return
    this.#expiring = 0
    const expired = this.#table.expired(this.#clock.now())
    if (expired.length > 0) this.#commit(expired, [])
  }

  #isMuch(rows: number): boolean {
    return rows > Math.max(this.#slack, this.#table.length / 2)
  }

  /** The first revision that can be asked for. */
  #horizon(): number {
    return Math.max(0, Math.min(this.revision - this.#history, ...this.#pins.keys()))
  }

  /** Snapshots that are held keep what they see of the old table. */
  async #compact(horizon: number): Promise<void> {
    this.#isCompacting = true
    const compaction = new Compaction({ table: this.#table, log: this.#log }, horizon, this.#seed)
    while (!compaction.advance(this.#turn)) await nextTurn()
    this.#table = compaction.table
    this.#log = compaction.log
    this.#compactions++
    this.#isCompacting = false
  }

  /** Rows from `first` on that a view sees and that may fit, in order. */
  #candidates(parts: FilterParts, view: View, first: number): readonly number[] {
    const { object, objectType, relation, user } = parts
    const relations = relation === undefined ? this.#table.relations() : [relation]
    const rows: number[] = []
    const add = (more: Iterable<number>): void => {
      for (const row of more) if (row >= first) rows.push(row)
    }
    if (object !== undefined && relation !== undefined && user !== undefined) {
      const row = this.#table.find({ object, relation, user }, view)
      return row >= first && row !== -1 ? [row] : []
    }
    if (object !== undefined) {
      for (const each of relations) {
        if (user === undefined || !user.includes('#')) add(this.#table.ofNode(object, each, false, view))
        if (user === undefined || user.includes('#')) add(this.#table.ofNode(object, each, true, view))
      }
    } else if (user !== undefined) {
      for (const each of relations) {
        const types = objectType === undefined ? this.#table.typesOf(each) : [objectType]
        for (const type of types) add(this.#table.ofUser(user, each, type, view))
      }
    } else {
      for (let row = first; row < view.limit; row++) if (this.#table.sees(view, row)) rows.push(row)
    }
    return rows.toSorted((a, b) => a - b)
  }

  #unpin(revision: number): void {
    if (revision === this.revision) {
      this.#pinsOfLast--
      return
    }
    const count = (this.#pins.get(revision) ?? 1) - 1
    if (count === 0) this.#pins.delete(revision)
    else this.#pins.set(revision, count)
  }
}

function found(row: number): number | undefined {
  return row === -1 ? undefined : row
}
