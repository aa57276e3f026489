import type { TypeRules } from '../value/typing.ts'
import type { Value } from '../value/value.ts'
import { withChild, withoutChild } from './path-edit.ts'

/** The root takes no keys that it has not, as Hydra locks it before overrides; its own node stays open to changes. */
export function lockedRoot(rules: TypeRules, root: Value): Value {
  const locked = rules.withFlags(root, '', { struct: true })
  const isHydraThere = locked.kind === 'map' && locked.entries.has('hydra')
  return isHydraThere ? rules.withFlags(locked, 'hydra', { readonly: false }) : locked
}

/** Merging a struct over one that is null or missing brings its defaults list back. */
export function withoutDefaults(root: Value, steps: readonly string[]): Value {
  if (root.kind !== 'map') return root
  const [step, ...rest] = steps
  if (step === undefined) return withoutChild(root, 'defaults')
  const child = root.entries.get(step)
  return child === undefined ? root : withChild(root, step, withoutDefaults(child, rest))
}
