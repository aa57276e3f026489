import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'

/** Nanoseconds of a call that is let through, and of one that is refused. */
export interface RuntimeCost {
  readonly subject: string
  readonly closed: number
  readonly open: number
}

/**
 * Breakers of other languages on this machine, each timed by means of its own: context, and no comparison. Their calls are
 * synchronous. A string says why there is none.
 */
export function otherRuntimes(): (RuntimeCost | string)[] {
  return [goCost(), javaCost()]
}

function goCost(): RuntimeCost | string {
  const subject = 'gobreaker 2.1.0, Go'
  const folder = mkdtempSync(join(tmpdir(), 'gobreaker-'))
  try {
    cpSync(join(import.meta.dirname, 'runtimes/go'), folder, { recursive: true })
    const fault = run(folder, 'go', 'mod', 'tidy').fault
    if (fault !== undefined) return `${subject}: ${fault}`
    const { stdout, fault: failed } = run(folder, 'go', 'test', '-bench', '.', '-count', '7')
    if (failed !== undefined) return `${subject}: ${failed}`
    const medianOf = (name: string): number =>
      median(
        [...stdout.matchAll(new RegExp(`^Benchmark${name}\\S*\\s+\\d+\\s+(\\S+) ns/op`, 'gm'))].map(
          ([, ns]) => Number(ns),
        ),
      )
    return { subject, closed: medianOf('Closed'), open: medianOf('Open') }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function javaCost(): RuntimeCost | string {
  const subject = 'resilience4j 2.4.0, JVM'
  const source = join(import.meta.dirname, 'runtimes/java')
  const jars = join(homedir(), '.cache', 'loadbearing', 'hystrix-breaker-bench-1')
  if (!existsSync(join(jars, 'resilience4j-circuitbreaker-2.4.0.jar'))) {
    const copy = ['dependency:copy-dependencies', `-DoutputDirectory=${jars}`]
    const { fault } = run(source, 'mvn', '-B', '-q', '-ntp', ...copy)
    if (fault !== undefined) return `${subject}: ${fault}`
  }
  const { stdout, fault } = run(source, 'java', '-cp', join(jars, '*'), 'Calls.java')
  if (fault !== undefined) return `${subject}: ${fault}`
  const of = (state: string): number => Number(new RegExp(`^${state} (\\S+)$`, 'm').exec(stdout)?.[1])
  return { subject, closed: of('closed'), open: of('open') }
}

function run(cwd: string, program: string, ...args: string[]): { stdout: string; fault?: string } {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    timeout: 300_000,
  })
  if (status === 0) return { stdout }
  const [line = ''] = (stderr ?? '').trim().split('\n')
  return { stdout: stdout ?? '', fault: error?.message ?? `${program} ended with ${status}: ${line}` }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
