import { fileOverStored } from '../compose/file-over-stored.ts'
import { withoutChild } from '../compose/path-edit.ts'
import { HydraConfigError } from '../errors.ts'
import { typeSecrets } from '../secret/schema-secrets.ts'
import { shown } from '../shown.ts'
import type { Structured } from '../structured/structured.ts'
import { fromPlain } from '../value/from-plain.ts'
import { redact } from '../value/secret.ts'
import type { StructType } from '../value/typing.ts'
import type { Value } from '../value/value.ts'
import { dumpYaml } from '../yaml/dump.ts'
import type { ConfigSource } from './source.ts'
import { type StoredConfig, StoredFiles } from './stored-files.ts'

/** A config of a {@link configStore}, with what `ConfigStore.store` of Hydra takes besides its name and group. */
export interface StoreNode {
  /** A structured config, or plain objects, arrays and scalars. */
  readonly node: unknown
  /** Where it goes, as `# @package` of a file says. Default: the path of its group. */
  readonly package?: string
}

/**
 * A source of configs that the program holds, as Hydra's ConfigStore is: structured configs by group and name. They
 * stand in defaults lists as files do, and what is merged over them is converted and checked by their types. Its path
 * is `structured://`, and it is the last of every search path. A file with the name of a structured config is checked
 * by it.
 *
 * @example configStore({ base_config: Config, 'db/mysql': MySql, 'db/none': { node: {}, package: 'storage' } })
 * @throws {HydraConfigError} `INVALID_OPTION`; `CONFIG_INVALID` where a default is not of its type
 */
export function configStore(
  configs: Readonly<Record<string, Structured<unknown> | StoreNode>>,
): ConfigSource {
  const stored = new Map<string, StoredConfig>()
  for (const [name, given] of Object.entries(configs)) stored.set(fileOf(name), storedOf(name, given))
  const texts = Array.from(stored, ([file, { value }]) => [file, dumpYaml(redact(value))] as const)
  const files = new StoredFiles(texts, stored)
  return { path: 'structured://', files: () => files }
}

function fileOf(name: string): string {
  const file = name.endsWith('.yaml') ? name : `${name}.yaml`
  if (file.split('/').every((step) => step !== '' && step !== '.yaml' && !/^\.\.?$/.test(step))) return file
  throw new HydraConfigError(
    'INVALID_OPTION',
    `the name of a stored config is such as 'config' or 'db/mysql', not '${name}'`,
  )
}

function storedOf(name: string, given: unknown): StoredConfig {
  if (isStruct(given)) return { ...ofNode(given), header: undefined }
  if (typeof given === 'object' && given !== null && 'node' in given) {
    const { node, package: ofPackage } = given as StoreNode
    if (ofPackage === undefined || typeof ofPackage === 'string') {
      return { ...ofNode(node), header: ofPackage }
    }
  }
  throw new HydraConfigError(
    'INVALID_OPTION',
    `the stored config '${name}' must be a structured config, or { node, package } of one, not ${shown(given)}`,
  )
}

function ofNode(node: unknown): Omit<StoredConfig, 'header'> {
  const value = isStruct(node) ? node.value : fromPlain(node, { kind: 'code' })
  const struct = isStruct(node) ? node.type : undefined
  if (value.kind !== 'scalar') {
    const secrets = struct === undefined ? [] : typeSecrets(struct)
    return {
      value: withoutMissingDefaults(value),
      struct,
      secrets,
      over: (body, result, resolve) => fileOverStored(value, body, result, resolve),
    }
  }
  throw new HydraConfigError('INVALID_OPTION', `a stored config is a map or a list, not ${shown(node)}`)
}

/** Of a field `defaults` that nobody has set there is no list. */
function withoutMissingDefaults(value: Value): Value {
  const list = value.kind === 'map' ? value.entries.get('defaults') : undefined
  const isMissing = list?.kind === 'scalar' && list.value === '???'
  return value.kind === 'map' && isMissing ? withoutChild(value, 'defaults') : value
}

function isStruct(given: unknown): given is { readonly type: StructType; readonly value: Value } {
  return typeof given === 'object' && given !== null && '~standard' in given && '~field' in given
}
