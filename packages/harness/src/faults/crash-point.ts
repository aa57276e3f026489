import { fstatSync, writeSync } from 'node:fs'
import { HarnessError } from '../errors.ts'

/** A place where a process is to die: the `n`-th passing (from 1) of the crash point `name`. */
export interface CrashSite {
  name: string
  n: number
}

/** What the parent reads from the report descriptor, one line each. */
export type CrashReport = { kind: 'passed'; name: string } | ({ kind: 'crashed' } & CrashSite)

// The descriptor on which a child started by `startChild` reports.
const reportDescriptor = 4
/** @internal Set where every passing is to be reported. */
export const recordVariable = 'LOADBEARING_RECORD_CRASH_POINTS'

interface Armed {
  site: CrashSite | undefined
  report: boolean
  record: boolean
  passed: Map<string, number>
}

let armed: Armed | undefined | 'unread' = 'unread'

/**
 * Marks a place where the process may be killed. Without `CRASH_AT` in the environment it does nothing. With
 * `CRASH_AT=name:n` the process kills itself with SIGKILL at the `n`-th passing of `name`: no `finally`, no exit
 * handler, no flush. No statement after the call runs. Passings are counted for each process, and in a worker
 * thread for each thread.
 *
 * @param name Letters, digits, `.`, `_`, `/` and `-`, at most 100.
 * @throws HarnessError `BAD_OPTION` when `CRASH_AT` is malformed or, where armed, `name` is.
 */
export function crashPoint(name: string): void {
  if (armed === undefined) return
  if (armed === 'unread') {
    armed = readEnvironment(process.env)
    if (armed === undefined) return
  }
  pass(armed, name)
}

/** Reads `name:n`, as `CRASH_AT` holds it; throws `BAD_OPTION` for anything else. */
export function parseCrashAt(text: string): CrashSite {
  const parts = /^([\w./-]{1,100}):([1-9]\d{0,8})$/.exec(text)
  if (parts?.[1] === undefined) {
    throw new HarnessError(
      'BAD_OPTION',
      `CRASH_AT must be name:n, such as after-claim:2 (n from 1), got ${JSON.stringify(text)}`,
    )
  }
  return { name: parts[1], n: Number(parts[2]) }
}

/** @internal Reads a line that {@link crashPoint} wrote; undefined when it is none. */
export function parseCrashReport(line: string): CrashReport | undefined {
  const [kind, name, n] = line.split(' ')
  if (name === undefined) return undefined
  if (kind === 'passed') return { kind, name }
  if (kind === 'crashed') return { kind, name, n: Number(n) }
  return undefined
}

function readEnvironment(env: NodeJS.ProcessEnv): Armed | undefined {
  const at = env['CRASH_AT']
  const record = env[recordVariable] === '1'
  if (at === undefined && !record) return undefined
  // A grandchild inherits the variables but not the descriptor, whose number is something else there.
  const report = env['LOADBEARING_TETHERED_PID'] === String(process.pid) && isSocket(reportDescriptor)
  return {
    site: at === undefined ? undefined : parseCrashAt(at),
    report,
    record: record && report,
    passed: new Map(),
  }
}

function isSocket(descriptor: number): boolean {
  try {
    const stat = fstatSync(descriptor)
    return stat.isSocket() || stat.isFIFO()
  } catch {
    return false
  }
}

function pass({ site, report, record, passed }: Armed, name: string): void {
  if (!/^[\w./-]{1,100}$/.test(name)) {
    throw new HarnessError(
      'BAD_OPTION',
      `a crash point's name is made of letters, digits, . _ / and -, at most 100, got ${JSON.stringify(name)}`,
    )
  }
  const n = (passed.get(name) ?? 0) + 1
  passed.set(name, n)
  if (record) writeSync(reportDescriptor, `passed ${name}\n`)
  if (site?.name !== name || site.n !== n) return
  // Written before the signal and synchronously: the kernel holds it when this process is gone.
  if (report) writeSync(reportDescriptor, `crashed ${name} ${n}\n`)
  process.kill(process.pid, 'SIGKILL')
  // The signal may take a moment to arrive; nothing after the crash point may run meanwhile.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}
