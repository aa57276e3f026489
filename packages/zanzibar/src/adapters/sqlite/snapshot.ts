import { ZanzibarError } from '../../errors.ts'
import type { Read, Snapshot } from '../../store/snapshot.ts'
import type { Tuple, TupleCondition } from '../../tuple/tuple.ts'
import { afterType, conditionOf, numberOf, type Row, textOf } from '../rows.ts'
import type { Statements } from './statements.ts'

/** Which tuples of which store are seen. Milliseconds since 1970. */
export interface SqliteView {
  readonly store: number
  readonly revision: number
  readonly now: number
  /** From when on what is seen may have been collected. */
  readonly until: number
}

const isSeen = 'created <= ?4 AND removed > ?4 AND (expires_at IS NULL OR expires_at > ?5)'
const columns = 'condition, context'

const ofTuple = `SELECT ${columns} FROM zanzibar_tuple
  WHERE store = ?1 AND object = ?2 AND relation = ?3 AND is_userset = ?6 AND user = ?7 AND ${isSeen}`
// The planner would look at a limit that is a parameter alone, and make its plan anew for each: ten times as slow. It knows
// nothing of how many tuples there are, and would read all objects of a type for those of a user.
const limited = 'LIMIT (?6 + 0)'
const ofUsersets = listing(
  'user',
  `zanzibar_tuple WHERE store = ?1 AND object = ?2 AND relation = ?3 AND is_userset = 1 AND ${isSeen} ${limited}`,
)
const ofUsers = listing(
  'user',
  `zanzibar_tuple WHERE store = ?1 AND object = ?2 AND relation = ?3 AND ${isSeen} ${limited}`,
)
const ofObjects = listing(
  'object',
  `zanzibar_tuple INDEXED BY zanzibar_tuple_of_user
     WHERE store = ?1 AND user = ?2 AND relation = ?3 AND object >= ?7 AND object < ?8 AND ${isSeen} ${limited}`,
)

const ofLatestModel = 'SELECT id FROM zanzibar_model WHERE store = ? ORDER BY place DESC LIMIT 1'

/** How many rows are read as they are. */
const fewRows = 16
const unlimited = -1

/** Statements that list one column of the tuples that are seen. */
interface Listing {
  /** With their conditions. */
  readonly rows: string
  /** As one text of JSON, which is read in half the time, and how many of them have a condition. */
  readonly names: string
}

function listing(column: string, from: string): Listing {
  return {
    rows: `SELECT ${column} AS name, ${columns} FROM ${from}`,
    names: `SELECT json_group_array(name) AS names, count(condition) AS conditions
      FROM (SELECT ${column} AS name, condition FROM ${from})`,
  }
}

/** Reads at once, each with one prepared statement. */
export class SqliteSnapshot implements Snapshot {
  readonly #statements: Statements
  readonly #view: SqliteView
  readonly #now: () => number

  constructor(statements: Statements, view: SqliteView, now: () => number) {
    this.#statements = statements
    this.#view = view
    this.#now = now
  }

  get revision(): number {
    return this.#view.revision
  }

  /** Of this moment or a later one. */
  get latestModel(): string | undefined {
    const row = this.#statements.readOne(ofLatestModel, this.#view.store)
    return row === undefined ? undefined : textOf(row, 'id')
  }

  at(read: Read): readonly Tuple[] {
    const { store, revision, now, until } = this.#view
    if (this.#now() > until) {
      throw new ZanzibarError(
        'token_expired',
        `revision ${revision} is no longer kept: it was read for longer than the history is`,
      )
    }
    const { relation } = read
    if (read.kind === 'tuple') {
      const { object, user } = read
      const isUserset = Number(user.includes('#'))
      const row = this.#statements.readOne(ofTuple, store, object, relation, revision, now, isUserset, user)
      return row === undefined ? [] : [{ user, relation, object, condition: conditionOf(row) }]
    }
    const rows = read.limit === undefined ? unlimited : read.limit + 1
    if (read.kind === 'objects') {
      const { user, type } = read
      return this.#list(ofObjects, rows, [user, relation], [`${type}:`, afterType(type)]).map(
        ({ name, condition }) => ({ user, relation, object: name, condition }),
      )
    }
    const { object } = read
    return this.#list(read.kind === 'users' ? ofUsers : ofUsersets, rows, [object, relation], []).map(
      ({ name, condition }) => ({ user: name, relation, object, condition }),
    )
  }

  #list(
    { rows, names }: Listing,
    limit: number,
    keys: readonly string[],
    range: readonly string[],
  ): readonly { readonly name: string; readonly condition: TupleCondition | undefined }[] {
    const { store, revision, now } = this.#view
    const [key = '', relation = ''] = keys
    const read = (most: number): readonly Row[] =>
      this.#statements.readAll(rows, store, key, relation, revision, now, most, ...range)
    const first = read(limit === unlimited ? fewRows + 1 : Math.min(limit, fewRows + 1))
    if (first.length <= fewRows || first.length === limit) return first.map(namedOf)
    const all = this.#statements.readOne(names, store, key, relation, revision, now, limit, ...range)
    if (all === undefined || numberOf(all, 'conditions') > 0) return read(limit).map(namedOf)
    // An array of texts: the column is one.
    const listed = JSON.parse(textOf(all, 'names')) as readonly string[]
    return listed.map((name) => ({ name, condition: undefined }))
  }

  fetch(): Promise<void> {
    return Promise.resolve()
  }

  /** Nothing is held. */
  release(): void {}
}

function namedOf(row: Row): { readonly name: string; readonly condition: TupleCondition | undefined } {
  return { name: textOf(row, 'name'), condition: conditionOf(row) }
}
