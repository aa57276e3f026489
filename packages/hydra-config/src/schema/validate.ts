import { throwIfAborted, unlessAborted } from '../aborted.ts'
import { type ConfigIssue, HydraConfigError } from '../errors.ts'
import { SecretTexts } from '../secret/secret-texts.ts'
import { originText } from '../value/origin-text.ts'
import { plainView } from '../value/plain.ts'
import { scalarString } from '../value/python-string.ts'
import { list, map, type Origin, type Value } from '../value/value.ts'
import { sealOutput } from './seal-output.ts'
import type { DeepReadonly, SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.ts'

/** What {@link validate} looks at. */
export interface Validation<Output> {
  readonly schema: StandardSchema<unknown, Output>
  /** The configuration as it was composed: it tells where a value was written. */
  readonly written: Value
  /** The same with its interpolations resolved: it is what the schema reads. */
  readonly resolved: Value
  readonly signal?: AbortSignal | undefined
}

/**
 * What the schema makes of a configuration, deeply frozen where it is made of plain objects and arrays. A missing
 * value (`???`) is absent for the schema.
 * @throws {HydraConfigError} `CONFIG_INVALID` with every issue, its path and origin; secrets are left out
 */
export async function validate<Output>(validation: Validation<Output>): Promise<DeepReadonly<Output>> {
  const { schema, written, resolved, signal } = validation
  throwIfAborted(signal)
  const secrets = new SecretTexts([written, resolved])
  const result = await settled(schema, plainView(withoutMissing(resolved)), secrets, signal)
  if (result.issues === undefined) return sealOutput(result.value, secrets)
  throw invalid(result.issues.map((issue) => locate(issue, written, resolved, secrets)))
}

async function settled<Output>(
  schema: StandardSchema<unknown, Output>,
  input: unknown,
  secrets: SecretTexts,
  signal: AbortSignal | undefined,
): Promise<SchemaResult<Output>> {
  const answered = Promise.resolve().then(() => schema['~standard'].validate(input))
  try {
    return await unlessAborted(answered, signal)
  } catch (cause) {
    throwIfAborted(signal)
    throw new HydraConfigError(
      'CONFIG_INVALID',
      `the ${schema['~standard'].vendor} schema failed: ${secrets.scrub(messageOf(cause))}`,
      secrets.isIn(cause) ? {} : { cause },
    )
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function invalid(issues: readonly ConfigIssue[]): HydraConfigError {
  const lines = issues.map(({ path, message, origin }) => {
    const where = origin === undefined ? '' : ` (${originText(origin)})`
    return `\n  ${path === '' ? 'the whole' : path}: ${message}${where}`
  })
  const [first] = issues
  return new HydraConfigError('CONFIG_INVALID', `the configuration is not of its schema:${lines.join('')}`, {
    issues,
    origin: first?.origin,
    path: first?.path,
  })
}

function locate(issue: SchemaIssue, written: Value, resolved: Value, secrets: SecretTexts): ConfigIssue {
  const keys = (issue.path ?? []).map((segment) => (typeof segment === 'object' ? segment.key : segment))
  const path = pathText(keys)
  const missing = isMissing(at(resolved, keys).value)
  const message = secrets.scrub(missing ? `mandatory value missing (???): ${issue.message}` : issue.message)
  const { origin } = at(written, keys)
  return origin === undefined ? { path, message } : { path, message, origin }
}

/** The value at the keys, undefined where there is none; and the origin of what is there or of the next above it. */
function at(
  root: Value,
  keys: readonly PropertyKey[],
): { value: Value | undefined; origin: Origin | undefined } {
  let value: Value | undefined = root
  let { origin } = root
  for (const key of keys) {
    value = childOf(value, String(key))
    if (value === undefined) break
    origin = value.origin ?? origin
  }
  return { value, origin }
}

function childOf(value: Value, key: string): Value | undefined {
  if (value.kind === 'list') return value.items[Number(key)]
  if (value.kind === 'scalar') return undefined
  return value.entries.entries().find(([each]) => scalarString(each) === key)?.[1]
}

function pathText(keys: readonly PropertyKey[]): string {
  return keys
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : `${index === 0 ? '' : '.'}${String(key)}`))
    .join('')
}

function isMissing(value: Value | undefined): boolean {
  return value?.kind === 'scalar' && value.value === '???'
}

function withoutMissing(value: Value): Value {
  if (value.kind === 'scalar') return value
  if (value.kind === 'list') return list(value.items.map(withoutMissing), value.origin)
  const entries = value.entries.entries().filter(([, item]) => !isMissing(item))
  return map(
    entries.map(([key, item]) => [key, withoutMissing(item)] as const),
    value.origin,
  )
}
