import { type Closure, closureOf, maxClosure } from './closure.ts'
import type { UsersetGraph } from './userset-graph.ts'

/** How far back it is looked for who leads to a changed node, before all closures are given up. */
const maxCone = 10_000

/** The closures that were asked for, as long as they hold and there is room. */
export class Closures {
  readonly #graph: UsersetGraph
  readonly #room: number
  /** The oldest first; undefined for one that is too large. */
  readonly #known = new Map<number, Closure | undefined>()
  /** How many nodes have a closure. */
  readonly #uses = new Map<Closure, number>()
  #size = 0

  /** @param room how many nodes the closures may have together */
  constructor(graph: UsersetGraph, room: number) {
    this.#graph = graph
    this.#room = room
  }

  /** Undefined for a closure that is too large. */
  of(node: number): Closure | undefined {
    const known = this.#known.get(node)
    if (known !== undefined || this.#known.has(node)) return known
    const made = closureOf(this.#graph, node, Math.min(maxClosure, this.#room))
    for (const each of made?.height === Number.POSITIVE_INFINITY ? this.#circle(node, made) : [node]) {
      this.#keep(each, made)
    }
    return made
  }

  /** Forgets what leads to nodes whose edges have changed. */
  drop(changed: Iterable<number>): void {
    if (this.#known.size === 0) return
    const cone = new Set(changed)
    for (const node of cone) {
      if (cone.size > maxCone) {
        this.#known.clear()
        this.#uses.clear()
        this.#size = 0
        return
      }
      this.#forget(node)
      for (const source of this.#graph.sources(node)) cone.add(source)
    }
  }

  /** The nodes that lead to `node` and are led to by it: they have the same closure. */
  #circle(node: number, closure: Closure): ReadonlySet<number> {
    const circle = new Set([node])
    for (const each of circle) {
      for (const source of this.#graph.sources(each)) if (closure.hasNode(source)) circle.add(source)
    }
    return circle
  }

  #keep(node: number, closure: Closure | undefined): void {
    this.#forget(node)
    this.#known.set(node, closure)
    this.#size++
    if (closure !== undefined) {
      const uses = this.#uses.get(closure) ?? 0
      this.#uses.set(closure, uses + 1)
      if (uses === 0) this.#size += closure.size
    }
    for (const oldest of this.#known.keys()) {
      if (this.#size <= this.#room) break
      this.#forget(oldest)
    }
  }

  #forget(node: number): void {
    if (!this.#known.has(node)) return
    const closure = this.#known.get(node)
    this.#known.delete(node)
    this.#size--
    if (closure === undefined) return
    const uses = (this.#uses.get(closure) ?? 1) - 1
    if (uses > 0) this.#uses.set(closure, uses)
    else {
      this.#uses.delete(closure)
      this.#size -= closure.size
    }
  }
}
