import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { IdempotencyError, shown } from '../errors.ts'
import type { Idempotency } from '../idempotency.ts'

/**
 * The idempotency whose operations a module of the user has registered: its export `idempotency`, or its default.
 *
 * @throws IdempotencyError `invalid_option` where there is none
 */
export async function loadOperations(path: string): Promise<Idempotency<never>> {
  let exported: unknown
  try {
    exported = await import(pathToFileURL(resolve(path)).href)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new IdempotencyError('invalid_option', `--module ${shown(path)} cannot be loaded: ${reason}`, {
      cause,
    })
  }
  for (const name of ['idempotency', 'default']) {
    const found: unknown = Reflect.get(Object(exported), name)
    if (isIdempotency(found)) return found
  }
  throw new IdempotencyError(
    'invalid_option',
    `--module ${shown(path)} exports no idempotency: export const idempotency = createIdempotency(…), with its operations`,
  )
}

// It may be of another copy of this package.
function isIdempotency(value: unknown): value is Idempotency<never> {
  return (
    typeof value === 'object' && value !== null && 'complete' in value && typeof value.complete === 'function'
  )
}
