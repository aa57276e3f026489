import type { TupleKey } from '../tuple/tuple.ts'
import { objectReason, relationReason, type TupleRules, userReason } from '../tuple/validity.ts'

/** Why a tuple cannot be asked about: what it names must be well formed and defined, and may not be allowed by its restrictions. */
export function questionProblem(rules: TupleRules, tuple: TupleKey): string | undefined {
  return userReason(rules, tuple.user) ?? objectReason(rules, tuple.object) ?? relationReason(rules, tuple)
}
