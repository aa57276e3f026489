import type { Random } from '../ports.ts'
import type { Element } from './override.ts'

/** What a function gets: `rest` for `*args`, and each parameter that was given. */
export interface Bound {
  readonly rest: readonly Element[]
  readonly parameters: ReadonlyMap<string, Element>
  readonly random: Random
}
