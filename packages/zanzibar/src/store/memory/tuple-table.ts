import { splitUser } from '../../tuple/object.ts'
import type { Tuple, TupleCondition, TupleKey } from '../../tuple/tuple.ts'
import type { TupleToWrite } from '../tuple-store.ts'
import { Column } from './column.ts'
import { DueTimes } from './due-times.ts'
import { Names } from './names.ts'
import { PairTable } from './pair-table.ts'

/** What a reader sees: rows up to one, less those removed by its revision or expired at its time. */
export interface View {
  readonly revision: number
  /** The first row that is not seen. */
  readonly limit: number
  readonly now: number
}

// What else is to be known of a row; most rows have none of it.
const isRemoved = 1
const isConditioned = 2
const isExpiring = 4
const isLater = 8

const usersetBit = 0x8000_0000

/**
 * All versions of the tuples of one store, and where to find them. A row is a tuple as it was once written; rows are in the
 * order of the commits and never change, but for being removed at a revision. So a revision is a number of rows, and readers
 * of it are not disturbed by writers.
 *
 * A row is four u32 (what it is of, its user, and the next row in two chains), a byte and a slot in a hash table; about 23
 * bytes. The rows of `object#relation` are chained, those with usersets for users apart from the others; so are the rows of
 * a user, by relation and type of object.
 */
export class TupleTable {
  readonly #names: Names
  readonly #relations: string[] = []
  readonly #relationIds = new Map<string, number>()
  /** Objects with a relation, as users. */
  readonly #usersets: PairTable
  /** An object, and twice its relation and one more where the users are usersets; each has a chain of rows. */
  readonly #nodes: PairTable
  readonly #nodeHeads = new Column()
  /** A relation and a type of objects. */
  readonly #kinds: PairTable
  /** A user and a kind; each has a chain of rows. */
  readonly #inverse: PairTable
  readonly #inverseHeads = new Column()
  /** A node and a user: the rows. */
  readonly #rows: PairTable
  /** The row before, in the chain of the node, and one more; 0 at the end. */
  readonly #nextOfNode = new Column()
  readonly #nextOfUser = new Column()
  readonly #flags: Flags = new Flags()
  readonly #removedAt = new Map<number, number>()
  readonly #conditions = new Map<number, TupleCondition>()
  readonly #expiries = new Map<number, number>()
  readonly #due = new DueTimes()
  /** The row of the same tuple before it, where that is still to be seen by somebody. */
  readonly #earlier = new Map<number, number>()
  /** Rows removed up to this revision are seen by nobody. */
  #horizon = 0

  /** @param seed of the hash tables: nobody can choose names that meet in them */
  constructor(seed: number) {
    this.#names = new Names(seed)
    this.#usersets = new PairTable(seed)
    this.#nodes = new PairTable(seed)
    this.#kinds = new PairTable(seed)
    this.#inverse = new PairTable(seed)
    this.#rows = new PairTable(seed)
  }

  get length(): number {
    return this.#rows.length
  }

  /** Whether a tuple of it expires: else it is all the same what time it is. */
  get isExpiring(): boolean {
    return this.#expiries.size > 0
  }

  /** When a tuple expires next; it may have been removed. */
  nextExpiry(now: number): number | undefined {
    return this.#due.nextAfter(now)
  }

  /** Says that no revision before this one is read any more. */
  forget(revision: number): void {
    this.#horizon = Math.max(this.#horizon, revision)
  }

  /** The row of a tuple that `view` sees; -1 where there is none. */
  find({ object, relation, user }: TupleKey, view: View): number {
    const isUserset = user.includes('#')
    const node = this.#node(object, relation, isUserset)
    if (node === -1) return -1
    const ref = this.#user(user, isUserset)
    if (ref === -1) return -1
    let row = this.#rows.find(node, ref)
    while (row >= view.limit) row = this.#earlierOf(row)
    return row !== -1 && this.sees(view, row) ? row : -1
  }

