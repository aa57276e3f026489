import { nextTurn } from '../../ports.ts'
import type { Tuple } from '../../tuple/tuple.ts'
import type { Read, Snapshot } from '../snapshot.ts'
import type { TupleTable, View } from './tuple-table.ts'

/** How many tuples are read at once; what has more is fetched, and lets others have their turn in between. */
const atOnce = 2000

const none: readonly Tuple[] = []

/** A revision of a table of tuples. */
export class MemorySnapshot implements Snapshot {
  readonly #table: TupleTable
  readonly #view: View
  /** What was too much to be read at once, by the object or user that it is of and then by the read. */
  #fetched: Map<string, Map<string, readonly Tuple[]>> | undefined
  #unpin: (() => void) | undefined

  constructor(table: TupleTable, view: View, unpin: () => void) {
    this.#table = table
    this.#view = view
    this.#unpin = unpin
  }

  get revision(): number {
    return this.#view.revision
  }

  at(read: Read): readonly Tuple[] | undefined {
    if (read.kind === 'tuple') {
      const row = this.#table.find(read, this.#view)
      if (row === -1) return none
      const { object, relation, user } = read
      return [{ user, relation, object, condition: this.#table.condition(row) }]
    }
    if (this.#fetched !== undefined) {
      const fetched = this.#fetched.get(ofWhom(read))?.get(keyOf(read))
      if (fetched !== undefined) return fetched
    }
    const tuples: Tuple[] = []
    for (const tuple of this.#walk(read)) {
      if (tuples.length === atOnce) return undefined
      tuples.push(tuple)
    }
    return tuples
  }

  async fetch(reads: readonly Read[], signal?: AbortSignal): Promise<void> {
    for (const read of reads) {
      if (read.kind === 'tuple' || this.at(read) !== undefined) continue
      const tuples: Tuple[] = []
      for (const tuple of this.#walk(read)) {
        tuples.push(tuple)
        if (tuples.length % atOnce === 0) {
          await nextTurn()
          signal?.throwIfAborted()
        }
      }
      this.#fetched ??= new Map()
      const ofSame = this.#fetched.get(ofWhom(read)) ?? new Map<string, readonly Tuple[]>()
      this.#fetched.set(ofWhom(read), ofSame.set(keyOf(read), tuples))
    }
  }

  release(): void {
    this.#fetched = undefined
    this.#unpin?.()
    this.#unpin = undefined
  }

  *#walk(read: Exclude<Read, { readonly kind: 'tuple' }>): Generator<Tuple, void, undefined> {
    const table = this.#table
    const { relation } = read
    let left = (read.limit ?? Number.POSITIVE_INFINITY) + 1
    if (read.kind === 'objects') {
      const { user, type } = read
      for (const row of table.ofUser(user, relation, type, this.#view)) {
        if (left-- === 0) return
        yield { user, relation, object: table.objectOf(row), condition: table.condition(row) }
      }
      return
    }
    const { object } = read
    for (const isUserset of read.kind === 'usersets' ? [true] : [false, true]) {
      for (const row of table.ofNode(object, relation, isUserset, this.#view)) {
        if (left-- === 0) return
        yield { user: table.userOf(row), relation, object, condition: table.condition(row) }
      }
    }
  }
}

function ofWhom(read: Read): string {
  return read.kind === 'objects' ? read.user : read.object
}

function keyOf(read: Read): string {
  return read.kind === 'objects'
    ? JSON.stringify(['objects', read.type, read.relation, read.user, read.limit])
    : JSON.stringify([read.kind, read.object, read.relation, 'limit' in read ? read.limit : ''])
}
