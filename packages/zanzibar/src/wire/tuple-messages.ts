import type { Tuple } from '../tuple/tuple.ts'
import type { TupleKeyMessage } from './messages/tuples.ts'

/** A tuple as it comes in a request. */
export function tupleOf({ user, relation, object, condition }: TupleKeyMessage): Tuple {
  if (condition === undefined) return { user, relation, object }
  const { name, context } = condition
  return { user, relation, object, condition: context === undefined ? { name } : { name, context } }
}

/** A tuple as it goes out. */
export function tupleMessage({ user, relation, object, condition }: Tuple): TupleKeyMessage {
  return {
    user,
    relation,
    object,
    condition: condition && { name: condition.name, context: condition.context ?? {} },
  }
}
