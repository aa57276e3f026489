import {
  type Above,
  type Downward,
  type ListRead,
  maxNarrow,
  type Onward,
  type Read,
  type Upward,
  type Wanted,
} from '../../store/snapshot.ts'
import { typeOf } from '../../tuple/object.ts'
import { afterType, type Row, textOf } from '../rows.ts'
import { neverRemoved } from '../tuple-filter.ts'
import type { Statement } from './client.ts'

/** What is read at: a revision of a store at a time; where it is not given, what the server says that they are. */
export interface ReadingAt {
  readonly store: number
  readonly revision: number | undefined
  /** Milliseconds since 1970. */
  readonly now: number | undefined
}

/** How much is brought along with what is asked for. */
export interface Bounds {
  /** How many tuples a list of users has at most that is brought along. */
  readonly down: number
  /** The same of a list of objects, which answers are made of. */
  readonly up: number
  /** How many lists there are at most. */
  readonly nodes: number
  /** The same with what is asked for first: many a check is decided by what is near. */
  readonly nodesAtFirst: number
  /** How many lines a list has that is not a wide one. Below one that is, the way up is looked for as well, by none that are. */
  readonly narrow: number
  /** How many lists are looked at for that, below and above. */
  readonly above: number
  /** How many bytes of text one list is: a longer one is read with a row for each of its tuples. */
  readonly text: number
}

/** What is brought for nothing takes its time too. */
export const usualBounds: Bounds = {
  down: 100,
  up: 1000,
  nodes: 1000,
  nodesAtFirst: 200,
  narrow: maxNarrow,
  above: 48,
  text: 2 ** 27,
}

// Always true. PostgreSQL takes it for rare, and so an array of unknown length for one of few elements: else it would expect
// so many that it planned the statement anew each time, which takes longer than to run it.
const few = 'WHERE k.n = k.n + 0'

/** A user or an object and, after tabs, its condition and the context of that. None of them has tabs or ends of lines. */
const lineOf = (name: string): string =>
  `CASE WHEN t.condition IS NULL THEN t.${name} ELSE t.${name} || E'\\t' || t.condition || coalesce(E'\\t' || t.context, '') END`

/**
 * One statement for all that is asked for, and for some of what that leads to. Its rows have `n`, the place of the read; below
 * 0, that of a list that leads on, of the object or user in `of`, as many places further down where it was brought along, and
 * twice as many where it lies above the user; null for the moment. And `found`: of the moment its numbers, of a tuple its
 * condition, of others the lines.
 *
 * Each list is one index scan, and one row: nothing is joined the other way round, and rows have their price. What is not
 * asked for is no part of the statement.
 */
export function reading(at: ReadingAt, wanted: Wanted, bounds: Bounds, momentOf?: string): Statement {
  const statement = new Reading(at, bounds)
  if (momentOf !== undefined) statement.readMoment(momentOf)
  statement.read(wanted, momentOf === undefined ? bounds.nodes : bounds.nodesAtFirst)
  return statement.made()
}

/** The same for one list that is too long to be one row. */
export function readingRows(at: ReadingAt, read: ListRead, bounds: Bounds): Statement {
  const statement = new Reading(at, bounds)
  statement.readRows(read)
  return statement.made()
}

/** What is put together: each part adds its text and its parameters. */
class Reading {
  readonly #values: unknown[] = []
  readonly #tables: string[] = []
  readonly #selects: string[] = []
  readonly #parts: string[] = []
  readonly #bounds: Bounds
  /** Of a list, `found`: no longer than a text may be. */
  readonly #isShort: string
  readonly #store: string
  readonly #revision: string
  readonly #now: string
  /** The tuples that are seen, as `t`. */
  readonly #seen: string

