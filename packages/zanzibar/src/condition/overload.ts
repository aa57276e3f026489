import { CelError } from './cel-error.ts'
import { Duration } from './duration.ts'
import { Timestamp } from './timestamp.ts'
import { noSuchOverload, type Value } from './value.ts'

/** What `name` says to a first operand it does nothing with; text and times have methods, so cel-go looks no further. */
export function unsupported(name: string, operand: Value): CelError {
  const hasMethods =
    typeof operand === 'string' || operand instanceof Duration || operand instanceof Timestamp
  return hasMethods ? noSuchOverload : new CelError(`no such overload: ${name}`)
}
