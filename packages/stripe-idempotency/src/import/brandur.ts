import { Buffer } from 'node:buffer'
import { IdempotencyError } from '../errors.ts'
import { fingerprint } from '../fingerprint/fingerprint.ts'
import { type ForeignRecord, type ImportOptions, type ImportReport, importRecords } from './import-records.ts'

/** A row of the table `idempotency_keys` of brandur.org/idempotency-keys, as `pg` gives it. */
export interface BrandurRow {
  readonly idempotency_key: string
  readonly request_method: string
  readonly request_params: unknown
  readonly request_path: string
  readonly response_code: number | null
  readonly response_body: unknown
  readonly recovery_point: string
  readonly user_id: string | number
  readonly created_at: Date | string
}

/** Options of {@link importBrandur}. */
export interface BrandurImport extends ImportOptions {
  /** Whose key it was, such as `({ user_id }) => String(user_id)`, as your requests are scoped from now on. */
  readonly scope: (row: BrandurRow) => string
  /** How clients send the parameters that the table has: their bodies are compared with it. Default: a form. */
  readonly contentType?: 'application/json' | 'application/x-www-form-urlencoded'
}

/**
 * Takes over the table of Brandur's atomic phases (rocket-rides-atomic). What is `finished` is replayed to the same
 * requests; what stopped at another recovery point is uncertain: the phases that follow are in that program, not here.
 *
 * @throws what the store throws; it can be begun again
 */
export function importBrandur(
  rows: Iterable<BrandurRow> | AsyncIterable<BrandurRow>,
  { scope, contentType = 'application/x-www-form-urlencoded', ...options }: BrandurImport,
): Promise<ImportReport> {
  return importRecords(rows, (row) => read(row, contentType, scope(row)), options)
}

function read(row: BrandurRow, contentType: string, scope: string): ForeignRecord {
  const finished = row.recovery_point === 'finished'
  if (finished && typeof row.response_code !== 'number')
    throw new IdempotencyError('record_corrupt', 'it is finished and has no response_code')
  const form = contentType !== 'application/json'
  const body = form ? formOf(row.request_params) : JSON.stringify(row.request_params)
  return {
    scope,
    key: row.idempotency_key,
    endpoint: `${row.request_method} ${row.request_path}`,
    fingerprint: fingerprint({ query: '', contentType, body: Buffer.from(body) }),
    response: finished
      ? {
          status: row.response_code ?? 0,
          headers: [['content-type', 'application/json']],
          body: Buffer.from(JSON.stringify(row.response_body)),
        }
      : undefined,
    createdAt: new Date(row.created_at).getTime(),
  }
}

function formOf(params: unknown): string {
  const fields = new URLSearchParams()
  const add = (name: string, value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) add(`${name}[]`, item)
    else if (typeof value === 'object' && value !== null)
      for (const [member, inner] of Object.entries(value)) add(`${name}[${member}]`, inner)
    else fields.append(name, typeof value === 'string' ? value : JSON.stringify(value))
  }
  for (const [name, value] of Object.entries(Object(params))) add(name, value)
  return fields.toString()
}
