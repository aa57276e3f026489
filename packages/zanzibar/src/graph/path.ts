import type { Closure } from '../leopard/closure.ts'
import type { Relation } from '../model/type-system.ts'
import type { Tuple } from '../tuple/tuple.ts'
import { type LevelsPlan, levelsOf, type levelWalk } from './levels.ts'
import { begin, either, failed, no, type Outcome, unknown, yes } from './outcome.ts'
import type { Plan, Plans } from './plan.ts'
import { WideMap } from './wide-map.ts'

/** How often nodes may be walked again, beside what the limit of depth makes of it. */
const maxRepeats = 20_000

/** How often, before nodes within a recursion are taken to fail at the limit of depth as they did on another way. */
const maxExactRepeats = 2_000

/** Where tuples are fetched in many rounds, each goes over them again: then what leads nowhere is remembered too. */
const forgetfulPasses = 2

/**
 * The way that a check has taken, and what it learned of the nodes that it left behind. A node that is already on the way
 * comes to what its plans say of a cycle, whatever else leads there.
 *
 * What a node came to is kept where it does not depend on the way: where no cycle was met below it, or, for relations that
 * lead back to themselves through unions only, for a whole component at once (after Tarjan). Of other recursions only the
 * answer to who comes from outside is kept, and how often they are walked again is limited.
 */
export class Path {
  /** The innermost frame of a node. */
  top: Frame | undefined
  readonly #limit: number
  readonly #plans: Plans
  readonly #nodes: (WideMap<Node> | undefined)[] = []
  /** What nodes came to by levels, and at which depth. */
  #walked: Map<Node, { readonly outcome: Outcome; readonly depth: number }> | undefined
  /** Nodes of recursions whose component is not yet known. */
  readonly #open: Node[] = []
  #entered = 0
  #known = 0
  #repeats = 0
  #pass = 0

  constructor(depthLimit: number, plans: Plans) {
    this.#limit = depthLimit
    this.#plans = plans
  }

  /** Before the question is walked through, again. */
  start(): void {
    this.#pass++
  }

  node(relation: Relation, object: string): Node {
    let nodes = this.#nodes[relation.id]
    if (nodes === undefined) {
      nodes = new WideMap()
      this.#nodes[relation.id] = nodes
    }
    let node = nodes.get(object)
    if (node === undefined) {
      node = new Node(relation)
      nodes.add(object, node)
      this.#known++
    }
    return node
  }

  /** Whether to go on to a node: not where nodes were walked again too often, and this one would be once more. */
  mayEnter(node: Node): boolean {
    // What was not at hand before is walked for the first time.
    if (node.unknownIn !== 0 || node.order === 0) return true
    return ++this.#repeats <= maxRepeats + 32 * this.#known
  }

  /** Goes on to a node. */
  enter(node: Node, frame: Frame): void {
    node.unknownIn = 0
    node.order = ++this.#entered
    node.isOnPath = true
    frame.isNode = true
    frame.node = node
    frame.outer = this.top
    frame.low = Number.POSITIVE_INFINITY
    frame.deepest = frame.depth
    frame.limited = false
    frame.isWalked = false
    frame.opened = this.#open.length
    this.top = frame
  }

