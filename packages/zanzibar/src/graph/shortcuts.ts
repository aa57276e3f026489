import { Membership } from '../leopard/membership.ts'
import type { Above } from '../store/snapshot.ts'
import { isTypedWildcard } from '../tuple/object.ts'
import { certainWaysOf } from './above.ts'
import { begin, type Outcome, yes } from './outcome.ts'
import type { Node, Path } from './path.ts'
import { type Asker, Reached } from './reached.ts'
import type { Scope } from './tuple-reader.ts'

interface Asked extends Asker {
  readonly path: Path
}

/**
 * What nodes come to without being entered: by the closure index, or, without it, from the user's side. For users that are
 * neither usersets nor everyone.
 */
export class Shortcuts {
  /** How much was looked at, in steps of a check. */
  work = 0
  readonly #asked: Asked
  readonly #limit: number
  /** Whether the user's side tells: a contextual tuple may hide what is stored. */
  readonly #isReachable: boolean
  #members: Membership | undefined
  #reached: Reached | undefined

  constructor(scope: Scope, asked: Asked) {
    this.#asked = asked
    this.#limit = scope.depthLimit
    const { plans, reader, user } = asked
    const isPlain = !user.includes('#') && !isTypedWildcard(user)
    const view = isPlain ? scope.index?.at(scope.snapshot.revision, scope.contextualTuples) : undefined
    if (view !== undefined) this.#members = new Membership(view, plans, reader, user)
    const isGiven = (scope.contextualTuples ?? []).length > 0
    this.#isReachable = isPlain && view === undefined && !isGiven && scope.isExplained !== true
  }

  /** Whether there is an index, which has no need of what lies on the way. */
  get isIndexed(): boolean {
    return this.#members !== undefined
  }

  /** The way from the user's side, for a store that fetches; undefined where nothing is told by it, or it was told. */
  get above(): Above | undefined {
    return this.#reached?.above
  }

  /** Notes that a list on the way down is a wide one. */
  meetWide(): void {
    const { plans, relation } = this.#asked
    if (this.#isReachable) certainWaysOf(plans, relation).isWide = true
  }

  /** Looks at what is at hand by now; whether more can be told than before. */
  grow(): boolean {
    if (!this.#isReachable) return false
    this.#reached ??= new Reached(this.#asked)
    return this.#reached.grows()
  }

  /** What a node comes to; {@link begin} where it must be entered. */
  lookUp(node: Node, object: string, depth: number): Outcome {
    if (this.#members !== undefined) return this.#byIndex(this.#members, node, object, depth)
    const height = this.#reached?.height(node.relation, object)
    if (height === undefined || depth + height >= this.#limit) return begin
    this.#asked.path.settle(node, yes, depth, height)
    return yes
  }

  #byIndex(members: Membership, node: Node, object: string, depth: number): Outcome {
    const { relation } = node
    node.closure ??= members.closure(relation, object)
    const { closure } = node
    // What leads there leads too far as well; to look for it again and again would take longer than to walk.
    if (closure === 'too large') this.#members = undefined
    if (closure === undefined || closure === 'too large') return begin
    const height = closure === 'alone' ? 0 : closure.height
    // At the limit of depth it counts how far every way leads, and into what.
    if (this.#limit !== Number.POSITIVE_INFINITY) {
      const { path } = this.#asked
      if (path.isNearLimit(depth + height) || path.levels(node, path.top)?.mayFail === true) return begin
    }
    const outcome = members.among(relation, object, closure)
    this.work += members.work
    members.work = 0
    if (outcome !== begin)
      this.#asked.path.settle(node, outcome, depth, height === Number.POSITIVE_INFINITY ? 0 : height + 1)
    return outcome
  }
}
