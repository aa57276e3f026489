import { isZanzibarError, ZanzibarError } from '../errors.ts'
import { tooDeep, tooManyWays } from './decision.ts'

/**
 * What a branch came to: one of the values below, or {@link failed} and more: an index into the errors.
 * `openfga/openfga:internal/graph/check.go` reduces the same values; where it takes whichever comes first, we take what decides.
 */
export type Outcome = number

export const no: Outcome = 0
export const yes: Outcome = 1
/** The way led back to where it came from: not true, and not false for what is subtracted. Of v1, where it notices: else that is a no. */
export const cycle: Outcome = 2
/** Tuples must be fetched first. */
export const unknown: Outcome = 3
export const failed: Outcome = 4
/** No outcome: there is none yet. */
export const begin: Outcome = -1

/** A condition that could not be evaluated. */
export class ConditionError extends ZanzibarError {
  /** Parameters that neither the question nor the tuple gave. */
  readonly missing: readonly string[]

  constructor(message: string, missing: readonly string[], options?: ErrorOptions) {
    super('validation_error', message, options)
    this.missing = missing
  }
}

/** One true decides; else an error counts more than a false. */
export function either(a: Outcome, b: Outcome): Outcome {
  if (a === yes || b === yes) return yes
  if (a === unknown || b === unknown) return unknown
  if (a >= failed) return a
  if (b >= failed) return b
  return a === cycle || b === cycle ? cycle : no
}

/** One false decides, then a cycle; else an error counts more than a true. */
export function both(a: Outcome, b: Outcome): Outcome {
  if (a === no || b === no) return no
  if (a === unknown || b === unknown) return unknown
  if (a === cycle || b === cycle) return cycle
  if (a >= failed) return a
  return b
}

/** False as soon as the base is false or the other one true; a cycle on either side is false too. */
export function butNot(base: Outcome, subtract: Outcome): Outcome {
  if (base === no || subtract === yes) return no
  if (base === unknown || subtract === unknown) return unknown
  if (base === cycle || subtract === cycle) return cycle
  if (base >= failed) return base
  return subtract >= failed ? subtract : yes
}

/** The errors that branches of one question ended with. */
export class Failures {
  #errors: ZanzibarError[] | undefined
  #tooDeep: Outcome = begin
  #tooManyWays: Outcome = begin

  /** The parameters that conditions were not given. */
  get missing(): readonly string[] {
    return [
      ...new Set(
        (this.#errors ?? []).flatMap((each) => (each instanceof ConditionError ? each.missing : [])),
      ),
    ]
  }

  of(outcome: Outcome): ZanzibarError | undefined {
    return this.#errors?.[outcome - failed]
  }

  /** What leads further than the limit of depth. */
  tooDeep(): Outcome {
    if (this.#tooDeep === begin) this.#tooDeep = this.add(tooDeep())
    return this.#tooDeep
  }

  /** What is no longer walked; another operand may decide without it. */
  tooManyWays(object: string, relation: string): Outcome {
    if (this.#tooManyWays === begin) this.#tooManyWays = this.add(tooManyWays(object, relation))
    return this.#tooManyWays
  }

  /** Keeps an error that a user's data or question caused; any other is thrown. */
  add(error: unknown): Outcome {
    if (!isZanzibarError(error)) throw error
    this.#errors ??= []
    return failed + this.#errors.push(error) - 1
  }
}
