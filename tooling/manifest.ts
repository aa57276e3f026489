/** One entry of a package's `exports` that is built from a source file. */
export interface SourceEntry {
  /** The subpath as users write it: `.` or `./snapshot`. */
  readonly subpath: string
  /** The source file, from the package's folder: `./src/snapshot.ts`. */
  readonly source: string
}

/** The condition under which the workspace runs from sources. */
export const SOURCE_CONDITION = '@loadbearing/source'

/** The entries of a package manifest that have a source file, in the order of its `exports`. */
export function sourceEntries(manifest: unknown): SourceEntry[] {
  const exports = property(manifest, 'exports')
  if (typeof exports !== 'object' || exports === null) return []
  return Object.entries(exports).flatMap(([subpath, target]) => {
    const source = property(target, SOURCE_CONDITION)
    return typeof source === 'string' ? [{ subpath, source }] : []
  })
}

/** The source files behind a manifest's `bin`: `./dist/cli.js` is built from `./src/cli.ts`. */
export function binSources(manifest: unknown): string[] {
  const bin = property(manifest, 'bin')
  if (typeof bin !== 'object' || bin === null) return []
  return Object.values(bin).map((built) => String(built).replace('./dist/', './src/').replace(/\.js$/, '.ts'))
}

function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
}
