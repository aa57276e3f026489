import { isDeepStrictEqual } from 'node:util'
import { type Arbitrary, asyncProperty, check } from 'fast-check'
import { HarnessError, isHarnessError } from '../errors.ts'

/** A difference that is understood and stays. */
export interface KnownDifference<Case, Ours, Theirs> {
  /** Why the two differ there, as the report prints it. */
  readonly reason: string
  readonly covers: (input: Case, ours: Ours, theirs: Theirs) => boolean
}

export interface Comparison<Case, Ours, Theirs> {
  /** Makes the cases, and makes them smaller. */
  readonly arbitrary: Arbitrary<Case>
  readonly ours: (input: Case) => Ours | Promise<Ours>
  /** Asks the other program, such as `(input) => oracle.ask(input)`. */
  readonly theirs: (input: Case) => Theirs | Promise<Theirs>
  /** Default: deep strict equality. */
  readonly equal?: (ours: Ours, theirs: Theirs, input: Case) => boolean
  /** The first that covers a difference takes it. Default: none. */
  readonly known?: readonly KnownDifference<Case, Ours, Theirs>[]
  /** The same seed makes the same cases. Default: drawn, and told in the report. */
  readonly seed?: number
  /** How many cases. Default: 1,000. */
  readonly runs?: number
  /** After so many differing cases it stops. Default: 5. */
  readonly maxDifferences?: number
  /** After so many unanswered cases it stops: each may have cost a whole timeout. Default: 10. */
  readonly maxUnanswered?: number
}

/** The smallest case found on which the two differ. */
export interface Difference<Case, Ours, Theirs> {
  readonly case: Case
  /** Our answer; where we threw, the error. */
  readonly ours: Ours | Error
  readonly theirs: Theirs
  /** How many of the cases were shrunk to this one. */
  readonly cases: number
}

export interface ComparisonReport<Case, Ours, Theirs> {
  readonly seed: number
  /** How many cases were asked for. */
  readonly runs: number
  /** How many were put to both: fewer than `runs` where one of the limits stopped it. */
  readonly cases: number
  /** On how many the answers were equal. */
  readonly agreed: number
  readonly differences: readonly Difference<Case, Ours, Theirs>[]
  /** Each known difference with the number of cases that it explained. */
  readonly known: readonly { readonly reason: string; readonly cases: number }[]
  /** The cases on which the other program died, hung or wrote no JSON. They are neither agreed nor different. */
  readonly unanswered: readonly { readonly case: Case; readonly error: HarnessError }[]
}

const oracleFailures: ReadonlySet<string> = new Set(['ORACLE_TIMED_OUT', 'ORACLE_DIED', 'ORACLE_GARBLED'])

/**
 * Puts random cases to two programs and compares their answers. A difference is shrunk to the smallest case that
 * still differs; then the search goes on behind it. A case of no answer is counted as `unanswered` and the next one is
 * tried, for an oracle starts its program anew. What `ours` throws is a difference; what `theirs` throws, other than
 * the failure of an oracle, is thrown on.
 *
 * @throws HarnessError `BAD_OPTION` for a number that is none, or negative.
 */
export async function compareWithOracle<Case, Ours, Theirs>(
  comparison: Comparison<Case, Ours, Theirs>,
): Promise<ComparisonReport<Case, Ours, Theirs>> {
  const { known = [], runs = 1000, maxDifferences = 5, maxUnanswered = 10 } = comparison
  const seed = comparison.seed ?? Math.trunc(Math.random() * 2 ** 31)
  for (const [option, value] of Object.entries({ seed, runs, maxDifferences, maxUnanswered })) {
    if (!Number.isSafeInteger(value) || (value < 0 && option !== 'seed')) {
      throw new HarnessError('BAD_OPTION', `${option} must be an integer of at least 0, received ${value}`)
    }
  }
  const tally: Tally<Case> = { cases: 0, agreed: 0, known: known.map(() => 0), unanswered: [] }
  const differences: Difference<Case, Ours, Theirs>[] = []
  for (let found = 0; found < maxDifferences; found++) {
    const difference = await nextDifference(comparison, tally, { seed, runs, maxUnanswered })
    if (difference === undefined) break
    merge(differences, difference)
  }
  return {
    seed,
    runs,
    cases: tally.cases,
    agreed: tally.agreed,
    differences,
    known: known.map(({ reason }, at) => ({ reason, cases: tally.known[at] ?? 0 })),
    unanswered: tally.unanswered,
  }
}

