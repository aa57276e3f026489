import { HydraConfigError } from '../errors.ts'
import type { MapValue, Value } from '../value/value.ts'

/** The mappings below `hydra` that take no other keys than these. */
const keysOf: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  [
    'hydra',
    new Set([
      ...[
        'mode',
        'searchpath',
        'run',
        'sweep',
        'hydra_logging',
        'job_logging',
        'sweeper',
        'launcher',
        'callbacks',
      ],
      ...['help', 'hydra_help', 'output_subdir', 'overrides', 'job', 'runtime', 'verbose', 'env'],
    ]),
  ],
  ['hydra.run', new Set(['dir'])],
  ['hydra.sweep', new Set(['dir', 'subdir'])],
  ['hydra.help', new Set(['app_name', 'header', 'footer', 'template'])],
  ['hydra.hydra_help', new Set(['hydra_help', 'template'])],
  ['hydra.overrides', new Set(['hydra', 'task'])],
  [
    'hydra.job',
    new Set([
      ...['name', 'chdir', 'override_dirname', 'id', 'num', 'config_name', 'env_set', 'env_copy', 'config'],
    ]),
  ],
  ['hydra.job.config', new Set(['override_dirname'])],
  ['hydra.job.config.override_dirname', new Set(['kv_sep', 'item_sep', 'exclude_keys'])],
  ['hydra.runtime', new Set(['version', 'version_base', 'cwd', 'config_sources', 'output_dir', 'choices'])],
])

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