  constructor({ store, revision, now }: ReadingAt, bounds: Bounds) {
    this.#bounds = bounds
    this.#isShort = `coalesce(octet_length(found), 0) <= ${bounds.text}`
    this.#store = `${this.#given(store)}::bigint`
    this.#revision = `${this.#given(revision ?? null)}::bigint`
    // That of the statement: one for all that it reads.
    this.#now = `coalesce(${this.#given(now ?? null)}::bigint, (extract(epoch FROM statement_timestamp()) * 1000)::bigint)`
    if (revision === undefined) this.#parts.push('latest')
    // What a statement sees of a store is of its latest revision. An inequality: no index of what is there is taken for it.
    const isThere =
      revision === undefined
        ? `t.removed > ${neverRemoved - 1}`
        : `t.created <= ${this.#revision} AND t.removed > ${this.#revision}`
    this.#seen = `FROM zanzibar_tuple t WHERE t.store = ${this.#store} AND ${isThere}
      AND (t.expires_at IS NULL OR t.expires_at > ${this.#now})`
  }

  /** The row of the store, its latest model, and when the revision that is asked for was replaced. */
  readMoment(storeId: string): void {
    this.#parts.push('moment')
    this.#selects.push(`SELECT NULL::int,
      (SELECT d.id FROM zanzibar_model d WHERE d.store = s.place ORDER BY d.place DESC LIMIT 1),
      concat_ws(' ', s.revision, s.oldest, ${this.#now}, (SELECT c.timestamp FROM zanzibar_commit c
        WHERE c.store = s.place AND c.revision = ${this.#revision} + 1))
      FROM zanzibar_store s WHERE s.place = ${this.#store} AND s.id = ${this.#given(storeId)}`)
  }

  read({ reads, onward }: Wanted, mostNodes: number): void {
    const { tuples, lists, objects, seeds } = sorted(reads, onward)
    if (tuples.length > 0) this.#tuples(tuples)
    if (lists.length > 0) this.#lists(lists)
    if (objects.length > 0) this.#objects(objects)
    if (onward === undefined || seeds.length === 0) return
    const lines = this.#given(mostNodes)
    if (onward.way === 'down') this.#down(onward, seeds, lines)
    else this.#up(onward, seeds, lines)
    let most = `${this.#given(seeds.length + mostNodes)}::int`
    const count = `${this.#given(onward.lists.length)}::int`
    if (onward.way === 'down' && onward.above !== undefined) {
      const asked = `${this.#given(seeds.length)}::int`
      this.#above(onward.above, lines, asked, count)
      // What was asked for is not left out.
      most = `(SELECT CASE WHEN met.are THEN ${asked} ELSE ${most} END FROM met)`
    }
    const place = `CASE WHEN asked THEN -n ELSE -n - ${count} END`
    this.#selects.push(
      `SELECT * FROM (SELECT ${place}, "of", found FROM walk LIMIT ${most}) w WHERE ${this.#isShort}`,
    )
  }

  readRows(read: ListRead): void {
    const { relation } = read
    const isOfUser = read.kind === 'objects'
    this.#parts.push(isOfUser ? 'object_rows' : 'user_rows')
    const asked = isOfUser
      ? `t."user" = ${this.#given(read.user)} AND t.object >= ${this.#given(`${read.type}:`)} AND t.object < ${this.#given(afterType(read.type))}`
      : `t.object = ${this.#given(read.object)} AND t.is_userset >= ${this.#given(read.kind === 'usersets')}`
    this.#selects.push(`(SELECT 0, NULL::text, ${lineOf(isOfUser ? 'object' : '"user"')} ${this.#seen}
      AND t.relation = ${this.#given(relation)} AND ${asked} LIMIT ${this.#given(limitOf(read.limit))}::int)`)
  }

  made(): Statement {
    const name = `zanzibar_read_${this.#parts.join('_')}`
    const tables = this.#tables.length === 0 ? '' : `WITH RECURSIVE ${this.#tables.join(',\n')}`
    const text = `${tables} SELECT * FROM (${this.#selects.join('\nUNION ALL\n')}) AS answer(n, "of", found)`
    return { name, text, values: this.#values }
  }

  #given(value: unknown): string {
    return `$${this.#values.push(value)}`
  }

  /** Rows as columns of those types, for `unnest`. */
  #rows(rows: Values, ...types: readonly string[]): string {
    return types.map((type, index) => `${this.#given(rows.map((row) => row[index]))}::${type}[]`).join(', ')
  }

  #tuples(tuples: Values): void {
    this.#parts.push('tuples')
    this.#selects.push(`SELECT k.n, NULL::text, coalesce(t.condition || coalesce(E'\\t' || t.context, ''), '')
      FROM unnest(${this.#rows(tuples, 'int', 'text', 'text', 'bool', 'text')})
        AS k(n, object, relation, is_userset, "user")
      CROSS JOIN LATERAL (SELECT t.condition, t.context ${this.#seen} AND t.object = k.object AND t.relation = k.relation
        AND t.is_userset = k.is_userset AND t."user" = k."user" OFFSET 0) t ${few}`)
  }

  #lists(lists: Values): void {
    this.#parts.push('lists')
    this.#selects.push(`SELECT k.n, NULL, l.found
      FROM unnest(${this.#rows(lists, 'int', 'text', 'text', 'bool', 'int')}) AS k(n, object, relation, usersets, rows)
      CROSS JOIN LATERAL (SELECT string_agg(t.line, E'\\n') AS found FROM (SELECT ${lineOf('"user"')} AS line ${this.#seen}
        AND t.object = k.object AND t.relation = k.relation AND t.is_userset >= k.usersets LIMIT k.rows) t) l ${few}
        AND ${this.#isShort}`)
  }

  #objects(objects: Values): void {
    this.#parts.push('objects')
    this.#selects.push(`SELECT k.n, NULL, l.found
      FROM unnest(${this.#rows(objects, 'int', 'text', 'text', 'text', 'text', 'int')})
        AS k(n, "user", relation, first, after, rows)
      CROSS JOIN LATERAL (SELECT string_agg(t.line, E'\\n') AS found FROM (SELECT ${lineOf('object')} AS line ${this.#seen}
        AND t."user" = k."user" AND t.relation = k.relation AND t.object >= k.first AND t.object < k.after
        LIMIT k.rows) t) l ${few} AND ${this.#isShort}`)
  }

  /** From the lists of objects to those of their users. */
  #down({ lists, steps }: Downward, seeds: Values, mostLines: string): void {
    this.#parts.push('down')
    const relation = `(${this.#given(lists.map((list) => list.relation))}::text[])`
    const usersets = `(${this.#given(lists.map(({ kind }) => kind === 'usersets'))}::bool[])`
    const list = (n: string, most: string): string => `CROSS JOIN LATERAL (
      SELECT string_agg(t.line, E'\\n') AS found, count(*) AS lines FROM (SELECT ${lineOf('"user"')} AS line ${this.#seen}
        AND t.object = k."of" AND t.relation = ${relation}[${n}] AND t.is_userset >= ${usersets}[${n}] ${most}) t) l`
    const step = this.#rows(
      steps.map(({ from, user, to }) => [from + 1, user, to + 1]),
      'int',
      'text',
      'int',
    )
    this.#walk('walk', seeds, {
      first: list('k.n', ''),
      // Its type, and the relation of a userset.
      step: `JOIN (SELECT * FROM unnest(${step}) AS k(n, "user", "to") ${few}) k ON k.n = w.n AND k."user" =
        split_part(o.other, ':', 1) || CASE WHEN strpos(o.other, '#') = 0 THEN '' ELSE '#' || split_part(o.other, '#', 2) END`,
      of: `split_part(o.other, '#', 1)`,
      next: list('k."to"', `LIMIT ${this.#bounds.down + 1}`),
      mostLines,
      where: '',
    })
  }

  /** From what users were assigned to what that is assigned as a user. */
  #up(upward: Upward, seeds: Values, mostLines: string): void {
    this.#parts.push('up')
    this.#walkUp('walk', upward, seeds, { most: this.#bounds.up, mostLines })
  }

  /**
   * From the user's side as well, where one of the first lists is a wide one that leads on: `met` says whether that comes to a
   * user of the lists that are asked for, which are the first.
   */
  #above({ first, last, lists, steps }: Above, mostLines: string, asked: string, down: string): void {
    this.#parts.push('above')
    const { narrow, above } = this.#bounds
    const lines = this.#given(narrow)
    const most = this.#given(above)
    const seeds = first.map(({ list, user }) => [list + 1, user])
    const isWide = `EXISTS (SELECT FROM (SELECT lines FROM walk LIMIT ${most}::int) w
      WHERE w.lines BETWEEN ${lines}::int + 1 AND ${mostLines}::int)`
    this.#walkUp('above', { lists, steps }, seeds, { most: narrow, mostLines: lines, where: `AND ${isWide}` })
    const ends = this.#rows(
      last.map(({ from, suffix }) => [from + 1, suffix]),
      'int',
      'text',
    )
    this.#tables.push(`met(are) AS (SELECT EXISTS (
      SELECT FROM (SELECT n, found FROM above LIMIT ${most}::int) a JOIN unnest(${ends}) AS k(n, suffix) ON k.n = a.n
        CROSS JOIN LATERAL unnest(string_to_array(a.found, E'\\n')) AS u(line)
      WHERE split_part(u.line, E'\\t', 1) || k.suffix IN (SELECT split_part(line, E'\\t', 1)
        FROM (SELECT found FROM walk LIMIT ${asked}) w CROSS JOIN LATERAL unnest(string_to_array(w.found, E'\\n')) AS u(line))))`)
    this.#selects.push(`SELECT -n - 2 * ${down}, "of", found FROM (SELECT * FROM above LIMIT ${most}::int) a
      WHERE (SELECT met.are FROM met)`)
  }

  #walkUp(
    name: string,
    { lists, steps }: Pick<Upward, 'lists' | 'steps'>,
    seeds: Values,
    { most, mostLines, where = '' }: { most: number; mostLines: string; where?: string },
  ): void {
    const relation = `(${this.#given(lists.map((list) => list.relation))}::text[])`
    const first = `(${this.#given(lists.map(({ type }) => `${type}:`))}::text[])`
    const after = `(${this.#given(lists.map(({ type }) => afterType(type)))}::text[])`
    const list = (n: string, limit: string): string => `CROSS JOIN LATERAL (
      SELECT string_agg(t.line, E'\\n') AS found, count(*) AS lines FROM (SELECT ${lineOf('object')} AS line ${this.#seen}
        AND t."user" = k."of" AND t.relation = ${relation}[${n}]
        AND t.object >= ${first}[${n}] AND t.object < ${after}[${n}] ${limit}) t) l`
    const step = this.#rows(
      steps.map(({ from, suffix, to }) => [from + 1, suffix, to + 1]),
      'int',
      'text',
      'int',
    )
    this.#walk(name, seeds, {
      first: list('k.n', where === '' ? 'OFFSET 0' : `LIMIT ${most + 1}`),
      step: `JOIN (SELECT * FROM unnest(${step}) AS k(n, suffix, "to") ${few}) k ON k.n = w.n`,
      of: `o.other || k.suffix`,
      next: list('k."to"', `LIMIT ${most + 1}`),
      mostLines,
      where,
    })
  }

  /**
   * List by list, each once: of the lines that are found in one, each may lead to others. Of a level each is looked up once.
   * What has more lines than there may be lists leads nowhere: some of what it leads to decides nothing.
   */
  #walk(
    name: string,
    seeds: Values,
    part: Readonly<Record<'first' | 'step' | 'of' | 'next' | 'mostLines' | 'where', string>>,
  ): void {
    this.#tables.push(`${name}(n, "of", found, lines, asked) AS (
      SELECT k.n, k."of" COLLATE "C", l.found, l.lines, true FROM unnest(${this.#rows(seeds, 'int', 'text')}) AS k(n, "of")
        ${part.first} ${few} ${part.where}
      UNION
      SELECT k."to", k."of", l.found, l.lines, false FROM (SELECT DISTINCT k."to", (${part.of}) COLLATE "C" AS "of"
        FROM ${name} w CROSS JOIN LATERAL (SELECT split_part(line, E'\\t', 1) AS other
          FROM unnest(CASE WHEN w.lines <= ${part.mostLines}::int THEN string_to_array(w.found, E'\\n') END) AS u(line)) o
          ${part.step}) k ${part.next})`)
  }
}

/** The numbers of a store when a statement was answered. */
export interface Moment {
  readonly latest: number
  readonly oldest: number
  /** Milliseconds since 1970. */
  readonly now: number
  /** When the revision that was asked for was followed by the next one. */
  readonly replacedAt: number | undefined
  readonly latestModel: string | undefined
}

/** The row of the moment; undefined where there is no such store. */
export function momentIn(rows: readonly Row[]): Moment | undefined {
  const row = rows.find(({ n }) => n === null)
  if (row === undefined) return undefined
  const [latest = 0, oldest = 0, now = 0, replacedAt] = textOf(row, 'found').split(' ').map(Number)
  const latestModel = row['of'] === null ? undefined : textOf(row, 'of')
  return { latest, oldest, now, replacedAt, latestModel }
}

type Values = (readonly unknown[])[]

/** The reads by how they are read; lists that lead on are where a walk begins. */
function sorted(
  reads: readonly Read[],
  onward: Onward | undefined,
): { readonly tuples: Values; readonly lists: Values; readonly objects: Values; readonly seeds: Values } {
  const [tuples, lists, objects, seeds]: [Values, Values, Values, Values] = [[], [], [], []]
  for (const [n, read] of reads.entries()) {
    const place = onward === undefined ? -1 : placeOf(read, onward)
    if (place !== -1) seeds.push([place + 1, read.kind === 'objects' ? read.user : read.object])
    else if (read.kind === 'tuple')
      tuples.push([n, read.object, read.relation, read.user.includes('#'), read.user])
    else if (read.kind === 'objects') objects.push(objectsOf(n, read))
    else lists.push([n, read.object, read.relation, read.kind === 'usersets', limitOf(read.limit)])
  }
  if (onward?.way === 'down' && seeds.length > 0)
    for (const [n, end] of onward.ends.entries()) objects.push(objectsOf(reads.length + n, end))
  return { tuples, lists, objects, seeds }
}

/** Which of the lists that lead on a read is; -1 for none. What is cut leads nowhere. */
function placeOf(read: Read, onward: Onward): number {
  if (read.kind === 'tuple' || read.limit !== undefined) return -1
  const { relation } = read
  const type = read.kind === 'objects' ? read.type : typeOf(read.object)
  const place =
    onward.way === 'up'
      ? onward.lists.findIndex(
          (each) => read.kind === 'objects' && each.relation === relation && each.type === type,
        )
      : onward.lists.findIndex(
          (each) => each.kind === read.kind && each.relation === relation && each.type === type,
        )
  return place !== -1 && onward.steps.some(({ from }) => from === place) ? place : -1
}

function objectsOf(
  n: number,
  { type, relation, user, limit }: Extract<Read, { readonly kind: 'objects' }>,
): readonly unknown[] {
  return [n, user, relation, `${type}:`, afterType(type), limitOf(limit)]
}

function limitOf(limit: number | undefined): number | null {
  return limit === undefined ? null : limit + 1
}
