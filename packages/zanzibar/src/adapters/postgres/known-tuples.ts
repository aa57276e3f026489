import type { Above, ListRead, Onward, Read, Wanted } from '../../store/snapshot.ts'
import { typeOf } from '../../tuple/object.ts'
import type { Context, Tuple, TupleCondition } from '../../tuple/tuple.ts'
import { numberOf, type Row, textOf } from '../rows.ts'
import type { Bounds } from './reading.ts'

const none: readonly Tuple[] = []

/** The tuples that one snapshot has fetched. What a client names is a key of its own, never a part of one. */
export class KnownTuples {
  readonly #bounds: Pick<Bounds, 'down' | 'up' | 'narrow'>
  /** By relation, object and user. */
  readonly #tuples = new Map<string, Map<string, Map<string, readonly Tuple[]>>>()
  readonly #whole = new Lists()
  /** Those that are cut, by their limits. */
  readonly #cut = new Map<number, Lists>()

  constructor(bounds: Pick<Bounds, 'down' | 'up' | 'narrow'>) {
    this.#bounds = bounds
  }

  at(read: Read): readonly Tuple[] | undefined {
    if (read.kind !== 'tuple') {
      const { limit } = read
      const whole = this.#whole.of(read)
      if (limit === undefined) return whole?.tuples
      if (whole === undefined) return this.#cut.get(limit)?.of(read)?.tuples
      return whole.length <= limit ? whole.tuples : whole.tuples.slice(0, limit + 1)
    }
    const { object, relation, user } = read
    const known = this.#tuples.get(relation)?.get(object)?.get(user)
    if (known !== undefined) return known
    // Where all that the user was assigned is known, so is what it was not.
    const all = this.#whole.of({ kind: 'objects', type: typeOf(object), relation, user })
    return all?.of(object)
  }

  /** Takes what a statement for all of this has found. */
  take({ reads, onward }: Wanted, rows: readonly Row[]): void {
    const found = new Map<number, string>()
    for (const row of rows) {
      if (row['n'] === null) continue
      const n = numberOf(row, 'n')
      const text = row['found'] === null ? '' : textOf(row, 'found')
      if (n >= 0) found.set(n, text)
      else if (onward !== undefined) this.#takeOnward(onward, -n - 1, textOf(row, 'of'), text)
    }
    const ends = onward?.way === 'down' ? onward.ends : []
    for (const [n, read] of [...reads, ...ends].entries()) {
      const text = found.get(n)
      if (read.kind === 'tuple') this.#putTuple(read, text)
      else if (text !== undefined) this.#putList(read, new List(read, text))
    }
  }

  /** Takes a list of which each row is a tuple. */
  takeRows(read: ListRead, rows: readonly Row[]): void {
    this.#putList(
      read,
      new List(
        read,
        rows.map((row) => textOf(row, 'found')),
      ),
    )
  }

  clear(): void {
    this.#tuples.clear()
    this.#whole.clear()
    this.#cut.clear()
  }

  /** @param at the place among the lists, as {@link reading} counts them: what was asked for, what was brought along, what lies above the user */
  #takeOnward(onward: Onward, at: number, of: string, text: string): void {
    const count = onward.lists.length
    if (onward.way === 'down' && at >= 2 * count) {
      this.#takeAbove(onward.above?.lists[at - 2 * count], of, text)
      return
    }
    const read = listOf(onward, at % count, of)
    if (read === undefined) return
    const list = new List(read, text)
    // What was asked for is whole, however long it is; where a circle leads back to it, it comes once more, cut.
    const isWhole = at < count || list.length <= this.#bounds[read.kind === 'objects' ? 'up' : 'down']
    if (isWhole) this.#putList(read, list)
  }

  #takeAbove(list: Above['lists'][number] | undefined, user: string, text: string): void {
    if (list === undefined) return
    const read = { kind: 'objects', type: list.type, relation: list.relation, user } as const
    const all = new List(read, text)
    if (all.length <= this.#bounds.narrow) this.#putList(read, all)
  }

  #putTuple({ object, relation, user }: Extract<Read, { readonly kind: 'tuple' }>, text: string | undefined) {
    const ofRelation = getOrMake(
      this.#tuples,
      relation,
      () => new Map<string, Map<string, readonly Tuple[]>>(),
    )
    const ofObject = getOrMake(ofRelation, object, () => new Map<string, readonly Tuple[]>())
    ofObject.set(user, text === undefined ? none : [{ user, relation, object, condition: conditionIn(text) }])
  }

  #putList(read: ListRead, list: List): void {
    const { limit } = read
    const isCut = limit !== undefined && list.length > limit
    const lists = isCut ? getOrMake(this.#cut, limit, () => new Lists()) : this.#whole
    lists.put(read, list)
  }
}

