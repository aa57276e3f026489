import { isHydraConfigError } from '../errors.ts'
import type { Override } from '../override/override.ts'
import type { ChangeOptions, OverrideMode, TypeRules } from '../value/typing.ts'
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
  { strict, resolution, copies }: ChangeOptions & OverrideMode,
): Value {
  const { key, text, type, edit } = override
  const options = { resolution, copies }
  const forceAdd = type !== 'CHANGE'
  try {
    if (strict === undefined || edit === undefined)
      return rules.update(root, key, value, { ...options, forceAdd })
    const there = valueAt(root, followed(root, key.split('.'), options) ?? [])
    const edited = strict.lists.byOverride(there, edit, value, override)
    return rules.update(root, key, edited, { ...options, merge: false })
  } catch (cause) {
    const isUnknown = isHydraConfigError(cause) && /^Config(?:Attribute|Key)Error$/.test(cause.class ?? '')
    if (!isUnknown || forceAdd) throw cause
    return refuse(`Could not override '${key}'.\nTo append to your config use +${text}`, undefined, cause)
  }
}
