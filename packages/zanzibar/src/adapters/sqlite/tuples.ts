import type {
  Change,
  ChangesRequest,
  Page,
  PageRequest,
  StoredTuple,
  TupleFilter,
  TupleToWrite,
  WriteRequest,
} from '../../store/tuple-store.ts'
import { planWrite, refusePrecondition } from '../../store/write-plan.ts'
import type { Tuple, TupleKey } from '../../tuple/tuple.ts'
import {
  afterType,
  changeOf,
  conditionColumns,
  conditionOf,
  type Row,
  textOfKey,
  tupleOf,
  tuplePageOf,
  type WriteMoment,
} from '../rows.ts'
import { conditionFor, neverRemoved } from '../tuple-filter.ts'
import type { Statements } from './statements.ts'

const isThere = `removed = ${neverRemoved}`
const counts = `${isThere} AND (expires_at IS NULL OR expires_at > ?2)`

/** A page of what counts, by the order of writing. */
export function readTuples(
  statements: Statements,
  { store, now }: { readonly store: number; readonly now: number },
  filter: TupleFilter,
  { limit, after = '0' }: PageRequest,
): Page<StoredTuple> {
  const { sql, values } = conditionFor(filter, { store, now }, '?')
  const next = values.length + 1
  const rows = statements.all(
    `SELECT * FROM zanzibar_tuple WHERE ${sql} AND position > ?${next} ORDER BY position LIMIT ?${next + 1}`,
    ...values,
    Number(after),
    limit + 1,
  )
  return tuplePageOf(rows, limit)
}

export function readChanges(
  statements: Statements,
  store: number,
  { after = 0, afterRevision = 0, startTime, type, limit }: ChangesRequest,
): readonly Change[] {
  return statements
    .all(
      `SELECT * FROM zanzibar_change WHERE store = ?1 AND position > ?2 AND revision > ?7
         AND (?3 IS NULL OR revision >= coalesce((SELECT min(revision) FROM zanzibar_change
           WHERE store = ?1 AND timestamp >= ?3), ${neverRemoved}))
         AND (?4 IS NULL OR object >= ?4 AND object < ?5)
       ORDER BY position LIMIT ?6`,
      store,
      after,
      startTime ?? null,
      type === undefined ? null : `${type}:`,
      type === undefined ? null : afterType(type),
      limit,
      afterRevision,
    )
    .map(changeOf)
}

/** Writes within a transaction; the numbers are to be noted by the caller. */
export function writeTuples(
  statements: Statements,
  { store, now, revision, position }: WriteMoment,
  request: WriteRequest,
): { readonly written: number; readonly deleted: number; readonly position: number } {
  for (const [index, { filter, exists }] of (request.preconditions ?? []).entries()) {
    const { sql, values } = conditionFor(filter, { store, now }, '?')
    const found = statements.get(`SELECT 1 FROM zanzibar_tuple WHERE ${sql} LIMIT 1`, ...values)
    if ((found !== undefined) !== exists) refusePrecondition(index, exists)
  }
  // One object a tuple, by whichever way it is found.
  const known = new Map<string, Row>()
  const once = (row: Row): Row => {
    const key = textOfKey(tupleOf(row))
    const before = known.get(key)
    if (before === undefined) known.set(key, row)
    return before ?? row
  }
  const { removed, written } = planWrite<Row>(request, {
    find: (key) => {
      const row = find(statements, key, counts, store, now)
      return row === undefined ? undefined : once(row)
    },
    conditionOf,
    filtered: (request.removeWhere ?? []).flatMap((filter) => {
      const { sql, values } = conditionFor(filter, { store, now }, '?')
      return statements
        .all(`SELECT * FROM zanzibar_tuple WHERE ${sql} ORDER BY position`, ...values)
        .map(once)
    }),
  })
  const expired = written.flatMap((tuple) => {
    const row = find(statements, tuple, `${isThere} AND expires_at <= ?2`, store, now)
    return row === undefined ? [] : [row]
  })
  const draft = new Draft(statements, { store, now, revision: revision + 1, position })
  for (const row of [...removed, ...expired]) draft.remove(tupleOf(row))
  for (const tuple of written) draft.add(tuple)
  return { written: written.length, deleted: removed.length, position: draft.position }
}

/** Removes some of what has expired, within a transaction; undefined where nothing has. */
export function removeExpired(
  statements: Statements,
  { store, now, revision, position }: WriteMoment,
  limit: number,
): number | undefined {
  const expired = statements.all(
    `SELECT * FROM zanzibar_tuple WHERE store = ?1 AND ${isThere} AND expires_at IS NOT NULL AND expires_at <= ?2
       ORDER BY expires_at LIMIT ?3`,
    store,
    now,
    limit,
  )
  if (expired.length === 0) return undefined
  const draft = new Draft(statements, { store, now, revision: revision + 1, position })
  for (const row of expired) draft.remove(tupleOf(row))
  return draft.position
}

function find(
  statements: Statements,
  { object, relation, user }: TupleKey,
  state: string,
  store: number,
  now: number,
): Row | undefined {
  return statements.get(
    `SELECT * FROM zanzibar_tuple
       WHERE store = ?1 AND object = ?3 AND relation = ?4 AND is_userset = ?5 AND user = ?6 AND ${state}`,
    store,
    now,
    object,
    relation,
    Number(user.includes('#')),
    user,
  )
}

/** A commit as it is written down: tuples, and what they change. */
class Draft {
  readonly #statements: Statements
  readonly #moment: WriteMoment
  position: number

  constructor(statements: Statements, moment: WriteMoment) {
    this.#statements = statements
    this.#moment = moment
    this.position = moment.position
  }

  remove({ user, relation, object }: Tuple): void {
    const { store, revision } = this.#moment
    this.#statements.run(
      `UPDATE zanzibar_tuple SET removed = ?1
         WHERE store = ?2 AND object = ?3 AND relation = ?4 AND is_userset = ?5 AND user = ?6 AND ${isThere}`,
      revision,
      store,
      object,
      relation,
      Number(user.includes('#')),
      user,
    )
    this.#note('delete', { user, relation, object })
  }

  add(tuple: TupleToWrite): void {
    const { store, now, revision } = this.#moment
    this.#note('write', tuple)
    this.#statements.run(
      `INSERT INTO zanzibar_tuple VALUES (?, ?, ?, ?, ?, ?, ${neverRemoved}, ?, ?, ?, ?, ?)`,
      store,
      tuple.object,
      tuple.relation,
      Number(tuple.user.includes('#')),
      tuple.user,
      revision,
      this.position,
      now,
      ...conditionColumns(tuple.condition),
      tuple.expiresAt ?? null,
    )
  }

  #note(operation: Change['operation'], tuple: TupleToWrite): void {
    const { store, now, revision } = this.#moment
    this.position++
    this.#statements.run(
      'INSERT INTO zanzibar_change VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      store,
      this.position,
      revision,
      now,
      operation,
      tuple.object,
      tuple.relation,
      tuple.user,
      ...conditionColumns(tuple.condition),
      tuple.expiresAt ?? null,
    )
  }
}
