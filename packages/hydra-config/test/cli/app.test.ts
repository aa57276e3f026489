import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseYaml } from '@loadbearing/hydra-config'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

const program = join(import.meta.dirname, 'shop-app.ts')
const conditions = '--conditions=@loadbearing/source'
const environment = { ...process.env, NODE_OPTIONS: '', COLOR: '' }
let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hydra-app-'))
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Report {
  readonly name: string
  readonly num: number | null
  readonly outputDir: string
  readonly overrides: readonly string[]
  readonly cwd: string
  readonly color: string
  readonly digest: string
  readonly thread: number
  readonly pid: number
}

function run(...argv: string[]): {
  stdout: string
  stderr: string
  status: number | null
  reports: Report[]
} {
  const { stdout, stderr, status } = spawnSync(process.execPath, [conditions, program, ...argv], {
    cwd: folder,
    encoding: 'utf8',
    env: environment,
  })
  return { stdout, stderr, status, reports: reportsIn(stdout) }
}

function reportsIn(text: string): Report[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Report)
    .toSorted((a, b) => (a.num ?? 0) - (b.num ?? 0))
}

describe('a run of one job', () => {
  test('writes what it was made from beside its log, and sets its environment for the task alone', () => {
    const { status, stderr, reports } = run('item=salt', '+hydra.job.env_set.COLOR=red', 'hydra.run.dir=one')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const outputDir = join(folder, 'one')
    expect(reports).toMatchObject([
      { name: 'salt', num: null, outputDir, overrides: ['item=salt'], cwd: folder, color: 'red' },
    ])
    expect(readdirSync(join(outputDir, '.hydra')).toSorted()).toEqual([
      'config.yaml',
      'hydra.yaml',
      'overrides.yaml',
    ])
    expect(readFileSync(join(outputDir, '.hydra/overrides.yaml'), 'utf8')).toBe('- item=salt\n')
    expect(readFileSync(join(outputDir, '.hydra/config.yaml'), 'utf8')).toContain('name: ${item.name}\n')
    expect(readFileSync(join(outputDir, 'shop-app.log'), 'utf8')).toMatch(
      /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\]\[shop-app\]\[INFO\] - selling salt\n$/,
    )
  })

  test('goes to its folder only where hydra.job.chdir says so; a rerun of what it wrote has its digest', () => {
    const [first] = run('hydra.job.chdir=true', 'hydra.run.dir=two').reports
    expect(first?.cwd).toBe(join(folder, 'two'))
    const again = run('--experimental-rerun', join('two', '.hydra', 'config.yaml'))
    expect(again.reports[0]).toMatchObject({
      digest: first?.digest,
      outputDir: first?.outputDir,
      cwd: folder,
    })
    expect(run('item=salt', 'hydra.run.dir=three').reports[0]?.digest).not.toBe(first?.digest)
  })

  test('fails with the overrides, the error and where it was thrown, and with all of the stack where asked', () => {
    const { status, stderr } = run('fail=true', 'hydra.run.dir=four')
    expect(status).toBe(1)
    expect(stderr).toMatch(
      /^Error executing job with overrides: \['fail=true'\]\nRangeError: no tea\n +at .*shop-app\.ts:\d+:\d+\n\nSet the environment variable HYDRA_FULL_ERROR=1/,
    )
    expect(stderr).not.toContain('run-job')
  })

  test('calls callbacks in order and back; what one throws, and what is not registered, is warned of', () => {
    const callbacks =
      '{a: {_target_: shop.Told, name: A}, b: {_target_: shop.Told, name: B}, c: {_target_: shop.Broken}, d: {_target_: x.Y}}'
    const { stdout, stderr, status } = run(`+hydra.callbacks=${callbacks}`, 'hydra.run.dir=five')
    expect(status).toBe(0)
    expect(stdout.split('\n').filter((line) => /^[AB]: /.test(line))).toEqual([
      'A: run start',
      'B: run start',
      'A: job start',
      'B: job start',
      'B: job end COMPLETED tea',
      'A: job end COMPLETED tea',
      'B: run end',
      'A: run end',
    ])
    expect(stderr).toContain("The callback 'x.Y' is not registered")
    expect(stderr).toContain('Callback shop.Broken.on_job_start raised Error: no luck')
  })
})

