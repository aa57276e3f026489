import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const home = fileURLToPath(new URL('../..', import.meta.url))
const tsc = join(home, '../../node_modules/.bin/tsc')

const options = (
  '--target es2022 --module nodenext --moduleDetection force --strict --skipLibCheck ' +
  '--lib es2024,esnext.disposable --types node --ignoreConfig'
).split(' ')

/** A program with decorators, which Node does not run, checked and compiled by TypeScript. */
export interface Compiled extends Disposable {
  readonly url: string
  /** What the type check complained of. */
  readonly complaints: string
}

/** `more`: of how TypeScript is to read decorators. */
export function compiled(name: string, more: readonly string[] = []): Compiled {
  mkdirSync(join(home, '.programs'), { recursive: true })
  const folder = mkdtempSync(join(home, '.programs', 'nestjs-'))
  const source = join(folder, 'program.ts')
  writeFileSync(source, readFileSync(new URL(`./programs/${name}.txt`, import.meta.url)))
  const checked = run(home, [
    ...more,
    '--noEmit',
    '--customConditions',
    '@loadbearing/source',
    '--allowImportingTsExtensions',
    source,
  ])
  // Without what it imports: only this file is to be written.
  run(home, [...more, '--noCheck', '--noResolve', source])
  return {
    url: join(folder, 'program.js'),
    complaints: checked.stdout,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function run(cwd: string, args: readonly string[]): { stdout: string } {
  return spawnSync(tsc, [...options, ...args], { cwd, encoding: 'utf8' })
}
