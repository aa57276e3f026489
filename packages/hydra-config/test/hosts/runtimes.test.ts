import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const runtimes = [
  ['node', process.execPath, []],
  ['deno', 'deno', ['run', '--allow-all']],
  ['bun', 'bun', ['run']],
] as const

let folder = ''
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hydra-runtimes-'))
  await build({
    entryPoints: [join(import.meta.dirname, 'runtime-program.ts')],
    outfile: join(folder, 'app.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@loadbearing/source'],
    logLevel: 'silent',
  })
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe.each(runtimes)('%s', (name, command, argv) => {
  const isThere = spawnSync(command, ['--version']).status === 0
  const told = isThere ? '' : ` (skipped: there is no ${name} on PATH)`

  function run(...words: string[]): { stdout: string; stderr: string; status: number | null } {
    const logging = [
      'hydra/job_logging=none',
      'hydra/hydra_logging=none',
      'hydra.run.dir=out',
      'hydra.sweep.dir=out',
    ]
    const { stdout, stderr, status } = spawnSync(command, [...argv, 'app.mjs', ...words, ...logging], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    return { stdout, stderr, status }
  }

  beforeAll(() => {
    mkdirSync(join(folder, 'conf', 'db'), { recursive: true })
    writeFileSync(join(folder, 'conf', 'config.yaml'), 'defaults:\n- db: pg\n')
    writeFileSync(join(folder, 'conf', 'db', 'pg.yaml'), 'port: 5432\n')
    writeFileSync(join(folder, 'conf', 'db', 'mysql.yaml'), 'port: 3306\n')
  })

  test.skipIf(!isThere)(`composes, explains, watches a folder and reads SQLite${told}`, () => {
    const { stdout, stderr, status } = run('db=mysql')
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    expect(JSON.parse(stdout)).toEqual({
      config: { db: { port: 3306 } },
      name: 'app',
      composed: { a: 2, b: 2 },
      read: 'override',
      table: { c: 3 },
      reloaded: { db: { port: 5433 } },
    })
    expect(readFileSync(join(folder, 'out', '.hydra', 'config.yaml'), 'utf8')).toBe('db:\n  port: 3306\n')
  })

  test.skipIf(!isThere)(`has the command line, refuses, and launches jobs elsewhere${told}`, () => {
    expect(run('--cfg', 'job', 'db=mysql').stdout).toBe('db:\n  port: 3306\n')
    expect(run('db=nope')).toMatchObject({ status: 1, stdout: '' })
    for (const launcher of ['basic', 'child_process', 'worker_threads']) {
      expect(run('-m', 'db=pg,mysql', `hydra/launcher=${launcher}`)).toEqual({
        stdout: '',
        stderr: '',
        status: 0,
      })
      const overrides = readFileSync(join(folder, 'out', '1', '.hydra', 'overrides.yaml'), 'utf8')
      expect(overrides).toBe('- db=mysql\n')
      rmSync(join(folder, 'out'), { recursive: true })
    }
  })
})
