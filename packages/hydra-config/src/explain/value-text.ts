/** A plain value to be read, as JSON; integers beyond what numbers hold stay whole. */
export function valueText(value: unknown): string {
  if (value === undefined) return 'nothing'
  return JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part))
}
