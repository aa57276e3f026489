const conditions: ReadonlySet<string> = new Set(['node', 'import', 'module-sync', 'default'])

/**
 * Where the `exports` of a package put a folder: the path from its home, undefined where they do not have it. A folder
 * is exported by a pattern, such as `./conf/*` or `./*`; of several the longest counts, as for a file.
 *
 * Source: Node.js documentation, "Modules: Packages", subpath patterns.
 */
export function exportedFolder(exports: unknown, folder: string): string | undefined {
  if (typeof exports !== 'object' || exports === null) return undefined
  const wanted = folder === '' ? './' : `./${folder}/`
  const patterns = Object.keys(exports)
    .filter((key) => wanted.startsWith(prefixOf(key)) && key.includes('*'))
    .toSorted((one, other) => prefixOf(other).length - prefixOf(one).length)
  const [pattern] = patterns
  if (pattern === undefined) return undefined
  const target = targetOf(Reflect.get(exports, pattern))
  if (target?.startsWith('./') !== true || !target.includes('*')) return undefined
  return prefixOf(target) + wanted.slice(prefixOf(pattern).length)
}

function prefixOf(pattern: string): string {
  return pattern.split('*', 1)[0] ?? ''
}

/** What the conditions choose: the first that holds, as they stand. */
function targetOf(target: unknown): string | undefined {
  if (typeof target === 'string') return target
  if (Array.isArray(target)) return targetOf(target[0])
  if (typeof target !== 'object' || target === null) return undefined
  const chosen = Object.entries(target).find(([condition]) => conditions.has(condition))
  return chosen === undefined ? undefined : targetOf(chosen[1])
}
