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
import type { TupleKey } from '../../tuple/tuple.ts'
import {
  afterType,
  changeOf,
  conditionColumns,
  conditionOf,
  numberOf,
  type Row,
  textOfKey,
  tupleOf,
  tuplePageOf,
  type WriteMoment,
} from '../rows.ts'
import { conditionFor, neverRemoved } from '../tuple-filter.ts'
import { type PostgresQuerier, rowsOf } from './client.ts'

const isThere = `removed = ${neverRemoved}`

/**
 * What is there under a key `k`, looked up key by key. That it is there is said as an inequality, of which no index of what is
 * there is taken: until there are statistics, PostgreSQL believes these to be next to empty, and goes through one of them from
 * end to end for each key.
 */
function thereOf(columns: 'ctid' | '*'): string {
  return `(SELECT ${columns} FROM zanzibar_tuple t WHERE t.store = $1 AND t.object = k.object AND t.relation = k.relation
    AND t.is_userset = (strpos(k."user", '#') > 0) AND t."user" = k."user" AND t.removed > ${neverRemoved - 1} OFFSET 0)`
}

/** A page of what counts, by the order of writing. */
export async function readTuples(
  querier: PostgresQuerier,
  { store, now }: { readonly store: number; readonly now: number },
  filter: TupleFilter,
  { limit, after = '0' }: PageRequest,
): Promise<Page<StoredTuple>> {
  const { sql, values } = conditionFor(filter, { store, now }, '$')
  const next = values.length + 1
  const rows = await rowsOf(querier, {
    text: `SELECT * FROM zanzibar_tuple WHERE ${sql} AND position > $${next} ORDER BY position LIMIT $${next + 1}`,
    values: [...values, Number(after), limit + 1],
  })
  return tuplePageOf(rows, limit)
}

export async function readChanges(
  querier: PostgresQuerier,
  store: number,
  { after = 0, afterRevision = 0, startTime, type, limit }: ChangesRequest,
): Promise<readonly Change[]> {
  const rows = await rowsOf(querier, {
    text: `SELECT * FROM zanzibar_change WHERE store = $1 AND position > $2 AND revision > $7
         AND ($3::bigint IS NULL OR revision >= coalesce((SELECT min(revision) FROM zanzibar_change
           WHERE store = $1 AND timestamp >= $3), ${neverRemoved}))
         AND ($4::text IS NULL OR object >= $4 AND object < $5)
       ORDER BY position LIMIT $6`,
    values: [
      store,
      after,
      startTime ?? null,
      type === undefined ? null : `${type}:`,
      type === undefined ? null : afterType(type),
      limit,
      afterRevision,
    ],
  })
  return rows.map(changeOf)
}

/** Writes within a transaction that holds the lock of the store; the numbers are noted by the caller. */
export async function writeTuples(
  querier: PostgresQuerier,
  moment: WriteMoment,
  request: WriteRequest,
): Promise<{ readonly written: number; readonly deleted: number; readonly position: number }> {
  const { store, now } = moment
  await checkPreconditions(querier, moment, request)
  const { present, expired } = await findPresent(querier, moment, request)
  const filtered: Row[] = []
  for (const filter of request.removeWhere ?? []) {
    const { sql, values } = conditionFor(filter, { store, now }, '$')
    const rows = await rowsOf(querier, {
      text: `SELECT * FROM zanzibar_tuple WHERE ${sql} ORDER BY position`,
      values,
    })
    for (const row of rows) {
      const key = textOfKey(tupleOf(row))
      const known = present.get(key)
      if (known === undefined) present.set(key, row)
      filtered.push(known ?? row)
    }
  }
  const { removed, written } = planWrite<Row>(request, {
    find: (key) => present.get(textOfKey(key)),
    conditionOf,
    filtered,
  })
  if (removed.length + written.length === 0) {
    return { written: 0, deleted: 0, position: moment.position }
  }
  const replaced = written.flatMap((tuple): readonly Row[] => {
    const row = expired.get(textOfKey(tuple))
    return row === undefined ? [] : [row]
  })
  const gone = [...removed, ...replaced]
  await apply(querier, moment, gone.map(tupleOf), written)
  return {
    written: written.length,
    deleted: removed.length,
    position: moment.position + gone.length + written.length,
  }
}

/** Removes some of what has expired, within a transaction that holds the lock of the store; undefined where nothing has. */
export async function removeExpired(
  querier: PostgresQuerier,
  moment: WriteMoment,
  limit: number,
): Promise<number | undefined> {
  const rows = await rowsOf(querier, {
    name: 'zanzibar_expired',
    text: `SELECT * FROM zanzibar_tuple WHERE store = $1 AND ${isThere} AND expires_at IS NOT NULL AND expires_at <= $2
      ORDER BY expires_at LIMIT $3`,
    values: [moment.store, moment.now, limit],
  })
  if (rows.length === 0) return undefined
  await apply(querier, moment, rows.map(tupleOf), [])
  return moment.position + rows.length
}

