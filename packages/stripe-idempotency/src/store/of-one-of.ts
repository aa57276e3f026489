import type { IdempotencyRecord } from '../record/record.ts'

/** Whether the record is of an operation of one of these names; undefined: any record is. */
export function isOfOneOf(
  { operation }: Pick<IdempotencyRecord, 'operation'>,
  names: readonly string[] | undefined,
): boolean {
  return names === undefined || (operation !== null && names.includes(operation.name))
}
