import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type Package, packages, root } from '../workspace.ts'

/** A source file of the workspace. */
export interface SourceFile {
  /** Path from the root: `packages/maglev/src/maglev.ts`. */
  readonly path: string
  readonly text: string
  readonly package: Package
  /** Path from the package's folder: `src/maglev.ts`. */
  readonly inside: string
  /** Module specifiers that the file imports or re-exports. */
  readonly imports: readonly string[]
}

/** Every TypeScript file of every package, generated folders left out. */
export function sourceFiles(): SourceFile[] {
  return packages().flatMap((each) =>
    ['src', 'test', 'bench'].flatMap((folder) =>
      filesBelow(join(each.home, folder))
        .filter((path) => path.endsWith('.ts'))
        .map((path) => {
          const text = readFileSync(path, 'utf8')
          return {
            path: relative(root, path),
            inside: relative(each.home, path),
            text,
            package: each,
            imports: specifiers(text),
          }
        }),
    ),
  )
}

/** Every file below a folder; none where the folder is missing. */
export function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name))
}

/** The module specifiers that a text imports or re-exports. */
export function specifiers(text: string): string[] {
  return [
    ...text.matchAll(
      /^(?:import|export)\b[^'"`;]*?\bfrom\s+'([^']+)'|^import\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm,
    ),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** The text with comments blanked, line numbers kept. What follows `://` is an address, not a comment. */
export function withoutComments(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, (comment) => comment.replaceAll(/[^\n]/g, ' '))
    .replaceAll(/(^|[^:'"`\\])\/\/.*$/gm, '$1')
}
