import { HydraConfigError } from '../errors.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import { checkSchema, type StandardSchema } from '../schema/standard-schema.ts'
import { shown } from '../shown.ts'
import { isStoredFiles } from '../source/stored-files.ts'
import { schemaSecrets } from './schema-secrets.ts'
import { SecretPaths } from './secret-paths.ts'

/** What of a configuration is secret, besides what a resolver answers by `secret()` and what the schema marks. */
export interface SecretsOptions {
  /** Names of variables that `oc.env` reads; `*` stands for any characters: `['*_PASSWORD', 'API_KEY']`. */
  readonly environment?: readonly string[] | undefined
  /** Paths of values; `*` is any one key, `**` any number of them: `['db.password', '**.token']`. */
  readonly paths?: readonly string[]
}

/**
 * What the resolution of interpolations and the composition need to know of secrets.
 * @param stored files of sources: what a stored structured config marks is secret wherever it is put
 * @throws {HydraConfigError} `INVALID_OPTION`
 */
export function secretsOf(
  secrets: SecretsOptions = {},
  schema?: StandardSchema,
  stored: readonly ReadonlyMap<string, string>[] = [],
): KnownSecrets {
  checkSecrets(secrets)
  checkSchema(schema)
  const { environment, paths = [] } = secrets
  return knownSecrets({ environment, paths: [...paths, ...schemaSecrets(schema)] }, stored)
}

type KnownSecrets = Pick<ResolveOptions, 'secretEnvironment' | 'secretPaths'>

/** As {@link secretsOf}, without a schema. */
export function knownSecrets(
  secrets: SecretsOptions,
  stored: readonly ReadonlyMap<string, string>[],
): KnownSecrets {
  checkSecrets(secrets)
  const { environment = [], paths = [] } = secrets
  const names = environment.map(namePattern)
  const ofPaths = new SecretPaths([...paths, ...stored.flatMap(storedSecrets)])
  return {
    secretEnvironment: names.length === 0 ? undefined : (name) => names.some((each) => each.test(name)),
    secretPaths: ofPaths.isEmpty ? undefined : ofPaths,
  }
}

/** What is taken for no secret by mistake would be shown. */
function checkSecrets(secrets: unknown): void {
  const isOptions = typeof secrets === 'object' && secrets !== null && !Array.isArray(secrets)
  if (!isOptions) refuse(`secrets must be { environment, paths }, not ${shown(secrets)}`)
  for (const name of ['environment', 'paths']) {
    const given: unknown = Reflect.get(secrets, name)
    if (given !== undefined && !Array.isArray(given)) {
      refuse(`secrets.${name} must be an array, not ${shown(given)}`)
    }
  }
}

function refuse(message: string): never {
  throw new HydraConfigError('INVALID_OPTION', message)
}

/** A stored config is put at any package. */
function storedSecrets(files: ReadonlyMap<string, string>): readonly string[] {
  if (!isStoredFiles(files)) return []
  return [...files.configs.values()].flatMap(({ secrets }) => secrets).map((path) => `**.${path}`)
}

function namePattern(pattern: string): RegExp {
  if (typeof pattern !== 'string' || pattern === '') {
    refuse(`secrets.environment takes names of variables such as '*_PASSWORD', not ${shown(pattern)}`)
  }
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^]*?')}$`)
}
