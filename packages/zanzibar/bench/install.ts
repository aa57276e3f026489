// node --conditions=@loadbearing/source bench/install.ts
// What is installed of the package, and how long its import takes in a new process (item 26). Builds it first.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { percentile, tell } from './target.ts'

const home = fileURLToPath(new URL('..', import.meta.url))

function run(program: string, ...args: readonly string[]): string {
  const { NODE_COMPILE_CACHE: _, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: home, encoding: 'utf8', env })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`)
  return stdout
}

run('npm', 'run', 'build')
const [packed] = JSON.parse(run('npm', 'pack', '--dry-run', '--json', '--ignore-scripts')) as readonly {
  readonly unpackedSize: number
}[]
const size = packed?.unpackedSize ?? Number.NaN
tell({
  item: 26,
  what: 'unpacked size of the package',
  wanted: '< 1 MB',
  measured: `${(size / 1e6).toFixed(2)} MB`,
  isMet: size < 1e6,
})

const manifest: unknown = JSON.parse(readFileSync(`${home}/package.json`, 'utf8'))
const dependencies = Object.keys(Object(Reflect.get(Object(manifest), 'dependencies')))
tell({
  item: 26,
  what: 'required dependencies',
  wanted: '0',
  measured: String(dependencies.length),
  isMet: dependencies.length === 0,
})

const importing = (name: string): string =>
  `const began = performance.now(); await import(${JSON.stringify(name)}); process.stdout.write(String(performance.now() - began))`
const times = Array.from({ length: 31 }, () =>
  Number(run(process.execPath, '--input-type=module', '--eval', importing('@loadbearing/zanzibar'))),
)
const time = percentile(times, 0.5)
tell({
  item: 26,
  what: 'import in a new process (p50 of 31)',
  wanted: '< 30 ms',
  measured: `${time.toFixed(1)} ms`,
  isMet: time < 30,
})
