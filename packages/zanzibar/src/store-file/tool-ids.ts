import { splitUser } from '../tuple/object.ts'
import type { Tuple } from '../tuple/tuple.ts'

// Of OpenFGA's tools (`openfga/language:pkg/js/validator/validate-rules.ts`); its server takes more.
const toolId = /^[^#:\s*][\w|*@.+/-]*$/

/** Whether OpenFGA's tools take the id of an object. */
export function isToolId(id: string): boolean {
  return toolId.test(id)
}

/** The objects of tuples whose ids OpenFGA's tools refuse, each once. */
export function objectsForNoTool(tuples: readonly Tuple[]): readonly string[] {
  const objects = new Set(tuples.flatMap(({ object, user }) => [object, splitUser(user).object]))
  return [...objects].filter((object) => {
    const id = object.slice(object.indexOf(':') + 1)
    return id !== '*' && !isToolId(id)
  })
}