describe.each([
  ['basic', 'locally'],
  ['worker_threads', 'in worker threads'],
  ['child_process', 'in child processes'],
])('hydra/launcher=%s', (launcher, where) => {
  test('runs the jobs of a sweep', () => {
    const { stdout, status, reports } = run(
      '-m',
      'item=tea,salt',
      `hydra/launcher=${launcher}`,
      `hydra.sweep.dir=sweep-${launcher}`,
    )
    expect(status).toBe(0)
    expect(stdout).toContain(`Launching 2 jobs ${where}`)
    const sweep = join(folder, `sweep-${launcher}`)
    expect(reports).toMatchObject([
      { name: 'tea', num: 0, overrides: ['item=tea'], outputDir: join(sweep, '0') },
      { name: 'salt', num: 1, overrides: ['item=salt'], outputDir: join(sweep, '1') },
    ])
    const places = new Set(reports.map(({ pid, thread }) => `${pid}.${thread}`))
    expect(places.size).toBe(launcher === 'basic' ? 1 : 2)
    expect(new Set(reports.map(({ pid }) => pid)).size).toBe(launcher === 'child_process' ? 2 : 1)
    expect(existsSync(join(sweep, 'multirun.yaml'))).toBe(true)
  })

  test('a job that fails fails the run', () => {
    const { stderr, status } = run(
      '-m',
      'item=tea,salt',
      'fail=true',
      `hydra/launcher=${launcher}`,
      'hydra.sweep.dir=failed',
    )
    expect(status).toBe(1)
    expect(stderr).toContain(
      "Error executing job with overrides: ['item=tea', 'fail=True']\nRangeError: no tea",
    )
  })
})

test('a thread cannot have a current directory of its own', () => {
  const { stderr, status } = run(
    '-m',
    'item=tea,salt',
    'hydra/launcher=worker_threads',
    'hydra.job.chdir=true',
  )
  expect(status).toBe(1)
  expect(stderr).toMatch(/^hydra\.job\.chdir is true.*use hydra\/launcher=child_process/)
})

describe('kill -9', () => {
  test.each([1, 7, 30])('after %i jobs: each folder has all of .hydra or none', async (count) => {
    const sweep = join(folder, `killed-${count}`)
    const child = start('-m', '+k=range(2000)', `hydra.sweep.dir=${sweep}`, 'hydra/job_logging=disabled')
    await vi.waitFor(() => expect(jobsIn(sweep).length).toBeGreaterThanOrEqual(count), {
      timeout: 25_000,
      interval: 1,
    })
    child.kill('SIGKILL')
    await once(child, 'exit')
    const jobs = jobsIn(sweep)
    expect(jobs.length).toBeLessThan(2000)
    for (const job of jobs) {
      const hydra = join(sweep, job, '.hydra')
      if (!existsSync(hydra)) continue
      expect(readdirSync(hydra).toSorted()).toEqual(['config.yaml', 'hydra.yaml', 'overrides.yaml'])
      expect(readFileSync(join(hydra, 'overrides.yaml'), 'utf8')).toBe(`- +k=${job}\n`)
      for (const file of ['config.yaml', 'hydra.yaml']) {
        expect(() => parseYaml(readFileSync(join(hydra, file), 'utf8'))).not.toThrow()
      }
      expect(readFileSync(join(hydra, 'config.yaml'), 'utf8')).toMatch(new RegExp(`\\nk: ${job}\\n$`))
    }
  })

  test('of the launcher ends the processes of its jobs', async () => {
    const sweep = join(folder, 'orphans')
    const told = join(folder, 'orphans.jsonl')
    const child = start(
      '-m',
      'wait=true',
      'item=tea',
      'hydra/launcher=child_process',
      `hydra.sweep.dir=${sweep}`,
      `told=${told}`,
    )
    await vi.waitFor(() => expect(existsSync(join(sweep, '0', '.hydra'))).toBe(true), {
      timeout: 25_000,
      interval: 5,
    })
    const [job] = await vi.waitFor(
      () => {
        const children = childrenOf(child.pid ?? 0)
        expect(children).toHaveLength(1)
        return children
      },
      { timeout: 25_000, interval: 5 },
    )
    child.kill('SIGKILL')
    await vi.waitFor(() => expect(isAlive(job ?? 0)).toBe(false), { timeout: 25_000, interval: 5 })
  })
})

function start(...argv: string[]): ChildProcess {
  return spawn(process.execPath, [conditions, program, ...argv], {
    cwd: folder,
    env: environment,
    stdio: 'ignore',
  })
}

function jobsIn(sweep: string): string[] {
  return existsSync(sweep) ? readdirSync(sweep).filter((name) => /^\d+$/.test(name)) : []
}

function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
  return stdout
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(Number)
}

function isAlive(pid: number): boolean {
  // A process that has ended and that nobody has asked for is no longer alive.
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z')
}
