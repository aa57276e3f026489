/** A name and a value as bytes, each byte one character. */
type Field = readonly [name: string, value: string]

/**
 * The fields of `application/x-www-form-urlencoded`, or of a query, in the order of their names; fields of one name stay
 * in their order.
 *
 * @param bytes each one character
 */
export function formFields(bytes: string): Field[] {
  return inOrder(
    bytes
      .split('&')
      .filter((field) => field !== '')
      .map((field): Field => {
        const at = field.indexOf('=')
        return at < 0 ? [decoded(field), ''] : [decoded(field.slice(0, at)), decoded(field.slice(at + 1))]
      }),
  )
}

/** By name; those of one name stay as they are. */
export function inOrder<Entry extends readonly [name: string, ...rest: unknown[]]>(
  entries: readonly Entry[],
): Entry[] {
  return entries.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}

/** Bytes, not characters: what is no UTF-8 would else come out the same. */
function decoded(bytes: string): string {
  return bytes
    .replaceAll('+', ' ')
    .replaceAll(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
