import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** The folder of the repository. */
export const root: string = resolve(import.meta.dirname, '..')

/** One folder of `packages/`. */
export interface Package {
  /** The folder's name: `maglev`. */
  readonly folder: string
  /** Absolute path of the folder. */
  readonly home: string
  /** The parsed `package.json`. */
  readonly manifest: Readonly<Record<string, unknown>>
  /** The name in `package.json`: `@loadbearing/maglev`. */
  readonly name: string
  /** True where the package is never published. */
  readonly private: boolean
  /** One of the patterns: public, and neither the harness nor the umbrella. */
  readonly pattern: boolean
}

/** All packages of the workspace, by folder name in order. */
export function packages(workspace: string = root): Package[] {
  return readdirSync(join(workspace, 'packages'))
    .toSorted()
    .filter((folder) => existsSync(join(workspace, 'packages', folder, 'package.json')))
    .map((folder) => {
      const home = join(workspace, 'packages', folder)
      const manifest: Record<string, unknown> = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
      const isPrivate = manifest['private'] === true
      return {
        folder,
        home,
        manifest,
        name: String(manifest['name']),
        private: isPrivate,
        pattern: !isPrivate && folder !== 'harness' && folder !== 'loadbearing',
      }
    })
}
