import type { Relation } from '../model/type-system.ts'
import type { Tuple } from '../tuple/tuple.ts'
import { countsAsIs } from '../tuple/validity.ts'
import { either, type Failures, no, type Outcome, unknown, yes } from './outcome.ts'
import type { TupleReader } from './tuple-reader.ts'

/** What tuples come to by themselves: whether they count, and their conditions hold. */
export class HeldTuples {
  readonly reader: TupleReader
  readonly failures: Failures

  constructor(reader: TupleReader, failures: Failures) {
    this.reader = reader
    this.failures = failures
  }

  /** Of the tuples that assign one relation of an object; undefined where they must be fetched. */
  anyOf(relation: Relation, tuples: readonly Tuple[] | undefined): Outcome {
    if (tuples === undefined) return unknown
    let outcome: Outcome = no
    for (const tuple of tuples) {
      if (countsAsIs(relation, tuple)) return yes
      outcome = either(outcome, this.holds(tuple))
      if (outcome === yes) return yes
    }
    return outcome
  }

  holds(tuple: Tuple): Outcome {
    if (!this.reader.counts(tuple)) return no
    if (tuple.condition === undefined) return yes
    try {
      return this.reader.isMet(tuple) ? yes : no
    } catch (error) {
      return this.failures.add(error)
    }
  }
}
