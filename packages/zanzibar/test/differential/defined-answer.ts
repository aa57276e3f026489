import { openFgaLimits } from '../../src/limits.ts'
import type { Semantics } from '../../src/model/type-system.ts'
import type { TupleKey } from '../../src/tuple/tuple.ts'
import { naiveCheck, TooLong } from '../engine/naive-check.ts'
import type { RandomCase } from '../random/random-model.ts'

/** What a check is by its definition alone: a boolean, or the code of an error. Undefined where that takes too long. */
export function definedAnswer(
  given: RandomCase,
  asked: TupleKey,
  semantics: Semantics = 'openfga-v1',
  raced?: () => 'no' | 'cycle',
): boolean | string | undefined {
  const depthLimit = semantics === 'openfga-v1' ? openFgaLimits.resolveNodeLimit : Number.POSITIVE_INFINITY
  try {
    const answer = naiveCheck({ ...given, depthLimit, semantics, ...(raced && { raced }) }, asked)
    if (answer === 'deep') return 'authorization_model_resolution_too_complex'
    return answer === 'failed' ? 'validation_error' : answer === 'yes'
  } catch (error) {
    if (error instanceof TooLong) return undefined
    throw error
  }
}

/** How often a race is run. */
const races = 40

/** What OpenFGA's v1 can come to where a false and a cycle race each other: one of them may win, or now the one, now the other. */
export function racedAnswers(given: RandomCase, asked: TupleKey): ReadonlySet<boolean | string | undefined> {
  let draws = 1
  const raced = Array.from({ length: races }, () =>
    definedAnswer(given, asked, 'openfga-v1', () => {
      draws = (draws * 48_271) % 2_147_483_647
      return draws % 2 === 0 ? 'no' : 'cycle'
    }),
  )
  const all = [
    definedAnswer(given, asked),
    definedAnswer(given, asked, 'openfga-v1', () => 'cycle'),
    ...raced,
  ]
  return new Set(all)
}
