import { Column } from '../store/memory/column.ts'
import { Names } from '../store/memory/names.ts'
import { PairTable } from '../store/memory/pair-table.ts'

/** A step from a node to another one. */
export interface Edge {
  readonly from: number
  readonly to: number
  /** The relation of the tuple that makes it. */
  readonly via: number
}

// Of each edge.
const fields = 5
const fromAt = 0
const toAt = 1
const markAt = 2
const nextOutAt = 3
const nextInAt = 4

// Beside the relation in an edge's mark.
const deadBit = 1
const looseBit = 2
const bits = 2

/** Relations of objects, and the tuples that lead from one to another: 20 bytes an edge, and as much as the names take. */
export class UsersetGraph {
  readonly #names: Names
  readonly #nodes: PairTable
  /** Of each node: the first edge that leads from it and the first that leads to it, and one more; 0 is none. */
  readonly #heads: Column = new Column()
  readonly #edges: Column = new Column()
  #dead = 0

  constructor(seed: number) {
    this.#names = new Names(seed)
    this.#nodes = new PairTable(seed)
  }

  get nodes(): number {
    return this.#nodes.length
  }

  /** How many edges take up room. */
  get edges(): number {
    return this.#edges.length / fields
  }

  /** How many of them were removed. */
  get dead(): number {
    return this.#dead
  }

  /** -1 where nothing leads to it or from it. */
  find(relation: number, object: string): number {
    const name = this.#names.find(object)
    return name === -1 ? -1 : this.#nodes.find(name, relation)
  }

  intern(relation: number, object: string): number {
    const node = this.#nodes.intern(this.#names.intern(object), relation)
    while (this.#heads.length <= 2 * node) {
      this.#heads.push(0)
      this.#heads.push(0)
    }
    return node
  }

  relationOf(node: number): number {
    return this.#nodes.second(node)
  }

  objectOf(node: number): string {
    return this.#names.text(this.#nodes.first(node))
  }

  /** A loose edge is there, and may not count when it is looked at. An edge may be added twice; both are removed at once. */
  add({ from, to, via }: Edge, isLoose: boolean): void {
    const edge = this.edges
    const heads = this.#heads
    const mark = (via << bits) | (isLoose ? looseBit : 0)
    for (const value of [from, to, mark, heads.get(2 * from), heads.get(2 * to + 1)]) this.#edges.push(value)
    heads.set(2 * from, edge + 1)
    heads.set(2 * to + 1, edge + 1)
  }

  /** Removes an edge where it is there; takes as long as the shorter one of its two lists is. */
  remove({ from, to, via }: Edge): void {
    const edges = this.#edges
    let out = this.#heads.get(2 * from) - 1
    let into = this.#heads.get(2 * to + 1) - 1
    while (out !== -1 && into !== -1) {
      for (const edge of [out, into]) {
        const at = edge * fields
        const mark = edges.get(at + markAt)
        if ((mark & deadBit) !== 0 || mark >>> bits !== via) continue
        if (edges.get(at + fromAt) !== from || edges.get(at + toAt) !== to) continue
        edges.set(at + markAt, mark | deadBit)
        this.#dead++
      }
      out = edges.get(out * fields + nextOutAt) - 1
      into = edges.get(into * fields + nextInAt) - 1
    }
  }

  /** The first edge from a node, to be gone on from with {@link nextFrom}; -1 where there is none. */
  firstFrom(node: number): number {
    return this.#livingFrom(this.#heads.get(2 * node) - 1)
  }

  nextFrom(edge: number): number {
    return this.#livingFrom(this.#edges.get(edge * fields + nextOutAt) - 1)
  }

  isLoose(edge: number): boolean {
    return (this.#edges.get(edge * fields + markAt) & looseBit) !== 0
  }

  target(edge: number): number {
    return this.#edges.get(edge * fields + toAt)
  }

  /** The nodes that an edge leads from to `node` that is not loose; some may come twice. */
  *sources(node: number): Generator<number, void, undefined> {
    const edges = this.#edges
    for (let edge = this.#heads.get(2 * node + 1) - 1; edge !== -1; ) {
      const at = edge * fields
      if ((edges.get(at + markAt) & (deadBit | looseBit)) === 0) yield edges.get(at + fromAt)
      edge = edges.get(at + nextInAt) - 1
    }
  }

  /** The same without what was removed. */
  compacted(seed: number): UsersetGraph {
    const copy = new UsersetGraph(seed)
    const copied = (node: number): number => copy.intern(this.relationOf(node), this.objectOf(node))
    for (let edge = 0; edge < this.edges; edge++) {
      const at = edge * fields
      const mark = this.#edges.get(at + markAt)
      if ((mark & deadBit) !== 0) continue
      const from = copied(this.#edges.get(at + fromAt))
      const to = copied(this.#edges.get(at + toAt))
      copy.add({ from, to, via: mark >>> bits }, (mark & looseBit) !== 0)
    }
    return copy
  }

  #livingFrom(first: number): number {
    const edges = this.#edges
    let edge = first
    while (edge !== -1 && (edges.get(edge * fields + markAt) & deadBit) !== 0) {
      edge = edges.get(edge * fields + nextOutAt) - 1
    }
    return edge
  }
}
