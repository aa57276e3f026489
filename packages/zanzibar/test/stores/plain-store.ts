import type { Read } from '../../src/store/snapshot.ts'
import type {
  Change,
  Precondition,
  TupleFilter,
  TupleToWrite,
  WriteRequest,
} from '../../src/store/tuple-store.ts'
import type { Tuple, TupleCondition, TupleKey } from '../../src/tuple/tuple.ts'

type Outcome = { readonly revision: number } | { readonly code: string }

interface Stored {
  readonly tuple: TupleToWrite
  readonly timestamp: number
}

/** What a store of tuples is to do, told with an array that is searched from its beginning: what every store is compared with. */
export class PlainStore {
  now = 0
  tuples: readonly Stored[] = []
  readonly changes: Omit<Change, 'position'>[] = []
  readonly #versions: (readonly Stored[])[] = [[]]

  get revision(): number {
    return this.#versions.length - 1
  }

  write({
    deletes = [],
    writes = [],
    removeWhere = [],
    preconditions = [],
    onDuplicate,
    onMissing,
  }: WriteRequest): Outcome {
    const counting = this.tuples.filter((stored) => this.#counts(stored))
    if (preconditions.some((condition) => !holds(condition, counting))) return { code: 'Aborted' }
    const removed = new Set<Stored>()
    for (const key of deletes) {
      const stored = counting.find(({ tuple }) => same(tuple, key))
      if (stored !== undefined) removed.add(stored)
      else if (onMissing !== 'ignore') return { code: 'write_failed_due_to_invalid_input' }
    }
    for (const filter of removeWhere) {
      for (const stored of counting) if (like(filter, stored.tuple)) removed.add(stored)
    }
    const added: TupleToWrite[] = []
    for (const tuple of writes) {
      const stored = counting.find((each) => same(each.tuple, tuple) && !removed.has(each))
      if (stored === undefined) added.push(tuple)
      else if (onDuplicate !== 'ignore') return { code: 'write_failed_due_to_invalid_input' }
      else if (!sameCondition(stored.tuple.condition, tuple.condition)) return { code: 'Aborted' }
    }
    if (removed.size + added.length === 0) return { revision: this.revision }
    const timestamp = this.now
    // What has expired and is written anew was there until now.
    for (const stored of this.tuples) {
      if (!this.#counts(stored) && added.some((tuple) => same(tuple, stored.tuple))) removed.add(stored)
    }
    const revision = this.revision + 1
    this.tuples = [
      ...this.tuples.filter((stored) => !removed.has(stored)),
      ...added.map((tuple) => ({ tuple, timestamp })),
    ]
    this.#versions.push(this.tuples)
    for (const { tuple } of removed) {
      const { user, relation, object } = tuple
      this.changes.push({ operation: 'delete', tuple: { user, relation, object }, revision, timestamp })
    }
    for (const { expiresAt, ...tuple } of added) {
      this.changes.push({ operation: 'write', tuple, expiresAt, revision, timestamp })
    }
    return { revision }
  }

  /** What counts now of what was there at a revision. */
  at(revision: number): readonly TupleToWrite[] {
    return (this.#versions[revision] ?? []).filter((stored) => this.#counts(stored)).map(({ tuple }) => tuple)
  }

  matching(filter: TupleFilter): readonly TupleToWrite[] {
    return this.at(this.revision).filter((tuple) => like(filter, tuple))
  }

  #counts({ tuple }: Stored): boolean {
    return tuple.expiresAt === undefined || tuple.expiresAt > this.now
  }
}

/** Whether a read asks for a tuple. */
export function asksFor(read: Read, { user, relation, object }: Tuple): boolean {
  if (read.relation !== relation) return false
  if (read.kind === 'objects') return read.user === user && object.split(':')[0] === read.type
  if (read.object !== object) return false
  if (read.kind === 'tuple') return read.user === user
  return read.kind === 'users' || user.includes('#')
}

function holds({ filter, exists }: Precondition, tuples: readonly Stored[]): boolean {
  return tuples.some(({ tuple }) => like(filter, tuple)) === exists
}

function like({ object = '', relation = '', user = '' }: TupleFilter, tuple: Tuple): boolean {
  const part = (wanted: string, given: string): boolean =>
    wanted === '' || (wanted.endsWith(':') ? given.startsWith(wanted) : given === wanted)
  return (
    part(object, tuple.object) && (relation === '' || relation === tuple.relation) && part(user, tuple.user)
  )
}

function same(a: TupleKey, b: TupleKey): boolean {
  return a.user === b.user && a.relation === b.relation && a.object === b.object
}

function sameCondition(a: TupleCondition | undefined, b: TupleCondition | undefined): boolean {
  return a?.name === b?.name && JSON.stringify(a?.context ?? {}) === JSON.stringify(b?.context ?? {})
}
