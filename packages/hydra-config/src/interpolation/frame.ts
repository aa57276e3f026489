import type { Place } from '../value/place.ts'
import type { Value } from '../value/value.ts'
import type { Program } from './program.ts'
import type { KeyPath } from './split-key.ts'

/** What an interpolation read: a value of the configuration, or a variable of the environment. */
export type Read = { readonly place: Place } | { readonly environment: string }

/** An expression that is being evaluated, or a search from outside. Frames stand on a stack of our own. */
export class Frame {
  /** Where the interpolation stands; undefined for a search from outside. */
  readonly node: Place | undefined
  /** The map or list that holds it; a search begins here. */
  readonly parent: Place
  readonly program: Program
  /** Whether the text is secret: then its value and all that is told of it are as well. */
  readonly secret: boolean
  /** Whether the result is the value of the node, and not only that of a text that `oc.decode` reads. */
  whole = false
  /** Tells the text among those that are evaluated for the same node: '' is the node's own. */
  scope = ''
  /** Where the reads go, if anybody asks. */
  reads: Read[] | undefined = undefined
  /** How many answers had not been kept when it began. */
  unkeptBefore: number | undefined = undefined
  /** Whether a secret was used, so that messages would show it. */
  guarded: boolean
  next = 0
  readonly operands: Place[] = []
  walk: Walk | undefined = undefined
  /** Whether the value of the frame above it is to be its next operand. */
  awaits = false

  constructor(node: Place | undefined, parent: Place, program: Program, isSecret: boolean) {
    this.node = node
    this.parent = parent
    this.program = program
    this.secret = isSecret
    this.guarded = isSecret
  }
}

/** A path that is being followed. */
export interface Walk {
  readonly path: KeyPath
  readonly throwOnMissing: boolean
  /** What to do with what is found; without it, it is what an interpolation of a path leads to. */
  readonly receive: ((found: Place | undefined) => Place | Value) | undefined
  /** Whether the path has a secret in it. */
  readonly secret: boolean
  index: number
  at: Place
  /** Whether the result of the frame above it is the next step. */
  waits: boolean
  /** Set at the end; undefined where nothing is. */
  found: Place | undefined
}