  /** What is known of a node that would be the next; {@link begin} where it must be entered. */
  recall(node: Node, depth: number): Outcome {
    const { top } = this
    if (top === undefined) return begin
    if (node.isOnPath) {
      if (node.order < top.low) top.low = node.order
      return this.#plans.onCycle(node.relation)
    }
    if (node.unknownIn === this.#pass) return unknown
    const kept = isOutside(node, top) ? (node.kept ?? node.keptOutside) : node.kept
    if (
      kept !== undefined &&
      depth <= kept.upTo &&
      (!kept.limited || this.#isTheSame(node, top)) &&
      !this.#mayDiffer(node, top, kept.outcome, depth + kept.height)
    ) {
      if (node.isOpen && node.order < top.low) top.low = node.order
      if (depth + kept.height > top.deepest) top.deepest = depth + kept.height
      if (kept.limited) top.limited = true
      return kept.outcome
    }
    const walked = this.#walked?.get(node)
    if (walked !== undefined && this.levels(node, top) !== undefined) {
      const { outcome } = walked
      if (outcome >= failed ? depth < walked.depth : depth > walked.depth) return begin
      top.deepest = Math.max(top.deepest, this.#limit - 1 + depth - walked.depth)
      if (outcome >= failed) top.limited = true
      return outcome
    }
    if (depth < node.failedFrom || !this.#isTheSame(node, top) || this.levels(node, top) !== undefined)
      return begin
    top.limited = true
    return node.failure
  }

  /** Whether what leads so deep may come to something else by levels. */
  isNearLimit(deepest: number): boolean {
    return deepest + 2 >= this.#limit
  }

  /** Whether a node that was walked to that depth may come to something else by levels. */
  #mayDiffer(node: Node, outer: Frame | undefined, outcome: Outcome, deepest: number): boolean {
    if (outcome === yes) return false
    const plan = this.levels(node, outer)
    return plan !== undefined && (outcome >= failed || plan.mayFail || this.isNearLimit(deepest))
  }

  /** How the node of `frame` is to be walked by levels after it came to `outcome`; undefined where it is not, or was. */
  walkLevels(frame: Frame, outcome: Outcome): LevelsPlan | undefined {
    const { node, outer, isWalked } = frame
    if (outcome < 0 || outcome === unknown || node === undefined) return undefined
    if (!isWalked && !frame.limited && !this.#mayDiffer(node, outer, outcome, frame.deepest)) return undefined
    if (isWalked) {
      // It may come to something else where there is one level less.
      frame.deepest = this.#limit - 1
      frame.limited = outcome >= failed
    }
    const plan = isWalked || outcome === yes ? undefined : this.levels(node, outer)
    frame.isWalked = isWalked || plan !== undefined
    return plan
  }

  /** How a node that is come to from `outer` is walked by levels, where it is: a recursion from where it begins. */
  levels({ relation }: Node, outer: Frame | undefined): LevelsPlan | undefined {
    return outer?.node?.relation === relation ? undefined : levelsOf(this.#plans, relation)
  }

  /**
   * Whether what met the limit of depth comes to the same from here: within a recursion, a node of this way may be met before
   * the limit is, which is a cycle then and no failure. That is walked again, unless it was too often, or levels tell in the end.
   */
  #isTheSame(node: Node, top: Frame): boolean {
    return (
      isOutside(node, top) ||
      this.#repeats >= maxExactRepeats ||
      levelsOf(this.#plans, node.relation) !== undefined
    )
  }

  /** Notes what a node comes to that is not entered: whatever the way, and `height` tuples deep at most. */
  settle(node: Node, outcome: Outcome, depth: number, height: number): void {
    const { top } = this
    if (top !== undefined && depth + height > top.deepest) top.deepest = depth + height
    if (outcome === unknown) node.unknownIn = this.#pass
    else node.kept = { outcome, height, limited: false, upTo: this.#limit - 1 - height }
  }

  /** Leaves the node of `frame`, which is the top. */
  leave(frame: Frame, outcome: Outcome): void {
    const { node, outer, low } = frame
    if (node === undefined) return
    node.isOnPath = false
    this.top = outer
    if (outer !== undefined) {
      if (frame.deepest > outer.deepest) outer.deepest = frame.deepest
      if (frame.limited) outer.limited = true
    }
    if (outcome === unknown) node.unknownIn = this.#pass
    if (low === Number.POSITIVE_INFINITY) {
      if (this.#pass <= forgetfulPasses && isLeaf(frame, outcome)) this.#forget(node, frame.object)
      else this.#keep(node, frame, outcome)
    } else if (node.relation.recursion.isMonotone) this.#leaveMonotone(node, frame, outcome)
    else if (outer !== undefined && !isOutside(node, outer)) outer.low = Math.min(outer.low, low)
    else if (outcome !== unknown && !frame.limited) node.keptOutside = this.#kept(frame, outcome)
  }

  #forget(node: Node, object: string): void {
    this.#nodes[node.relation.id]?.delete(object)
    this.#known--
  }

  /** Through unions alone, what one node of a component has, all of it has; and a yes needs no other way. */
  #leaveMonotone(node: Node, frame: Frame, outcome: Outcome): void {
    const { outer, low } = frame
    const isClosed = low >= node.order
    if (outer === undefined || isOutside(node, outer) || isClosed || outcome === yes) {
      const isOfAll = isClosed && outcome !== unknown && this.#limit === Number.POSITIVE_INFINITY
      const kept = isOfAll ? this.#kept(frame, outcome) : undefined
      for (const each of this.#open.splice(frame.opened)) {
        each.isOpen = false
        each.kept = kept
      }
      this.#keep(node, frame, outcome)
      return
    }
    outer.low = Math.min(outer.low, low)
    if (outcome === unknown) return
    node.isOpen = true
    node.kept = this.#kept(frame, outcome)
    this.#open.push(node)
  }

  #keep(node: Node, frame: Frame, outcome: Outcome): void {
    if (outcome === unknown) return
    if (frame.isWalked && outcome !== yes) {
      this.#walked ??= new Map()
      this.#walked.set(node, { outcome, depth: frame.depth })
    } else if (!frame.limited) {
      node.kept = this.#kept(frame, outcome)
    } else if (outcome === yes || outcome === no) {
      // With more room below, what failed at the limit may come to something; what decided stays.
      if (node.kept === undefined || node.kept.upTo < frame.depth) node.kept = this.#kept(frame, outcome)
    } else if (outcome >= failed && frame.depth < node.failedFrom) {
      node.failedFrom = frame.depth
      node.failure = outcome
    }
  }

  #kept({ deepest, depth, limited }: Frame, outcome: Outcome): Kept {
    const height = deepest - depth
    return { outcome, height, limited, upTo: limited ? depth : this.#limit - 1 - height }
  }
}

/** A relation of an object. */
export class Node {
  readonly relation: Relation
  /** When it was last entered; 0 is never. */
  order = 0
  isOnPath = false
  /** Whether its component is not yet known: what is kept holds as long as the nodes that it led back to are on the path. */
  isOpen = false
  kept: Kept | undefined
  /** For who asks from outside the recursion. */
  keptOutside: Kept | undefined
  /** From which depth on it fails at the limit, and how. */
  failedFrom: number = Number.POSITIVE_INFINITY
  failure: Outcome = begin
  /** The pass in which tuples were missing. */
  unknownIn = 0
  /** What the index says that it leads to. */
  closure: Closure | 'alone' | 'too large' | undefined

  constructor(relation: Relation) {
    this.relation = relation
  }
}

interface Kept {
  readonly outcome: Outcome
  /** How many tuples deeper it led. */
  readonly height: number
  /** The depth up to which it would come to the same. */
  readonly upTo: number
  /** Whether the limit of depth was met below it. */
  readonly limited: boolean
}

/** A part of the work: a plan for an object, and how far it is. Used again and again. */
export class Frame {
  plan: Plan = { kind: 'never' }
  object = ''
  depth = 0
  at = 0
  outcome: Outcome = no
  list: readonly Tuple[] = []
  walk: ReturnType<typeof levelWalk> | undefined
  /** By group of tuples: yes where one was usable, else the last failure. */
  readonly groups: Outcome[] = []
  isNode = false
  // Of frames of nodes only.
  node: Node | undefined
  outer: Frame | undefined
  /** The earliest entered node that it led back to. */
  low: number = Number.POSITIVE_INFINITY
  deepest = 0
  limited = false
  /** Whether it came to what it did by levels. */
  isWalked = false
  /** How many nodes were open when it was entered. */
  opened = 0

  /** Notes whether a tuple of a group is usable: one that is hides the errors of the others (`openfga/openfga:pkg/storage/tuple_iterators.go`). */
  isUsable(group: number, holds: Outcome): boolean {
    if (holds === yes) this.groups[group] = yes
    else if (holds >= failed && this.groups[group] !== yes) this.groups[group] = holds
    return holds === yes
  }

  /** What the tuples came to, with the errors that no other one hides. */
  withHidden(groups: number): Outcome {
    let { outcome } = this
    for (let group = 0; group < groups && outcome !== yes; group++) {
      const hidden = this.groups[group] ?? no
      if (hidden >= failed) outcome = either(outcome, hidden)
    }
    return outcome
  }
}

/** Whether its tuples lead nowhere: to look again takes no longer than to remember, and of a million groups most are such. */
function isLeaf({ plan, node, depth, deepest, limited }: Frame, outcome: Outcome): boolean {
  return plan.kind === 'direct' && outcome === no && deepest === depth && !limited && node?.failure === begin
}

function isOutside(node: Node, frame: Frame): boolean {
  return frame.node?.relation.recursion !== node.relation.recursion
}
