import type { DefaultsTrail, ResultDefault } from '../defaults/defaults-tree.ts'
import type { Repository } from '../defaults/repository.ts'
import { HydraConfigError, isHydraConfigError, placed } from '../errors.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import { type MergeOptions, mergeOf } from '../merge/merge.ts'
import { overrideOrigin } from '../override/places.ts'
import { withFlagsAt } from '../structured/flags.ts'
import { isOfPython } from '../structured/typed-error.ts'
import { type MapValue, map, type Origin, type Value } from '../value/value.ts'
import { applyOverride, type OverrideContext, overrideValue, type PlacedOverride } from './apply-overrides.ts'
import { ensureNoSearchPath } from './hydra-keys.ts'
import { withChild, withoutChild } from './path-edit.ts'

/** What every composition begins with. */
export const emptyRoot: MapValue = map([])

/** One step of a composition: a config that is merged, or an override that is applied. */
export interface Layer {
  /** The configuration after this step. */
  apply(root: Value): Value
  /** What the step itself brings, at its place below the root; nothing for a deletion. */
  readonly brings: Value | undefined
  readonly origin: Origin
  /** Empty for an override. */
  readonly trail: () => DefaultsTrail
}

/** The config of one entry of the final defaults list, below its package. */
export function configLayer(
  repository: Repository,
  result: ResultDefault,
  resolve: ResolveOptions,
): Layer & { readonly typed: boolean } {
  const { config, package: ofPackage } = result
  const loaded = repository.load(config)
  const schema = repository.schemaOf(config)
  const bare = loaded?.body ?? map([])
  const body = schema === undefined ? bare : schema.over(bare, result, resolve)
  const struct = loaded?.struct ?? schema?.struct
  const { secretPaths } = resolve
  const steps = ofPackage === '' ? [] : ofPackage.split('.')
  const placedBody = below(steps, body)
  const embedded = secretPaths?.mark(placedBody) ?? placedBody
  if (!result.primary && config !== 'hydra/config') ensureNoSearchPath(config, embedded)
  return {
    typed: struct !== undefined,
    apply(root) {
      // What was merged before knows nothing of these secrets, nor of this schema.
      const last = secretPaths === undefined && schema === undefined ? loaded?.lastMerge : undefined
      if (last?.root === root && last.package === ofPackage && last.merged !== undefined) return last.merged
      const options = { ...resolve, listEdits: repository.semantics === 'strict', heldReadonly: true }
      const { merged, always } = mergeConfig(root, embedded, config, options)
      if (last !== undefined && (always || loaded?.isOwn))
        Object.assign(last, { root, package: ofPackage, merged })
      return struct?.fields.has('defaults') === true ? withoutDefaults(merged, steps) : merged
    },
    brings: embedded,
    origin: body.origin ?? { kind: 'code' },
    trail: () => result.trail,
  }
}

/** Merging a struct over one that is null or missing brings its defaults list back. */
function withoutDefaults(root: Value, steps: readonly string[]): Value {
  if (root.kind !== 'map') return root
  const [step, ...rest] = steps
  if (step === undefined) return withoutChild(root, 'defaults')
  const child = root.entries.get(step)
  return child === undefined ? root : withChild(root, step, withoutDefaults(child, rest))
}

/** The root takes no keys that it has not, as Hydra locks it before overrides; its own node stays open to changes. */
export const lockLayer: Layer = {
  apply(root) {
    const locked = withFlagsAt(root, '', { struct: true })
    const isHydraThere = locked.kind === 'map' && locked.entries.has('hydra')
    return isHydraThere ? withFlagsAt(locked, 'hydra', { readonly: false }) : locked
  },
  brings: undefined,
  origin: { kind: 'code' },
  trail: () => [],
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
    trail: () => [],
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

function mergeConfig(
  root: Value,
  embedded: Value,
  config: string,
  options: MergeOptions,
): ReturnType<typeof mergeOf> {
  try {
    return mergeOf(root, embedded, options)
  } catch (cause) {
    if (!isHydraConfigError(cause) || cause.code === 'INVALID_OPTION') throw cause
    if (isOfPython(cause) && cause.class !== 'TypeError') throw cause
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
