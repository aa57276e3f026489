import { HydraConfigError } from '../errors.ts'
import type { MapValue, Value } from '../value/value.ts'

/** The mappings below `hydra` that take no other keys than these. */
const keysOf: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    hydra:
      'mode searchpath run sweep hydra_logging job_logging sweeper launcher callbacks help hydra_help output_subdir ' +
      'overrides job runtime verbose env',
    'hydra.run': 'dir',
    'hydra.sweep': 'dir subdir',
    'hydra.help': 'app_name header footer template',
    'hydra.hydra_help': 'hydra_help template',
    'hydra.overrides': 'hydra task',
    'hydra.job': 'name chdir override_dirname id num config_name env_set env_copy config',
    'hydra.job.config': 'override_dirname',
    'hydra.job.config.override_dirname': 'kv_sep item_sep exclude_keys',
    'hydra.runtime': 'version version_base cwd config_sources output_dir choices',
  }).map(([path, keys]) => [path, new Set(keys.split(' '))]),
)

/**
 * Hydra's own node has a schema: its mappings take no keys that it does not name.
 * @throws {HydraConfigError} `COMPOSITION`
 */
export function ensureHydraKeys(root: MapValue): void {
  const hydra = root.entries.get('hydra')
  if (hydra !== undefined) ensureKeys(hydra, 'hydra')
}

function ensureKeys(value: Value, path: string): void {
  const keys = keysOf.get(path)
  if (keys === undefined || value.kind !== 'map') return
  for (const [key, item] of value.entries) {
    if (typeof key !== 'string' || !keys.has(key)) {
      throw new HydraConfigError(
        'COMPOSITION',
        `there is no ${path}.${String(key)}; ${path} has ${[...keys].join(', ')}`,
        { class: 'ConfigCompositionException' },
      )
    }
    ensureKeys(item, `${path}.${key}`)
  }
}
