/** Where a path starts, and its keys. */
export interface KeyPath {
  /** As it was written. */
  readonly written: string
  /** How many levels above the map or list that holds the interpolation; undefined for the root. */
  readonly above: number | undefined
  /** Empty for the start itself. */
  readonly keys: readonly string[]
}

/** Reads a path such as `a.b[0]`, or `..a` from one level above. */
export function parsePath(written: string): KeyPath {
  let dots = 0
  while (written[dots] === '.') dots++
  const path = written.slice(dots)
  return {
    written,
    above: dots === 0 ? undefined : dots - 1,
    keys: path === '' ? [] : splitKey(path),
  }
}

const inBrackets = /[^\]\n]*/y

/**
 * Cuts a path such as `a.b[0].c` into its keys, as OmegaConf's `split_key` does; nothing is an error. What stands behind
 * a bracket and begins with neither `.` nor `[` is no key.
 */
export function splitKey(path: string): string[] {
  const head = endOfKey(path, path.search(/[^.]|$/))
  const keys = path.slice(0, head).split('.')
  if (path[head] === '[' && keys.at(-1) === '') keys.pop()
  let at = head
  // No bracket before it is closed on its line: none is looked for twice.
  let unclosed = 0
  while (at < path.length) {
    if (path[at] === '.') {
      const end = endOfKey(path, at + 1)
      keys.push(path.slice(at + 1, end))
      at = end
      continue
    }
    if (path[at] === '[' && at >= unclosed) {
      inBrackets.lastIndex = at + 1
      const key = inBrackets.exec(path)?.[0] ?? ''
      unclosed = at + 1 + key.length
      if (path[unclosed] === ']') {
        keys.push(key)
        at = unclosed
      }
    }
    at++
  }
  return keys
}

function endOfKey(path: string, start: number): number {
  let end = start
  while (end < path.length && path[end] !== '.' && path[end] !== '[') end++
  return end
}
