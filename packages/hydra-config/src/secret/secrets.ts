import { HydraConfigError } from '../errors.ts'
import type { ResolveOptions } from '../interpolation/options.ts'
import type { StandardSchema } from '../schema/standard-schema.ts'
import { StoredFiles } from '../source/stored-files.ts'
import { schemaSecrets, typeSecrets } from './schema-secrets.ts'
import { SecretPaths } from './secret-paths.ts'

/** What of a configuration is secret, besides what a resolver answers by `secret()` and what the schema marks. */
export interface SecretsOptions {
  /** Names of variables that `oc.env` reads; `*` stands for any characters: `['*_PASSWORD', 'API_KEY']`. */
  readonly environment?: readonly string[]
  /** Paths of values; `*` is any one key, `**` any number of them: `['db.password', '**.token']`. */
  readonly paths?: readonly string[]
}

/**
 * What the resolution of interpolations and the composition need to know of secrets.
 * @param stored files of sources: what a stored structured config marks is secret wherever it is put
 * @throws {HydraConfigError} `INVALID_OPTION`
 */
export function secretsOf(
  { environment = [], paths = [] }: SecretsOptions = {},
  schema?: StandardSchema,
  stored: readonly ReadonlyMap<string, string>[] = [],
): Pick<ResolveOptions, 'secretEnvironment' | 'secretPaths'> {
  const names = environment.map(namePattern)
  const ofPaths = new SecretPaths([...paths, ...schemaSecrets(schema), ...stored.flatMap(storedSecrets)])
  return {
    secretEnvironment: names.length === 0 ? undefined : (name) => names.some((each) => each.test(name)),
    secretPaths: ofPaths.isEmpty ? undefined : ofPaths,
  }
}

/** A stored config is put at any package. */
function storedSecrets(files: ReadonlyMap<string, string>): readonly string[] {
  if (!(files instanceof StoredFiles)) return []
  const types = files.configs.values().flatMap(({ struct }) => (struct === undefined ? [] : [struct]))
  return [...types].flatMap(typeSecrets).map((path) => `**.${path}`)
}

function namePattern(pattern: string): RegExp {
  if (typeof pattern !== 'string' || pattern === '') {
    throw new HydraConfigError(
      'INVALID_OPTION',
      `secrets.environment takes names of variables such as '*_PASSWORD', not '${pattern}'`,
    )
  }
  const parts = pattern.split('*').map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${parts.join('[^]*?')}$`)
}
