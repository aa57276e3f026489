/** What a message shows of a value that was received: never long, never an error of its own. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value)
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}

/** The names of all items, or of so many at each end of a long list and how many are between. */
export function shownEnds<Item>(
  items: readonly Item[],
  each: number,
  name: (item: Item) => string,
): string[] {
  const between = items.length - 2 * each
  if (between <= 0) return items.map(name)
  return [...items.slice(0, each).map(name), `(${between} more)`, ...items.slice(-each).map(name)]
}
