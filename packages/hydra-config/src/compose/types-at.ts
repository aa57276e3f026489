import type { Value } from '../value/value.ts'
import { childAt, childPath } from '../value/value-path.ts'
import type { HydraRules } from './hydra-rules.ts'
import type { ContainerTypes } from './type-lines.ts'

/** The path at the end of `steps`, such as `db.ports[0]`, as OmegaConf's `full_key` has it. */
export function fullKeyOf(root: Value, steps: readonly string[]): string {
  let path = ''
  let at: Value | undefined = root
  for (const step of steps) {
    path = childPath(path, step, at ?? root)
    at = at && childAt(at, step)
  }
  return path
}

/** The types of the map or list at the end of `steps`. */
export function typesAt(
  root: Value,
  steps: readonly string[],
  hydra: HydraRules | undefined,
): ContainerTypes {
  const [first, ...rest] = steps
  const ofHydra = first === 'hydra' ? hydra?.typesAt(rest) : undefined
  if (ofHydra !== undefined) return ofHydra
  let at: Value | undefined = root
  for (const step of steps) at = at && childAt(at, step)
  const struct = at?.typing?.struct
  if (struct === undefined) return { object: at?.kind === 'list' ? 'list' : 'dict' }
  const isOfField = at?.typing?.type.kind === 'struct'
  return { object: struct.name, ...(isOfField ? { reference: struct.name } : {}) }
}