async function checkPreconditions(
  querier: PostgresQuerier,
  { store, now }: WriteMoment,
  { preconditions = [] }: WriteRequest,
): Promise<void> {
  for (const [index, { filter, exists }] of preconditions.entries()) {
    const { sql, values } = conditionFor(filter, { store, now }, '$')
    const rows = await rowsOf(querier, { text: `SELECT 1 FROM zanzibar_tuple WHERE ${sql} LIMIT 1`, values })
    if (rows.length > 0 !== exists) refusePrecondition(index, exists)
  }
}

/** What is there under the keys of a request, and what only has the place of a tuple that has expired. */
async function findPresent(
  querier: PostgresQuerier,
  { store, now }: WriteMoment,
  { deletes = [], writes = [] }: WriteRequest,
): Promise<{ readonly present: Map<string, Row>; readonly expired: ReadonlyMap<string, Row> }> {
  const present = new Map<string, Row>()
  const expired = new Map<string, Row>()
  const keys = [...deletes, ...writes]
  if (keys.length === 0) return { present, expired }
  const rows = await rowsOf(querier, {
    name: 'zanzibar_present',
    text: `SELECT t.* FROM unnest($2::text[], $3::text[], $4::text[]) AS k(object, relation, "user")
      CROSS JOIN LATERAL ${thereOf('*')} t`,
    values: [store, ...columnsOf(keys)],
  })
  for (const row of rows) {
    const isExpired = row['expires_at'] !== null && numberOf(row, 'expires_at') <= now
    ;(isExpired ? expired : present).set(textOfKey(tupleOf(row)), row)
  }
  return { present, expired }
}

/** One statement: what is removed, what is added, and the changes that it makes. */
async function apply(
  querier: PostgresQuerier,
  { store, now, revision, position }: WriteMoment,
  gone: readonly TupleKey[],
  written: readonly TupleToWrite[],
): Promise<void> {
  const conditions = written.map(({ condition }) => conditionColumns(condition))
  await rowsOf(querier, {
    name: 'zanzibar_apply',
    text: `
      WITH gone AS (
        SELECT * FROM unnest($5::text[], $6::text[], $7::text[]) WITH ORDINALITY AS g(object, relation, "user", n)
      ), added AS (
        SELECT * FROM unnest($8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::bigint[])
          WITH ORDINALITY AS a(object, relation, "user", condition, context, expires_at, n)
      ), removing AS (
        UPDATE zanzibar_tuple SET removed = $2 WHERE ctid = ANY (ARRAY(
          SELECT t.ctid FROM gone k CROSS JOIN LATERAL ${thereOf('ctid')} t))
      ), noting AS (
        INSERT INTO zanzibar_change
          SELECT $1::bigint, $3::bigint + n, $2::bigint, $4::bigint, 'delete', object, relation, "user",
            NULL::text, NULL::text, NULL::bigint FROM gone
          UNION ALL
          SELECT $1, $3 + (SELECT count(*) FROM gone) + n, $2, $4, 'write', object, relation, "user", condition, context,
            expires_at FROM added
      )
      SELECT 1`,
    values: [
      store,
      revision + 1,
      position,
      now,
      ...columnsOf(gone),
      ...columnsOf(written),
      conditions.map(([name]) => name),
      conditions.map(([, context]) => context),
      written.map(({ expiresAt }) => expiresAt ?? null),
    ],
  })
  // A statement of its own: the places of what is removed must be free.
  await rowsOf(querier, {
    name: 'zanzibar_add',
    text: `INSERT INTO zanzibar_tuple
      SELECT $1::bigint, object, relation, strpos("user", '#') > 0, "user", $2::bigint, ${neverRemoved}, $3::bigint + n,
        $4::bigint, condition, context, expires_at
      FROM unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::bigint[])
        WITH ORDINALITY AS a(object, relation, "user", condition, context, expires_at, n)`,
    values: [
      store,
      revision + 1,
      position + gone.length,
      now,
      ...columnsOf(written),
      conditions.map(([name]) => name),
      conditions.map(([, context]) => context),
      written.map(({ expiresAt }) => expiresAt ?? null),
    ],
  })
}

function columnsOf(keys: readonly TupleKey[]): readonly (readonly string[])[] {
  return [
    keys.map(({ object }) => object),
    keys.map(({ relation }) => relation),
    keys.map(({ user }) => user),
  ]
}
