import { HydraConfigError, isHydraConfigError } from '../errors.ts'
import { list, type MapValue, map, scalar, type Value } from '../value/value.ts'
import { dumpYaml } from '../yaml/dump.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'

/**
 * A file of another library as a map: JSON or YAML by its name. The YAML is read as Hydra reads it.
 * @throws {HydraConfigError} `YAML_INVALID`, `CONFIG_INVALID` for what is no map, each with the name
 */
export function foreignMap(name: string, text: string): MapValue {
  const value = name.endsWith('.json') ? jsonValue(parsedJson(name, text)) : namedYaml(name, text)
  if (value.kind === 'map') return value
  throw new HydraConfigError('CONFIG_INVALID', `${name} must hold an object, not a ${value.kind}`)
}

/** A value of JSON: whole numbers are integers, and `${` stands for itself, as nothing is interpolated there. */
export function jsonValue(json: unknown): Value {
  if (Array.isArray(json)) return list(json.map(jsonValue))
  if (typeof json === 'object' && json !== null) {
    return map(Object.entries(json).map(([key, value]) => [key, jsonValue(value)] as const))
  }
  if (typeof json === 'number') return scalar(Number.isSafeInteger(json) ? BigInt(json) : json)
  if (typeof json === 'string') return scalar(withoutInterpolation(json))
  return scalar(typeof json === 'boolean' ? json : null)
}

/** The text of a config that is merged at the root, wherever it stands. */
export function globalText(value: MapValue): string {
  return `# @package _global_\n${dumpYaml(value)}`
}

/** The text of a primary config that is made of others. */
export function primaryText(defaults: readonly Value[]): string {
  return dumpYaml(map([['defaults', list(defaults)]]))
}

function withoutInterpolation(text: string): string {
  return text.replaceAll(/\\*\$\{/g, (match) => `${'\\'.repeat(2 * (match.length - 2) + 1)}\${`)
}

function parsedJson(name: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new HydraConfigError('YAML_INVALID', `${name} is no JSON: ${reason}`, { cause })
  }
}

function namedYaml(name: string, text: string): Value {
  try {
    return parseYaml(text)
  } catch (cause) {
    if (!isHydraConfigError(cause)) throw cause
    throw new HydraConfigError('YAML_INVALID', `${name}: ${cause.message}`, { cause })
  }
}
