import { Buffer } from 'node:buffer'
import { isZanzibarError, ZanzibarError } from '../errors.ts'
import type { Relation, TypeSystem } from '../model/type-system.ts'
import { nextTurn, type Random, realRandom } from '../ports.ts'
import type { Snapshot } from '../store/snapshot.ts'
import type { Change, TupleStore } from '../store/tuple-store.ts'
import type { Tuple, TupleKey } from '../tuple/tuple.ts'
import { readProblem } from '../tuple/validity.ts'
import type { Closure } from './closure.ts'
import { Closures } from './closures.ts'
import { type IndexedRelation, IndexedRelations } from './indexed-relations.ts'
import { UsersetGraph } from './userset-graph.ts'

/** Options of a closure index. */
export interface ClosureIndexOptions {
  /**
   * How many relations of objects and nesting tuples are kept, and how many places in closures: some 40 bytes each of the
   * first, 4 of the second. A store that nests more has no index any more, and the event `index-off` says so. Default: 1,000,000.
   */
  readonly maxEntries?: number | undefined
}

/** What an index is of. */
export interface Indexed {
  readonly store: Pick<TupleStore, 'changes' | 'read' | 'revision' | 'snapshot'>
  readonly storeId: string
  readonly types: TypeSystem
  /** Is told when what nests is more than may be held: the index ends then. */
  readonly onTooLarge?: (entries: number, maxEntries: number) => void
}

/** The index that an option asks for. */
export function closureIndexOf(
  option: boolean | ClosureIndexOptions | undefined,
  indexed: Indexed,
): ClosureIndex | undefined {
  if (option === undefined || option === false) return undefined
  const index = new ClosureIndex(indexed, option === true ? {} : option)
  // A model where nothing nests.
  return index.isOff ? undefined : index
}

/** What a closure index knows of one revision, for one question. */
export interface IndexView {
  /** The relation as the index has it; undefined where it has not. */
  relation(relation: Relation): IndexedRelation | undefined
  /** The relations of the index whose objects have what is assigned of `relation`. */
  takers(relation: Relation): readonly Relation[]
  /**
   * What a relation of an object leads to. `alone`: to nothing, but for itself; undefined where that is not known (any more).
   * `too large`: more than is kept.
   */
  closure(relation: Relation, object: string): Closure | 'alone' | 'too large' | undefined
  /** Where an object's relation stands in closures; -1 where it is in none. */
  node(relation: Relation, object: string): number
}

/**
 * The closure index of the paper's Leopard (section 3.2.4), of one model: which relations of objects lead to which by tuples
 * that nest (its GROUP2GROUP). Who has been assigned what directly (its MEMBER2GROUP) is asked of the snapshot. So a check is
 * one look for each way to be assigned, however deep the nesting.
 *
 * The tuples that nest are kept as a graph, brought up with the store's changes; a node's closure is made when it is first
 * asked for, and given up when a change touches what it leads to. It answers for one revision, the one that it has come to.
 */
export class ClosureIndex {
  readonly #indexed: Indexed
  readonly #maxEntries: number
  readonly #random: Random
  readonly #relations: IndexedRelations
  #graph: UsersetGraph | undefined
  #closures: Closures | undefined
  /** What the graph is of; -1 while it is of no single revision. */
  #revision = -1
  #following: Promise<void> | undefined
  #isAsked = false
  #isOff = false

  /** @throws ZanzibarError `invalid_option` */
  constructor(
    indexed: Indexed,
    { maxEntries = 1_000_000 }: ClosureIndexOptions = {},
    random: Random = realRandom,
  ) {
    if (!Number.isSafeInteger(maxEntries) || maxEntries < 1) {
      throw new ZanzibarError(
        'invalid_option',
        `closureIndex.maxEntries must be a whole number, 1 or more, not ${String(maxEntries)}`,
      )
    }
    this.#indexed = indexed
    this.#maxEntries = maxEntries
    this.#random = random
    this.#relations = new IndexedRelations(indexed.types)
    this.#isOff = this.#relations.tuples.length === 0
  }

  /** The revision that it answers for; -1 for none at the moment. */
  get revision(): number {
    return this.#revision
  }

  /** Whether it has ended, or there is nothing that it could know. */
  get isOff(): boolean {
    return this.#isOff
  }

