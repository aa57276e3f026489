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

/**
 * Cuts a path such as `a.b[0].c` into its keys, as OmegaConf's `split_key` does; nothing is an error. What stands behind
 * a bracket and begins with neither `.` nor `[` is no key.
 */
export function splitKey(path: string): string[] {
  const head = endOfKey(path, path.search(/[^.]|$/))
  const keys = path.slice(0, head).split('.')
  if (path[head] === '[' && keys.at(-1) === '') keys.pop()
  const brackets = new Next(path, ']')
  const lines = new Next(path, '\n')
  let at = head
  while (at < path.length) {
    if (path[at] === '.') {
      const end = endOfKey(path, at + 1)
      keys.push(path.slice(at + 1, end))
      at = end
      continue
    }
    const close = path[at] === '[' ? brackets.from(at + 1) : path.length
    if (close < path.length && close < lines.from(at + 1)) {
      keys.push(path.slice(at + 1, close))
      at = close
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

/** Finds one character from positions that only grow, in linear time over all of them. */
class Next {
  readonly #text: string
  readonly #character: string
  #found = -1

  constructor(text: string, character: string) {
    this.#text = text
    this.#character = character
  }

  /** Where it stands at or after `start`; the length of the text where it does not. */
  from(start: number): number {
    if (this.#found < start) {
      const found = this.#text.indexOf(this.#character, start)
      this.#found = found < 0 ? this.#text.length : found
    }
    return this.#found
  }
}
