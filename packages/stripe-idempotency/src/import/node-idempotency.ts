import { Buffer } from 'node:buffer'
import { IdempotencyError } from '../errors.ts'
import { nodeIdempotencyFingerprint } from './foreign-fingerprint.ts'
import { type ForeignRecord, type ImportOptions, type ImportReport, importRecords } from './import-records.ts'

/** Options of {@link importNodeIdempotency}. */
export interface NodeIdempotencyImport extends ImportOptions {
  /** Whose key it was: that library does not know. */
  readonly scope: (request: {
    readonly method: string
    readonly path: string
    readonly key: string
  }) => string
  /** Its `cacheKeyPrefix`. Default: `node-idempotency`. */
  readonly prefix?: string
}

/**
 * Takes over what `@node-idempotency` has kept, as the keys and values of its storage (those of a Redis by `SCAN` and
 * `GET`). Its answers are replayed to the same requests, which are told from others by the library's own fingerprint; what
 * was in progress is uncertain. In its keys a colon ends the path: one in a path itself is taken for that end.
 *
 * Format: StoragePayload of @node-idempotency/core 1.0.11, IdempotencyResponse as its NestJS interceptor writes it.
 *
 * @throws what the store throws; it can be begun again
 */
export function importNodeIdempotency(
  entries: Iterable<readonly [string, string]> | AsyncIterable<readonly [string, string]>,
  { scope, prefix = 'node-idempotency', ...options }: NodeIdempotencyImport,
): Promise<ImportReport> {
  return importRecords(entries, (entry) => read(entry, prefix, scope), options)
}

function read(
  [name, value]: readonly [string, string],
  prefix: string,
  scopeOf: NodeIdempotencyImport['scope'],
): ForeignRecord {
  const parts = name.startsWith(`${prefix}:`) ? name.slice(prefix.length + 1).split(':') : []
  const [method, target, ...rest] = parts
  if (method === undefined || target === undefined || rest.length === 0)
    throw unreadable(`its name is not ${prefix}:METHOD:PATH:KEY`)
  const key = rest.join(':')
  const [path = '', ...query] = target.split('?')
  const { status, fingerPrint, response } = objectOf(JSON.parse(value))
  if (status !== 'IN_PROGRESS' && status !== 'COMPLETE')
    throw unreadable('its status is neither IN_PROGRESS nor COMPLETE')
  return {
    scope: scopeOf({ method, path, key }),
    key,
    endpoint: `${method} ${path}`,
    fingerprint: nodeIdempotencyFingerprint(
      typeof fingerPrint === 'string' ? fingerPrint : undefined,
      query.join('?'),
    ),
    response: status === 'COMPLETE' ? responseOf(objectOf(response)) : undefined,
    createdAt: undefined,
  }
}

function responseOf({ body, additional, error }: Fields): ForeignRecord['response'] {
  const { statusCode, ...more } = objectOf(additional)
  const failed = body === undefined ? objectOf(error) : undefined
  const content = failed === undefined ? body : (failed['response'] ?? failed['message'])
  const text = typeof content === 'string' ? content : JSON.stringify(content ?? null)
  const headers = Object.entries(more).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name.toLowerCase(), value] as const] : [],
  )
  const named = headers.some(([name]) => name === 'content-type')
  const type = typeof content === 'string' ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8'
  return {
    status: typeof statusCode === 'number' ? statusCode : failed === undefined ? 200 : 500,
    headers: named ? headers : [['content-type', type], ...headers],
    body: Buffer.from(text),
  }
}

type Fields = Readonly<Partial<Record<string, unknown>>>

function objectOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function unreadable(why: string): IdempotencyError {
  return new IdempotencyError('record_corrupt', why)
}