  /** Whether a view sees a row. */
  sees(view: View, row: number): boolean {
    if (row >= view.limit) return false
    const flags = this.#flags.get(row)
    if ((flags & (isRemoved | isExpiring)) === 0) return true
    if ((flags & isRemoved) !== 0 && (this.#removedAt.get(row) ?? 0) <= view.revision) return false
    return (flags & isExpiring) === 0 || (this.#expiries.get(row) ?? 0) > view.now
  }

  /** Rows of `object#relation` that a view sees, the newest first. */
  ofNode(object: string, relation: string, isUserset: boolean, view: View): Iterable<number> {
    const node = this.#node(object, relation, isUserset)
    return node === -1 ? [] : this.#walk(this.#nodeHeads, node, this.#nextOfNode, view)
  }

  /** Rows of a user by relation and type of the object, that a view sees, the newest first. */
  ofUser(user: string, relation: string, type: string, view: View): Iterable<number> {
    const ref = this.#user(user, user.includes('#'))
    const kind = this.#kinds.find(this.#relationId(relation), this.#names.findType(type))
    const inverse = ref === -1 || kind === -1 ? -1 : this.#inverse.find(ref, kind)
    return inverse === -1 ? [] : this.#walk(this.#inverseHeads, inverse, this.#nextOfUser, view)
  }

  relations(): readonly string[] {
    return this.#relations
  }

  /** The types of objects that have had tuples of a relation. */
  typesOf(relation: string): readonly string[] {
    const id = this.#relationId(relation)
    const types: string[] = []
    for (let kind = 0; kind < this.#kinds.length; kind++) {
      if (this.#kinds.first(kind) === id) types.push(this.#names.typeName(this.#kinds.second(kind)))
    }
    return types
  }

  /** The tuple of a row. */
  tuple(row: number): Tuple {
    const node = this.#rows.first(row)
    return {
      user: this.userOf(row),
      relation: this.#relations[this.#nodes.second(node) >>> 1] ?? '',
      object: this.objectOf(row),
      condition: this.condition(row),
    }
  }

  objectOf(row: number): string {
    return this.#names.text(this.#nodes.first(this.#rows.first(row)))
  }

  userOf(row: number): string {
    const ref = this.#rows.second(row)
    if (ref < usersetBit) return this.#names.text(ref)
    const userset = ref - usersetBit
    const relation = this.#relations[this.#usersets.second(userset)] ?? ''
    return `${this.#names.text(this.#usersets.first(userset))}#${relation}`
  }

  condition(row: number): TupleCondition | undefined {
    return (this.#flags.get(row) & isConditioned) === 0 ? undefined : this.#conditions.get(row)
  }

  expiry(row: number): number | undefined {
    return (this.#flags.get(row) & isExpiring) === 0 ? undefined : this.#expiries.get(row)
  }

  /** Marks a row as removed by a revision. */
  remove(row: number, revision: number): void {
    this.#removedAt.set(row, revision)
    this.#flags.add(row, isRemoved)
  }

  /** The row of a tuple that was not removed, expired or not; -1 where there is none. */
  standing(key: TupleKey): number {
    const isUserset = key.user.includes('#')
    const node = this.#node(key.object, key.relation, isUserset)
    const ref = this.#user(key.user, isUserset)
    const row = node === -1 || ref === -1 ? -1 : this.#rows.find(node, ref)
    return row !== -1 && (this.#flags.get(row) & isRemoved) === 0 ? row : -1
  }

  /** Whether a row was removed by a revision. */
  isRemoved(row: number, revision: number): boolean {
    return (this.#flags.get(row) & isRemoved) !== 0 && (this.#removedAt.get(row) ?? 0) <= revision
  }

  /** Rows that were not removed and have expired. */
  expired(now: number): readonly number[] {
    const rows: number[] = []
    for (const [row, expiry] of this.#expiries) {
      if (expiry <= now && (this.#flags.get(row) & isRemoved) === 0) rows.push(row)
    }
    return rows
  }

  /** Adds the row of a tuple that no row is of, or only removed ones. */
  add({ user, relation, object, condition, expiresAt }: TupleToWrite): number {
    const name = this.#names.intern(object)
    const relationId = this.#internRelation(relation)
    const isUserset = user.includes('#')
    const node = this.#nodes.intern(name, relationId * 2 + Number(isUserset))
    if (node === this.#nodeHeads.length) this.#nodeHeads.push(0)
    const ref = isUserset ? this.#internUserset(user) : this.#names.intern(user)
    const kind = this.#kinds.intern(relationId, this.#names.typeOf(name))
    const inverse = this.#inverse.intern(ref, kind)
    if (inverse === this.#inverseHeads.length) this.#inverseHeads.push(0)

    const earlier = this.#rows.find(node, ref)
    const row = earlier === -1 ? this.#rows.add(node, ref) : this.#rows.supersede(earlier)
    this.#nextOfNode.push(this.#nodeHeads.get(node))
    this.#nodeHeads.set(node, row + 1)
    this.#nextOfUser.push(this.#inverseHeads.get(inverse))
    this.#inverseHeads.set(inverse, row + 1)
    this.#flags.push()
    if (condition !== undefined) {
      this.#conditions.set(row, condition)
      this.#flags.add(row, isConditioned)
    }
    if (expiresAt !== undefined) {
      this.#expiries.set(row, expiresAt)
      this.#due.add(expiresAt)
      this.#flags.add(row, isExpiring)
    }
    if (earlier !== -1 && !this.#isForgotten(earlier)) {
      this.#earlier.set(row, earlier)
      this.#flags.add(row, isLater)
    }
    return row
  }

  /**
   * Takes what nobody sees any more out of a chain while it walks along it: a tuple written again and again costs no more. Who
   * walks may pause: what is written meanwhile is put before it, and what is taken out still leads on.
   */
  *#walk(heads: Column, head: number, next: Column, view: View): Generator<number, void, undefined> {
    let previous = -1
    for (let row = heads.get(head) - 1; row !== -1; row = next.get(row) - 1) {
      if (this.#isForgotten(row)) {
        if (previous === -1) heads.set(head, next.get(row))
        else next.set(previous, next.get(row))
        continue
      }
      previous = row
      if (this.sees(view, row)) yield row
    }
  }

  #isForgotten(row: number): boolean {
    return this.isRemoved(row, this.#horizon)
  }

  #earlierOf(row: number): number {
    return (this.#flags.get(row) & isLater) === 0 ? -1 : (this.#earlier.get(row) ?? -1)
  }

  #node(object: string, relation: string, isUserset: boolean): number {
    const id = this.#relationId(relation)
    if (id === -1) return -1
    const name = this.#names.find(object)
    return name === -1 ? -1 : this.#nodes.find(name, id * 2 + Number(isUserset))
  }

  #user(user: string, isUserset: boolean): number {
    if (!isUserset) return this.#names.find(user)
    const { object, relation } = splitUser(user)
    const name = this.#names.find(object)
    const id = this.#relationId(relation)
    const userset = name === -1 || id === -1 ? -1 : this.#usersets.find(name, id)
    return userset === -1 ? -1 : userset + usersetBit
  }

  #internUserset(user: string): number {
    const { object, relation } = splitUser(user)
    return this.#usersets.intern(this.#names.intern(object), this.#internRelation(relation)) + usersetBit
  }

  #relationId(relation: string): number {
    return this.#relationIds.get(relation) ?? -1
  }

  #internRelation(relation: string): number {
    const found = this.#relationId(relation)
    if (found !== -1) return found
    this.#relationIds.set(relation, this.#relations.length)
    return this.#relations.push(relation) - 1
  }
}

/** A byte of marks for each row. */
class Flags {
  #array = new Uint8Array(64)
  #length = 0

  get(row: number): number {
    return this.#array[row] ?? 0
  }

  add(row: number, flag: number): void {
    this.#array[row] = this.get(row) | flag
  }

  push(): void {
    if (this.#length === this.#array.length) {
      const grown = new Uint8Array(this.#length + 64 + (this.#length >>> 5))
      grown.set(this.#array)
      this.#array = grown
    }
    this.#length++
  }
}
