import { CelError } from './cel-error.ts'
import { isList } from './compare.ts'
import type { Step } from './plan.ts'
import { CelMap, GrowingList, unknown, type Value } from './value.ts'

/** A comprehension whose parts are planned. */
export interface FoldParts {
  readonly range: Step
  readonly initial: Value
  /** Ends the loop where it is false; none where it always holds. */
  readonly condition: Step | undefined
  readonly step: Step
  readonly result: Step
  /** Where the result so far, and the element, stand among the locals. */
  readonly accumulated: number
  readonly current: number
}

/** Goes over the elements of a list, or the keys of a map. */
export function fold({ range, initial, condition, step, result, accumulated, current }: FoldParts): Step {
  return (frame) => {
    const over = range(frame)
    if (over === unknown || over instanceof CelError) return over
    const elements = over instanceof CelMap ? over.keys() : over
    if (!isList(elements)) return new CelError(`got '${goTypeName(over)}', expected iterable type`)
    const { locals } = frame
    locals[accumulated] = isList(initial) ? new GrowingList() : initial
    for (const element of elements) {
      locals[current] = element
      if (condition?.(frame) === false) break
      locals[accumulated] = step(frame)
    }
    const value = result(frame)
    return value instanceof GrowingList ? Array.from(value) : value
  }
}

function goTypeName(value: Value): string {
  if (value === null) return 'types.Null'
  const names: Readonly<Record<string, string>> = {
    string: 'String',
    boolean: 'Bool',
    bigint: 'Int',
    number: 'Double',
  }
  const name = names[typeof value] ?? (value instanceof Uint8Array ? 'Bytes' : value.constructor.name)
  return `types.${name}`
}
