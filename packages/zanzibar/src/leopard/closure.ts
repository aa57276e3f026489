import type { UsersetGraph } from './userset-graph.ts'

/** What a node leads to, itself included, at one revision. It never changes, so whoever has it may go on with it. */
export class Closure {
  /** Whether there is an edge that may count or not: what is not found here is not certainly not there. */
  readonly isOpen: boolean
  /** How many edges the longest way has; `Infinity` where ways lead round. */
  readonly height: number
  readonly #graph: UsersetGraph
  /** In ascending order. */
  readonly #nodes: Uint32Array

  constructor(
    graph: UsersetGraph,
    nodes: Uint32Array,
    { isOpen, height }: Pick<Closure, 'isOpen' | 'height'>,
  ) {
    this.#graph = graph
    this.#nodes = nodes
    this.isOpen = isOpen
    this.height = height
  }

  /** How many nodes there are. */
  get size(): number {
    return this.#nodes.length
  }

  has(relation: number, object: string): boolean {
    const node = this.#graph.find(relation, object)
    return node !== -1 && this.hasNode(node)
  }

  hasNode(node: number): boolean {
    const nodes = this.#nodes
    let low = 0
    let high = nodes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((nodes[middle] ?? 0) < node) low = middle + 1
      else high = middle
    }
    return nodes[low] === node
  }

  /** The objects that are here with a relation. */
  *objects(relation: number): Generator<string, void, undefined> {
    for (const node of this.#nodes) {
      if (this.#graph.relationOf(node) === relation) yield this.#graph.objectOf(node)
    }
  }
}

/** How many nodes a closure has at most: about 5 ms to make. What leads further is walked. */
export const maxClosure = 32_768

/** Follows what a node leads to, in depth, so that ways that lead round are seen; gives nothing for more than `max` nodes. */
export function closureOf(graph: UsersetGraph, start: number, max: number): Closure | undefined {
  /** By node: how high it is, once that is known. */
  const heights = new Map<number, number>([[start, onWay]])
  const way = [start]
  const edges = [graph.firstFrom(start)]
  let isOpen = false
  let isRound = false
  while (way.length > 0) {
    const top = way.length - 1
    const node = way[top] ?? start
    const edge = edges[top] ?? -1
    if (edge === -1) {
      way.pop()
      edges.pop()
      const height = -1 - (heights.get(node) ?? onWay)
      heights.set(node, height)
      raise(heights, way.at(-1), height + 1)
      continue
    }
    edges[top] = graph.nextFrom(edge)
    if (graph.isLoose(edge)) {
      isOpen = true
      continue
    }
    const next = graph.target(edge)
    const height = heights.get(next)
    if (height === undefined) {
      if (heights.size === max) return undefined
      heights.set(next, onWay)
      way.push(next)
      edges.push(graph.firstFrom(next))
    } else if (height < 0) isRound = true
    else raise(heights, node, height + 1)
  }
  const nodes = Uint32Array.from(heights.keys()).toSorted()
  return new Closure(graph, nodes, {
    isOpen,
    height: isRound ? Number.POSITIVE_INFINITY : (heights.get(start) ?? 0),
  })
}

// A node on the way has -1 less the height that is known of it so far.
const onWay = -1

function raise(heights: Map<number, number>, node: number | undefined, height: number): void {
  if (node !== undefined && -1 - (heights.get(node) ?? onWay) < height) heights.set(node, -1 - height)
}
