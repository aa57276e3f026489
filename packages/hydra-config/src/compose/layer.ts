import type { DefaultsTrail, ResultDefault } from '../defaults/defaults-tree.ts'
import type { Repository } from '../defaults/repository.ts'
import { HydraConfigError, isHydraConfigError, placed } from '../errors.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import { type MergeOptions, merge } from '../merge/merge.ts'
import { overrideOrigin } from '../override/places.ts'
import { map, type Origin, type Value } from '../value/value.ts'
import { applyOverride, type OverrideContext, overrideValue, type PlacedOverride } from './apply-overrides.ts'
import { ensureNoSearchPath } from './hydra-keys.ts'

/** One step of a composition: a config that is merged, or an override that is applied. */
export interface Layer {
  /** The configuration after this step. */
  apply(root: Value): Value
  /** What the step itself brings, at its place below the root; nothing for a deletion. */
  readonly brings: Value | undefined
  readonly origin: Origin
  /** Empty for an override. */
  readonly trail: DefaultsTrail
}

/** The config of one entry of the final defaults list, below its package. */
export function configLayer(repository: Repository, result: ResultDefault, resolve: ResolveOptions): Layer {
  const { config, package: ofPackage } = result
  const loaded = repository.load(config)
  const body = loaded?.body ?? map([])
  const { secretPaths } = resolve
  const placedBody = below(ofPackage === '' ? [] : ofPackage.split('.'), body)
  const embedded = secretPaths?.mark(placedBody) ?? placedBody
  if (!result.primary && config !== 'hydra/config') ensureNoSearchPath(config, embedded)
  return {
    apply(root) {
      // What was merged before knows nothing of these secrets.
      const last = secretPaths === undefined ? loaded?.lastMerge : undefined
      if (last?.root === root && last.package === ofPackage && last.merged !== undefined) return last.merged
      const options = { ...resolve, listEdits: repository.semantics === 'strict' }
      const merged = mergeConfig(root, embedded, config, options)
      if (last !== undefined) Object.assign(last, { root, package: ofPackage, merged })
      return merged
    },
    brings: embedded,
    origin: body.origin ?? { kind: 'code' },
    get trail(): DefaultsTrail {
      return result.trail
    },
  }
}

export function overrideLayer(given: PlacedOverride, context: OverrideContext): Layer {
  const { override, index } = given
  const origin = overrideOrigin(override, index)
  const place = { origin, path: override.key }
  const written = override.type === 'DEL' ? undefined : placed(place, () => overrideValue(given))
  const { secretPaths } = context.resolve
  const value = written && (secretPaths?.mark(written, override.key.split('.')) ?? written)
  return {
    apply: (root) => placed(place, () => applyOverride(root, given, value, context)),
    brings: value && below(override.key.split('.'), value),
    origin,
    trail: [],
  }
}

// OmegaConf runs out of Python's stack before.
const depthMax = 1000

/** @throws {HydraConfigError} `COMPOSITION` where the way is longer than any configuration is deep */
function below(steps: readonly string[], value: Value): Value {
  if (steps.length > depthMax) {
    throw new HydraConfigError(
      'COMPOSITION',
      `a path of ${steps.length} keys is too deep, at most ${depthMax} are taken: ${steps.slice(0, 5).join('.')}…`,
      { class: 'ConfigCompositionException', origin: value.origin },
    )
  }
  return steps.reduceRight((inner, step) => map([[step, inner]], inner.origin), value)
}

function mergeConfig(root: Value, embedded: Value, config: string, options: MergeOptions): Value {
  try {
    return merge(root, embedded, options)
  } catch (cause) {
    if (!isHydraConfigError(cause) || cause.code === 'INVALID_OPTION') throw cause
    const ofClass = cause.class === 'TypeError' ? cause.class : 'ConfigCompositionException'
    throw new HydraConfigError(
      'COMPOSITION',
      `In '${config}': ${cause.class ?? cause.name} raised while composing config:\n${cause.message}`,
      {
        class: ofClass,
        cause,
        origin: cause.origin,
        path: cause.path,
      },
    )
  }
}
