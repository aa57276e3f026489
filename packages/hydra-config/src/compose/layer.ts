import type { ConfigRepository } from '../defaults/config-repository.ts'
import type { DefaultsTrail, ResultDefault } from '../defaults/defaults-tree.ts'
import { HydraConfigError, isHydraConfigError, placed } from '../errors.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import { splitKey } from '../interpolation/split-key.ts'
import { type MergingOptions, mergeOf } from '../merge/merge.ts'
import { overrideOrigin } from '../override/places.ts'
import { isOfPython } from '../structured/typed-error.ts'
import { OwnCopies } from '../value/own-copies.ts'
import type { TypeRules } from '../value/typing.ts'
import { type MapValue, map, type Origin, type Value } from '../value/value.ts'
import { applyOverride, type OverrideContext, overrideValue, type PlacedOverride } from './apply-overrides.ts'
import type { HydraRules } from './hydra-rules.ts'
import { typeLines } from './type-lines.ts'
import { typesAt } from './types-at.ts'

/** What every composition begins with. */
export const emptyRoot: MapValue = map([])

/** One step of a composition: a config that is merged, or an override that is applied. */
export interface Layer {
  /** @param copies of containers that nobody else holds. Default: none, so that `root` stays as it is. */
  apply(root: Value, copies?: OwnCopies): Applied
  /** What the step itself brings, at its place below the root; nothing for a deletion. */
  readonly brings: Value | undefined
  readonly origin: Origin
  /** Empty for an override. */
  readonly trail: () => DefaultsTrail
}

interface Applied {
  /** The configuration after a step. */
  readonly root: Value
  /** Whether the same root gives the same again, whatever resolvers and variables there are. */
  readonly always: boolean
}

/** The config of one entry of the final defaults list, below its package. */
export function configLayer(
  repository: ConfigRepository,
  result: ResultDefault,
  resolve: ResolveOptions,
  hydra: HydraRules | undefined,
): Layer & { readonly rules: TypeRules | undefined } {
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
  if (!result.primary && config !== 'hydra/config') hydra?.ensureNoSearchPath(config, embedded)
  return {
    rules: struct?.rules,
    apply(root) {
      // What was merged before knows nothing of these secrets, nor of this schema.
      const last = secretPaths === undefined && schema === undefined ? loaded?.lastMerge : undefined
      if (last?.root === root && last.package === ofPackage && last.merged !== undefined)
        return { root: last.merged, always: true }
      const options = { ...resolve, editing: repository.strict?.lists, heldReadonly: true }
      const found = mergeConfig(root, embedded, config, options, hydra)
      const { merged } = found
      const always = found.always || loaded?.isOwn === true
      if (last !== undefined && always) Object.assign(last, { root, package: ofPackage, merged })
      // The schema of a file, as in Hydra, keeps a field `defaults` that nobody has set.
      return loaded?.struct?.fields.has('defaults') === true
        ? { root: loaded.struct.rules.withoutDefaults(merged, steps), always: false }
        : { root: merged, always: always && schema === undefined }
    },
    brings: embedded,
    origin: body.origin ?? { kind: 'code' },
    trail: () => result.trail,
  }
}

/** The root takes no keys that it has not, as Hydra locks it before overrides; its own node stays open to changes. */
export function lockLayer(rules: TypeRules): Layer {
  return {
    apply: (root) => ({ root: rules.lock(root), always: false }),
    brings: undefined,
    origin: { kind: 'code' },
    trail: () => [],
  }
}

export function overrideLayer(given: PlacedOverride, context: OverrideContext): Layer {
  const { override, index } = given
  const origin = overrideOrigin(override, index)
  const place = { origin, path: override.key }
  const written =
    override.type === 'DEL' ? undefined : placed(place, () => overrideValue(given, context.functions))
  const { secretPaths } = context.resolve
  const value = written && (secretPaths?.mark(written, override.key.split('.')) ?? written)
  return {
    apply: (root, copies = new OwnCopies(context.copy)) => ({
      root: placed(place, () => applyOverride(root, given, value, context, copies)),
      always: true,
    }),
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
  options: MergingOptions,
  hydra: HydraRules | undefined,
): ReturnType<typeof mergeOf> {
  try {
    return mergeOf(root, embedded, options)
  } catch (cause) {
    if (!isHydraConfigError(cause) || cause.code === 'INVALID_OPTION') throw cause
    if (isOfPython(cause) && cause.class !== 'TypeError') throw cause
    const ofClass = cause.class === 'TypeError' ? cause.class : 'ConfigCompositionException'
    const isPlain = cause.code === 'MERGE' && !cause.problem.includes('\n    object_type=')
    const lines = isPlain ? typeLines('', { object: 'dict' }) : typedLines(root, cause)
    const ofHydra = isPlain ? hydra?.mergeProblem(embedded, cause.path ?? '') : undefined
    const raised = ofHydra === undefined ? (cause.class ?? cause.name) : 'ValidationError'
    throw new HydraConfigError(
      'COMPOSITION',
      `In '${config}': ${raised} raised while composing config:\n${ofHydra ?? cause.problem}${lines}`,
      {
        class: ofClass,
        cause,
        origin: cause.origin,
        path: cause.path,
      },
    )
  }
}

/** The lines of an exception about a key of a structured config. */
function typedLines(root: Value, { code, path, problem }: HydraConfigError): string {
  const isTyped = code === 'CONFIG_INVALID' || code === 'UNKNOWN_PATH' || code === 'READONLY'
  if (!isTyped || path === undefined || problem.includes('\n    object_type=')) return ''
  return typeLines(path, typesAt(root, splitKey(path).slice(0, -1), undefined))
}