interface Tally<Case> {
  cases: number
  agreed: number
  known: number[]
  unanswered: { case: Case; error: HarnessError }[]
}

// Goes on behind the cases that the tally holds already, up to the first difference, which it shrinks.
async function nextDifference<Case, Ours, Theirs>(
  comparison: Comparison<Case, Ours, Theirs>,
  tally: Tally<Case>,
  { seed, runs, maxUnanswered }: { seed: number; runs: number; maxUnanswered: number },
): Promise<Difference<Case, Ours, Theirs> | undefined> {
  let smallest: Difference<Case, Ours, Theirs> | undefined
  let fatal: { readonly error: unknown } | undefined
  const property = asyncProperty(comparison.arbitrary, async (input) => {
    // After the first difference fast-check only shrinks: its probes are no cases of their own.
    const shrinking = smallest !== undefined
    if (fatal !== undefined || (!shrinking && tally.unanswered.length >= maxUnanswered)) return true
    try {
      const outcome = await judge(comparison, input)
      if (!shrinking) count(outcome, input, tally)
      if (outcome.kind !== 'different') return true
      smallest = { case: input, ours: outcome.ours, theirs: outcome.theirs, cases: 1 }
      return false
    } catch (error) {
      fatal = { error }
      return true
    }
  })
  if (tally.cases < runs)
    await check(property, { seed, path: String(tally.cases), numRuns: runs - tally.cases })
  if (fatal !== undefined) throw fatal.error
  return smallest
}

function count<Case>(outcome: Outcome<unknown, unknown>, input: Case, tally: Tally<Case>): void {
  tally.cases++
  if (outcome.kind === 'agreed') tally.agreed++
  else if (outcome.kind === 'known') tally.known[outcome.at] = (tally.known[outcome.at] ?? 0) + 1
  else if (outcome.kind === 'unanswered') tally.unanswered.push({ case: input, error: outcome.error })
}

type Outcome<Ours, Theirs> =
  | { readonly kind: 'agreed' }
  | { readonly kind: 'known'; readonly at: number }
  | { readonly kind: 'unanswered'; readonly error: HarnessError }
  | { readonly kind: 'different'; readonly ours: Ours | Error; readonly theirs: Theirs }

async function judge<Case, Ours, Theirs>(
  { ours, theirs, equal = (a, b) => isDeepStrictEqual(a, b), known = [] }: Comparison<Case, Ours, Theirs>,
  input: Case,
): Promise<Outcome<Ours, Theirs>> {
  let their: Theirs
  try {
    their = await theirs(input)
  } catch (error) {
    if (isHarnessError(error) && oracleFailures.has(error.code)) return { kind: 'unanswered', error }
    throw error
  }
  let our: Ours
  try {
    our = await ours(input)
  } catch (error) {
    const thrown = error instanceof Error ? error : new Error(`thrown: ${String(error)}`)
    return { kind: 'different', ours: thrown, theirs: their }
  }
  if (equal(our, their, input)) return { kind: 'agreed' }
  const at = known.findIndex(({ covers }) => covers(input, our, their))
  return at === -1 ? { kind: 'different', ours: our, theirs: their } : { kind: 'known', at }
}

function merge<Case, Ours, Theirs>(
  differences: Difference<Case, Ours, Theirs>[],
  found: Difference<Case, Ours, Theirs>,
): void {
  const at = differences.findIndex((one) => isDeepStrictEqual(one.case, found.case))
  const before = differences[at]
  if (before === undefined) differences.push(found)
  else differences[at] = { ...before, cases: before.cases + 1 }
}
