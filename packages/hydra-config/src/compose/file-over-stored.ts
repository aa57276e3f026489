import type { ResultDefault } from '../defaults/defaults-tree.ts'
import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import { merge } from '../merge/merge.ts'
import { isOfPython } from '../structured/typed-error.ts'
import type { Value } from '../value/value.ts'
import { withChild, withoutChild } from './path-edit.ts'

/**
 * A file over the stored config with its name, which so checks it, as Hydra 1.3 does with a warning.
 * @param body of the file
 * @throws {HydraConfigError} `COMPOSITION`
 */
export function fileOverStored(
  stored: Value,
  body: Value,
  { config, primary }: ResultDefault,
  resolve: ResolveOptions,
): Value {
  const page = 'https://hydra.cc/docs/1.2/upgrades/1.0_to_1.1/automatic_schema_matching'
  const told =
    `'${config}' is validated against ConfigStore schema with the same name.\n` +
    'This behavior is deprecated in Hydra 1.1 and will be removed in Hydra 1.2.\n'
  if (hasDefaults(stored)) {
    throw new HydraConfigError(
      'COMPOSITION',
      `${told}In addition, the automatically matched schema contains a defaults list.\n` +
        `This combination is no longer supported.\nSee ${page} for migration instructions.`,
      { class: 'ConfigCompositionException' },
    )
  }
  resolve.warn?.(`\n${told}See ${page} for migration instructions.`)
  if (body.kind !== 'map') return merged(stored, body, config, resolve)
  // The primary config sets values of Hydra's own node, which no schema has to name.
  const hydra = primary && !config.startsWith('hydra/') ? body.entries.get('hydra') : undefined
  if (hydra === undefined) return merged(stored, body, config, resolve)
  return withChild(merged(stored, withoutChild(body, 'hydra'), config, resolve), 'hydra', hydra)
}

function hasDefaults(stored: Value): boolean {
  const list = stored.kind === 'map' ? stored.entries.get('defaults') : undefined
  return list !== undefined && !(list.kind === 'scalar' && list.value === '???')
}

function merged(stored: Value, body: Value, config: string, resolve: ResolveOptions): Value {
  try {
    return merge(stored, body, resolve)
  } catch (cause) {
    if (!isHydraConfigError(cause) || isOfPython(cause)) throw cause
    const { origin, path } = cause
    throw new HydraConfigError('COMPOSITION', `Error merging '${config}' with schema`, {
      class: 'ConfigCompositionException',
      cause,
      origin,
      path,
    })
  }
}
