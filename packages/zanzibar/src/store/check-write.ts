import { ZanzibarError } from '../errors.ts'
import type { Limits } from '../limits.ts'
import { isValidUser } from '../tuple/object.ts'
import type { Context, Tuple, TupleKey } from '../tuple/tuple.ts'
import {
  implicitProblem,
  refusedTuple,
  type TupleProblem,
  type TupleRules,
  writeProblem,
} from '../tuple/validity.ts'
import type { TupleFilter, TupleToWrite, WriteRequest } from './tuple-store.ts'

/** Options of {@link checkWrite}. */
export interface WriteCheck {
  /** The model that what is written must suit; not needed where nothing is. */
  readonly rules: TupleRules | undefined
  readonly limits: Pick<Limits, 'maxTuplesPerWrite' | 'maxConditionContextBytes'>
  /** Bytes of a context as protobuf writes it. */
  readonly sizeOf: (context: Context) => number
}

/**
 * Looks at a request before it is given to a store.
 *
 * @throws ZanzibarError in OpenFGA's order: `invalid_write_input` for none at all, `validation_error` for a tuple that the model
 *   does not take, `cannot_allow_duplicate_tuples_in_one_request`, `exceeded_entity_limit`
 */
export function checkWrite(request: WriteRequest, { rules, limits, sizeOf }: WriteCheck): void {
  const { deletes = [], writes = [], removeWhere = [] } = request
  if (deletes.length + writes.length + removeWhere.length === 0) {
    throw new ZanzibarError(
      'invalid_write_input',
      'Invalid input. Make sure you provide at least one write, or at least one delete',
    )
  }
  refuseEmptyFilters(removeWhere)
  for (const tuple of writes) {
    const problem =
      (rules && writeProblem(rules, tuple)) ??
      implicitProblem(tuple) ??
      expiryProblem(tuple) ??
      sizeProblem(tuple, limits.maxConditionContextBytes, sizeOf)
    if (problem !== undefined) throw refusedTuple(tuple, problem)
  }
  for (const key of deletes) {
    if (!isValidUser(key.user)) {
      throw refusedTuple(key, { kind: 'tuple', reason: "the 'user' field is malformed" })
    }
  }
  refuseDuplicates([...deletes, ...writes])
  if (deletes.length + writes.length > limits.maxTuplesPerWrite) {
    throw new ZanzibarError(
      'exceeded_entity_limit',
      `The number of write operations exceeds the allowed limit of ${limits.maxTuplesPerWrite}`,
    )
  }
}

/** One that names nothing would remove every tuple: so would an `undefined` that was to be an object. */
function refuseEmptyFilters(filters: readonly TupleFilter[]): void {
  for (const { object, relation, user } of filters) {
    if (object !== undefined || relation !== undefined || user !== undefined) continue
    throw new ZanzibarError(
      'invalid_write_input',
      'Invalid input. A filter of removeWhere names an object, a relation or a user; without any it would remove every tuple',
    )
  }
}

/** What is no number is after no moment and before none: the tuple would never expire. */
export function expiryProblem({ expiresAt }: TupleToWrite): TupleProblem | undefined {
  if (expiresAt === undefined || Number.isSafeInteger(expiresAt)) return undefined
  return { kind: 'tuple', reason: `expiresAt must be a whole number of milliseconds, not ${expiresAt}` }
}

function sizeProblem(
  { condition }: Tuple,
  limit: number,
  sizeOf: WriteCheck['sizeOf'],
): TupleProblem | undefined {
  const size = condition?.context === undefined ? 0 : sizeOf(condition.context)
  if (size <= limit) return undefined
  const reason = `condition context size limit exceeded: ${size} bytes exceeds ${limit} bytes`
  return { kind: 'tuple', reason }
}

function refuseDuplicates(keys: readonly TupleKey[]): void {
  const seen = new Set<string>()
  for (const { user, relation, object } of keys) {
    // A relation has no '#' and no '@': no two keys are one text.
    const text = `${object}#${relation}@${user}`
    if (seen.has(text)) {
      throw new ZanzibarError(
        'cannot_allow_duplicate_tuples_in_one_request',
        `duplicate tuple in write: user: '${user}', relation: '${relation}', object: '${object}'`,
      )
    }
    seen.add(text)
  }
}
