/**
 * Takes over what other libraries have kept, so that a retry that comes after the change finds its answer.
 *
 * @packageDocumentation
 */
export { type BrandurImport, type BrandurRow, importBrandur } from '../import/brandur.ts'
export type { ImportOptions, ImportReport } from '../import/import-records.ts'
export { importNodeIdempotency, type NodeIdempotencyImport } from '../import/node-idempotency.ts'
