/** Deeper parts of a value count as the same. */
const maxDepth = 8

/**
 * A 32-bit number that is the same for values which `isDeepStrictEqual` calls equal, and mostly another one for
 * others. Keys of objects, entries of maps and members of sets count in any order, as they do there.
 */
export function fingerprint(value: unknown, depth: number = 0): number {
  if (typeof value === 'string') return ofText(value)
  if (typeof value !== 'object' || value === null) return ofText(`${typeof value} ${String(value)}`)
  if (depth === maxDepth) return 1
  let sum = 0
  const add = (key: unknown, member: unknown): void => {
    sum = (sum + mix(fingerprint(key, depth + 1), fingerprint(member, depth + 1))) | 0
  }
  if (value instanceof Map) for (const [key, member] of value) add(key, member)
  else if (value instanceof Set) for (const member of value) add('', member)
  else for (const [key, member] of Object.entries(value)) add(key, member)
  return mix(sum, depth)
}

// FNV-1a, over UTF-16 units.
function ofText(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return hash
}

function mix(one: number, other: number): number {
  const hash = Math.imul(one ^ Math.imul(other, 0x9e3779b1), 0x85ebca6b)
  return hash ^ (hash >>> 15)
}
