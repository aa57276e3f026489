import { isHydraConfigError } from '../errors.ts'
import type { Override } from '../override/override.ts'
import type { TypeRules } from '../value/typing.ts'
import type { Value } from '../value/value.ts'
import { valueAt } from '../value/value-path.ts'
import { followed } from './followed.ts'
import { refuse } from './refuse.ts'

/** Applies an override to a configuration with types, as OmegaConf changes it. */
export function typedOverride(
  rules: TypeRules,
  root: Value,
  value: Value,
  override: Override,
  { strict, resolve, copies }: Parameters<TypeRules['override']>[3],
): Value {
  const { key, text, type, edit } = override
  const forceAdd = type !== 'CHANGE'
  try {
    if (strict === undefined || edit === undefined)
      return rules.update(root, key, value, { ...resolve, copies, forceAdd })
    const there = valueAt(root, followed(root, key.split('.'), resolve) ?? [])
    const edited = strict.lists.byOverride(there, edit, value, override)
    return rules.update(root, key, edited, { ...resolve, copies, merge: false })
  } catch (cause) {
    const isUnknown = isHydraConfigError(cause) && /^Config(?:Attribute|Key)Error$/.test(cause.class ?? '')
    if (!isUnknown || forceAdd) throw cause
    return refuse(`Could not override '${key}'.\nTo append to your config use +${text}`, undefined, cause)
  }
}
