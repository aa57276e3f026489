import { sameKey, type Value } from '../value/value.ts'
import { childOf } from './access.ts'
import { dereferenced } from './dereference.ts'
import { type Draft, type DraftOptions, flagOf, freeze, pathTo, thaw, withFlags } from './draft.ts'
import { typedError } from './typed-error.ts'

/**
 * The configuration without a key, as `del node.key` of OmegaConf leaves it, its root opened before: a struct keeps its
 * fields, and what is readonly all that it has.
 * @throws {HydraConfigError} of the class of OmegaConf's error
 */
export function removed(config: Value, keys: readonly string[], options: DraftOptions): Value {
  const root = thaw(config, options)
  withFlags(root, { struct: false }, () => removeAt(root, keys))
  return freeze(root, options.copies)
}

function removeAt(root: Draft, keys: readonly string[]): void {
  const last = keys.at(-1) ?? ''
  let at = root
  for (const key of keys.slice(0, -1)) at = dereferenced(stepInto(at, key))
  if (at.shape !== 'map') throw typedError('TypeError', 'an item of a list cannot be deleted')
  const path = pathTo(at, last)
  if (flagOf(at, 'readonly') === true) {
    throw typedError('ReadonlyConfigError', `'${path}' is readonly`, { path })
  }
  if (flagOf(at, 'struct') === true) {
    throw typedError('ConfigTypeError', 'DictConfig in struct mode does not support deletion', { path })
  }
  if (at.struct !== undefined && at.flags.struct !== false) {
    throw typedError('ConfigTypeError', `${at.struct.name} (DictConfig) does not support deletion`, { path })
  }
  const known = sameKey(at.entries, last)
  if (known === undefined) throw typedError('ConfigKeyError', `there is no key '${last}'`, { path })
  at.entries.delete(known)
}

function stepInto(at: Draft, key: string): Draft {
  const child = at.shape === 'scalar' ? undefined : childOf(at, at.shape === 'list' ? BigInt(key) : key)
  if (child === undefined) throw typedError('ConfigKeyError', `there is nothing at '${key}'`)
  return child
}