/** Lists by their relation, then by the object or user that they are of; what a user was assigned by its type as well. */
class Lists {
  readonly #users = new Map<string, Map<string, List>>()
  readonly #usersets = new Map<string, Map<string, List>>()
  readonly #objects = new Map<string, Map<string, Map<string, List>>>()

  of(read: ListRead): List | undefined {
    if (read.kind === 'objects') return this.#objects.get(read.type)?.get(read.relation)?.get(read.user)
    const lists = read.kind === 'users' ? this.#users : this.#usersets
    return lists.get(read.relation)?.get(read.object)
  }

  put(read: ListRead, list: List): void {
    if (read.kind === 'objects') {
      const ofType = getOrMake(this.#objects, read.type, () => new Map<string, Map<string, List>>())
      getOrMake(ofType, read.relation, () => new Map<string, List>()).set(read.user, list)
      return
    }
    const lists = read.kind === 'users' ? this.#users : this.#usersets
    getOrMake(lists, read.relation, () => new Map<string, List>()).set(read.object, list)
  }

  clear(): void {
    this.#users.clear()
    this.#usersets.clear()
    this.#objects.clear()
  }
}

/** The lines of a list, read when they are needed. */
class List {
  readonly length: number
  readonly #read: ListRead
  readonly #lines: string | readonly string[]
  #tuples: readonly Tuple[] | undefined
  #byObject: ReadonlyMap<string, readonly Tuple[]> | undefined

  /** @param lines with their ends between them, or apart */
  constructor(read: ListRead, lines: string | readonly string[]) {
    this.#read = read
    this.#lines = lines
    if (typeof lines === 'string') this.length = lines === '' ? 0 : countOf(lines, '\n') + 1
    else this.length = lines.length
  }

  get tuples(): readonly Tuple[] {
    if (this.length === 0) return none
    return (this.#tuples ??= this.#split().map((line) => tupleIn(this.#read, line)))
  }

  #split(): readonly string[] {
    return typeof this.#lines === 'string' ? this.#lines.split('\n') : this.#lines
  }

  /** Of a list of what a user was assigned: one object's. */
  of(object: string): readonly Tuple[] {
    this.#byObject ??= new Map(this.tuples.map((tuple) => [tuple.object, [tuple]]))
    return this.#byObject.get(object) ?? none
  }
}

function tupleIn(read: ListRead, line: string): Tuple {
  const { relation } = read
  const tab = line.indexOf('\t')
  const name = tab === -1 ? line : line.slice(0, tab)
  const condition = tab === -1 ? undefined : conditionIn(line.slice(tab + 1))
  return read.kind === 'objects'
    ? { user: read.user, relation, object: name, condition }
    : { user: name, relation, object: read.object, condition }
}

/** A condition's name and, after a tab, its context. */
function conditionIn(text: string): TupleCondition | undefined {
  if (text === '') return undefined
  const tab = text.indexOf('\t')
  if (tab === -1) return { name: text }
  // Written by this package, as JSON of an object.
  return { name: text.slice(0, tab), context: JSON.parse(text.slice(tab + 1)) as Context }
}

/** The list that was brought along of that object or user. */
function listOf(onward: Onward, place: number, of: string): ListRead | undefined {
  if (onward.way === 'down') {
    const list = onward.lists[place]
    return list && { kind: list.kind, object: of, relation: list.relation }
  }
  const list = onward.lists[place]
  return list && { kind: 'objects', type: list.type, relation: list.relation, user: of }
}

function getOrMake<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}

function countOf(text: string, part: string): number {
  let count = 0
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) count++
  return count
}