  /** Brings it up to the revision that the store has now. What fails is tried again with the next question. */
  follow(): Promise<void> {
    this.#isAsked = true
    this.#following ??= this.#follow().finally(() => {
      this.#following = undefined
    })
    return this.#following
  }

  /**
   * What is known of a revision, or undefined where it is not known: then it is brought up in the background. Contextual tuples
   * that the index would have to know of keep it out.
   */
  at(revision: number, contextual: readonly Tuple[] | undefined): IndexView | undefined {
    if (this.#isOff) return undefined
    if (revision !== this.#revision) {
      // Who asked fails by its own reads where the store does.
      if (revision > this.#revision) this.follow().catch(() => {})
      return undefined
    }
    const graph = this.#graph
    if (graph === undefined || contextual?.some((tuple) => this.#relations.concerns(tuple)) === true)
      return undefined
    return {
      relation: (relation) => this.#relations.of(relation),
      takers: (relation) => this.#relations.takers(relation),
      closure: (relation, object) => {
        if (revision !== this.#revision) return undefined
        const node = graph.find(relation.id, object)
        return node === -1 ? 'alone' : (this.#closures?.of(node) ?? 'too large')
      },
      node: (relation, object) => graph.find(relation.id, object),
    }
  }

  /** Ends it: it knows nothing from now on. */
  close(): void {
    this.#isOff = true
    this.#reset()
  }

  async #follow(): Promise<void> {
    try {
      while (this.#isAsked && !this.#isOff) {
        this.#isAsked = false
        const pinned = await this.#pinned()
        try {
          await this.#catchUp(pinned.revision)
        } finally {
          pinned.release()
        }
      }
    } catch (error) {
      if (this.#revision === -1) this.#reset()
      throw error
    }
  }

  /** Holds the revision that it is at, so that no change after it is forgotten; where that is gone, it begins anew. */
  async #pinned(): Promise<Snapshot> {
    const { store, storeId } = this.#indexed
    if (this.#revision !== -1) {
      try {
        return await store.snapshot(storeId, { revision: this.#revision })
      } catch (error) {
        if (!isZanzibarError(error) || !error.code.startsWith('token_')) throw error
      }
    }
    this.#reset()
    return await store.snapshot(storeId)
  }

  async #catchUp(from: number): Promise<void> {
    const { store, storeId } = this.#indexed
    if (this.#graph === undefined && !(await this.#read())) return
    const latest = await store.revision(storeId)
    let after: number | undefined
    let isMore = latest > from
    while (isMore) {
      const changes = await store.changes(storeId, { after, afterRevision: from, limit: pageSize })
      const due = changes.filter(({ revision }) => revision <= latest)
      isMore = due.length === pageSize
      after = changes.at(-1)?.position
      // Between two pages it is of no revision.
      if (isMore) this.#revision = -1
      if (this.#isOff || !this.#apply(due)) return
      if (isMore) await nextTurn()
    }
    this.#revision = latest
  }

  /** Reads the tuples that nest, each as it is when it comes by: what changes meanwhile is done once more afterwards. False where they are too many. */
  async #read(): Promise<boolean> {
    const { store, storeId } = this.#indexed
    const graph = new UsersetGraph(this.#seed())
    for (const { relation, userTypes } of this.#relations.tuples) {
      for (const type of userTypes) {
        const filter = { object: `${relation.type}:`, relation: relation.name, user: `${type}:` }
        let after: string | undefined
        do {
          const page = await store.read(storeId, filter, { limit: pageSize, after })
          for (const { tuple, expiresAt } of page.items) this.#add(graph, tuple, expiresAt)
          after = page.next
          if (this.#isOff || this.#isTooLarge(graph)) return false
          if (after !== undefined) await nextTurn()
        } while (after !== undefined)
      }
    }
    this.#use(graph)
    return true
  }

  /** False where it grew too large. */
  #apply(changes: readonly Change[]): boolean {
    const graph = this.#graph
    if (graph === undefined) return false
    const changed = new Set<number>()
    for (const { operation, tuple, expiresAt } of changes) {
      for (const node of operation === 'write'
        ? this.#add(graph, tuple, expiresAt)
        : this.#remove(graph, tuple)) {
        changed.add(node)
      }
    }
    this.#closures?.drop(changed)
    const isFull = graph.nodes + graph.edges > this.#maxEntries
    if (graph.dead <= (isFull ? graph.edges / 8 : slack + graph.edges / 2)) return !this.#isTooLarge(graph)
    // The old graph stays as it is for who has closures of it.
    const compacted = graph.compacted(this.#seed())
    this.#use(compacted)
    return !this.#isTooLarge(compacted)
  }

  #add(graph: UsersetGraph, tuple: Tuple, expiresAt: number | undefined): readonly number[] {
    const steps = this.#relations.steps(tuple)
    if (steps.length === 0 || readProblem(this.#indexed.types, tuple) !== undefined) return []
    const isUncertain = tuple.condition !== undefined || expiresAt !== undefined
    const via = this.#via(tuple)
    return steps.map((step) => {
      const from = graph.intern(step.from.id, tuple.object)
      graph.add({ from, to: graph.intern(step.to.id, step.object), via }, isUncertain || step.isOpen)
      return from
    })
  }

  #remove(graph: UsersetGraph, tuple: TupleKey): readonly number[] {
    const via = this.#via(tuple)
    const changed: number[] = []
    for (const step of this.#relations.steps(tuple)) {
      const from = graph.find(step.from.id, tuple.object)
      const to = graph.find(step.to.id, step.object)
      if (from === -1 || to === -1) continue
      graph.remove({ from, to, via })
      changed.push(from)
    }
    return changed
  }

  #via({ object, relation }: TupleKey): number {
    return this.#indexed.types.relation(object.slice(0, object.indexOf(':')), relation)?.id ?? 0
  }

  #isTooLarge({ nodes, edges }: UsersetGraph): boolean {
    if (nodes + edges <= this.#maxEntries) return false
    this.close()
    this.#indexed.onTooLarge?.(nodes + edges, this.#maxEntries)
    return true
  }

  #use(graph: UsersetGraph): void {
    this.#graph = graph
    this.#closures = new Closures(graph, this.#maxEntries)
  }

  #reset(): void {
    this.#graph = undefined
    this.#closures = undefined
    this.#revision = -1
  }

  #seed(): number {
    return Buffer.from(this.#random.bytes(4)).readUInt32LE()
  }
}

/** How many tuples or changes are read at once. */
const pageSize = 1000
/** How many removed edges are left where they are, however few others there are. */
const slack = 10_000
