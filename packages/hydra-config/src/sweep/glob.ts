/** The names that match a pattern of `include` and none of `exclude`, in their order. */
export function globbed(
  names: readonly string[],
  include: readonly string[],
  exclude: readonly string[],
): string[] {
  const matches = (name: string, patterns: readonly string[]): boolean =>
    patterns.some((pattern) => matchesGlob(name, pattern))
  return names.filter((name) => matches(name, include) && !matches(name, exclude))
}

/** As Python's fnmatch: `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`; in linear time for each `*`. */
function matchesGlob(name: string, pattern: string): boolean {
  const characters = Array.from(name)
  const parts = partsOf(pattern)
  let [at, part] = [0, 0]
  let star: { at: number; part: number } | undefined
  while (at < characters.length) {
    const test = parts[part]
    if (test === '*') {
      star = { at, part }
      part++
    } else if (test?.(characters[at] ?? '') === true) {
      at++
      part++
    } else if (star !== undefined) {
      star = { at: star.at + 1, part: star.part }
      at = star.at
      part = star.part + 1
    } else return false
  }
  return parts.slice(part).every((rest) => rest === '*')
}

type Part = '*' | ((character: string) => boolean)

function partsOf(pattern: string): Part[] {
  const parts: Part[] = []
  const characters = Array.from(pattern)
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? ''
    if (character === '*') parts.push('*')
    else if (character === '?') parts.push(() => true)
    else {
      // A ] directly behind [ or [! stands for itself.
      const negated = characters[at + 1] === '!'
      const from = at + (negated ? 2 : 1)
      const end = character === '[' ? characters.indexOf(']', from + 1) : -1
      if (end === -1) parts.push((each) => each === character)
      else {
        const set = characters.slice(from, end)
        parts.push((each) => inSet(each, set) !== negated)
        at = end
      }
    }
  }
  return parts
}

function inSet(character: string, set: readonly string[]): boolean {
  for (let at = 0; at < set.length; at++) {
    const [low = '', dash, high] = set.slice(at, at + 3)
    if (dash === '-' && high !== undefined) {
      if (code(low) <= code(character) && code(character) <= code(high)) return true
      at += 2
    } else if (low === character) return true
  }
  return false
}

function code(character: string): number {
  return character.codePointAt(0) ?? 0
}
