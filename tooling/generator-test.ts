import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runOrThrow } from './packing.ts'
import { root } from './workspace.ts'

/** Makes a package with the generator in a copy of the repository; throws unless its `test` and the whole `check` pass. */
export function generatorTest(folder: string): void {
  const copy = join(folder, 'repository')
  for (const path of runOrThrow(root, 'git', 'ls-files', '--cached', '--others', '--exclude-standard').split(
    '\n',
  )) {
    if (path === '' || !existsSync(join(root, path))) continue
    mkdirSync(dirname(join(copy, path)), { recursive: true })
    cpSync(join(root, path), join(copy, path))
  }
  // The rules on formatting ask git which files are ignored.
  runOrThrow(copy, 'git', 'init', '--quiet')
  runOrThrow(copy, 'pnpm', 'install', '--prefer-offline', '--no-frozen-lockfile')
  runOrThrow(copy, 'pnpm', 'new-package', 'fresh-pattern', 'A package that the generator has just made.')
  const [title, , description] = readFileSync(join(copy, 'packages/fresh-pattern/README.md'), 'utf8').split(
    '\n',
  )
  if (
    title !== '# @loadbearing/fresh-pattern' ||
    description !== 'A package that the generator has just made.'
  ) {
    throw new Error(`the README of the new package begins with ${title} and ${description}`)
  }
  runOrThrow(copy, 'pnpm', 'test', 'fresh-pattern')
  runOrThrow(copy, 'pnpm', 'check')
}
