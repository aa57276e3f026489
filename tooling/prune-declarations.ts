// node prune-declarations.ts, in the folder of a package that was built: tsc declares every module, users see those that an entry leads to.

import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { sourceEntries } from './manifest.ts'

const dist = resolve('dist')
const manifest: unknown = JSON.parse(readFileSync('package.json', 'utf8'))
const reached = new Set(sourceEntries(manifest).map(({ source }) => declarationOf(resolve(source))))
// Also visits what is added meanwhile.
for (const path of reached) {
  const text = readFileSync(path, 'utf8')
  for (const [, module = ''] of text.matchAll(/(?:from|import|import\()\s*['"](\.[^'"]*)['"]/g)) {
    reached.add(declarationOf(join(dirname(path), module)))
  }
}
for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
  if (name.endsWith('.d.ts') && !reached.has(join(dist, name))) rmSync(join(dist, name))
}

/** Of a module's source, or of what another declaration names. */
function declarationOf(path: string): string {
  return path.replace(resolve('src'), dist).replace(/\.ts$/, '.d.ts')
}
