import type { DefaultsTrail } from '../defaults/defaults-tree.ts'
import type { Origin } from '../value/value.ts'

/** Where a value comes from, what it replaced and what its interpolation read. */
export interface Provenance {
  /** Such as `db.port`; '' for the root and for an environment variable; behind an interpolation, where that leads. */
  readonly path: string
  /** As {@link Composition.value} has it, `???` where it is missing, `***` for a secret; undefined where it was deleted. */
  readonly value: unknown
  /** Where the value was written; of a deleted one, what deleted it. */
  readonly origin: Origin
  /** Everything that was done at the path, in the order of composition; the last step made the value. */
  readonly history: readonly HistoryStep[]
  /** Present where an interpolation stands at the path. */
  readonly interpolation?: InterpolationTrace
}

/** One step of the composition at one path. */
export interface HistoryStep {
  /** `set` where nothing was, `merge` of a map into a map, `replace` of what was there, `delete`. */
  readonly op: 'set' | 'merge' | 'replace' | 'delete'
  readonly origin: Origin
  /** What the step wrote, interpolations as they were written, `***` for a secret; undefined for `delete`. */
  readonly value: unknown
  /** The way from the primary config to the config that did it; empty for an override of the command line. */
  readonly via: DefaultsTrail
}

/** What an interpolation did. */
export interface InterpolationTrace {
  /** As it was written. */
  readonly expr: string
  /** Where each value and environment variable that it read comes from, in the order of reading. */
  readonly reads: readonly Provenance[]
  /** Why it has no value, where it has none; the provenance then has the text as its value. */
  readonly error?: Error
}
