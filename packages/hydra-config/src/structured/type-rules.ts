import { typedOverride } from '../compose/typed-override.ts'
import { lockedRoot, withoutDefaults } from '../compose/typed-root.ts'
import type { TypeRules } from '../value/typing.ts'
import { convertResult } from './convert-result.ts'
import { flagged } from './flags.ts'
import { mergeTyped } from './merge-drafts.ts'
import { removed } from './remove.ts'
import { updated } from './update.ts'

/** The rules that every type brings along. */
export const typeRules: TypeRules = {
  merge: (dest, src, options) => mergeTyped(dest, src, { ...options, rules: typeRules }),
  update: (config, path, value, options) => updated(config, path, value, { ...options, rules: typeRules }),
  remove: (config, keys, options) => removed(config, keys, { ...options, rules: typeRules }),
  withFlags: (config, path, flags) => flagged(config, path, flags, typeRules),
  convertResult,
  override: (root, value, override, options) => typedOverride(typeRules, root, value, override, options),
  lock: (root) => lockedRoot(typeRules, root),
  withoutDefaults,
}
