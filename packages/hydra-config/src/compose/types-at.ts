import { anyHint, type Hint, type Typing, typeText } from '../value/typing.ts'
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
  let hint: Hint | undefined
  for (const step of steps) {
    hint = at?.typing === undefined ? elementOf(hint, step) : elementOf(at.typing, step)
    at = at && childAt(at, step)
  }
  const { type } = at?.typing ?? hint ?? anyHint
  const struct = at?.typing?.struct ?? (type.kind === 'struct' ? type : undefined)
  const object = struct?.name ?? (at?.kind === 'list' ? 'list' : 'dict')
  const isOfField = type.kind === 'struct' || type.kind === 'list' || type.kind === 'dict'
  return { object, ...(isOfField ? { reference: typeText(at?.typing ?? hint ?? anyHint) } : {}) }
}

/** The type of what stands at `step` of a map or list of this type. */
function elementOf(container: (Hint & Partial<Typing>) | undefined, step: string): Hint | undefined {
  if (container === undefined) return undefined
  const { type, struct = type.kind === 'struct' ? type : undefined } = container
  if (struct !== undefined) return struct.fields.get(step)?.hint
  return type.kind === 'list' || type.kind === 'dict' ? type.element : undefined
}
