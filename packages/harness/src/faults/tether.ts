import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { HarnessError } from '../errors.ts'
import { signal, watchdogName } from './process-tree.ts'

/*
 * A process that does not outlive the one that started it, whatever ends that one, SIGKILL included: beside it runs a
 * watchdog, a shell that waits for the end of a pipe whose other end only the starting process holds. The program
 * itself waits for a line on descriptor 3 until its watchdog is there, so that no moment is left uncovered.
 */
const launcher = `
read -r _ <&3 || exit 125
exec 3<&-
export LOADBEARING_TETHERED_PID=$$
exec "$@"
`

// $1: the program's process group. $2: signal. $3: folder to delete. What was paused acts on no signal before it goes
// on; children may have left the group, as PostgreSQL's do.
const watchdog = `
read -r _
kill -CONT "-$1" $(cat "/proc/$1/task/$1/children")
kill "-$2" "$1"
i=0
while kill -0 "$1" && [ $i -lt 100 ]; do i=$((i + 1)); sleep 0.1; done
kill -KILL "-$1"
[ -z "$3" ] || rm -rf -- "$3"
`

/** A running program with its watchdog. */
export interface Tethered {
  process: ChildProcess
  /** Resolves when the program and its watchdog have ended. */
  gone: Promise<void>
}

const idleMs = 500

/**
 * Resolves when the program has ended and all that it wrote has been read. A process that has left its group (a
 * daemon) may hold the pipes open for ever: where nothing more comes, they are let go.
 */
export function outputRead(program: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    let watch: NodeJS.Timeout | undefined
    program.once('close', () => {
      clearInterval(watch)
      resolve()
    })
    program.once('exit', () => {
      let before = -1
      watch = setInterval(() => {
        const read = program.stdio.reduce(
          (sum, pipe) => sum + (pipe instanceof Socket ? pipe.bytesRead : 0),
          0,
        )
        if (read === before) for (const pipe of program.stdio) pipe?.destroy()
        before = read
      }, idleMs)
    })
  })
}

export interface TetherOptions {
  cwd?: string
  /** The whole environment. */
  env: NodeJS.ProcessEnv
  /** Descriptors 0 to 2, then those from 4 on; 3 is the tether. */
  stdio: { standard: [StdioPart, StdioPart, StdioPart]; further?: StdioPart[] }
  /** To run as another user; needs root. */
  user?: { uid: number; gid: number }
  /** Sent when the starting process has died; SIGKILL follows after 10 s. Default `SIGKILL`. */
  lastSignal?: 'SIGKILL' | 'SIGTERM' | 'SIGINT' | 'SIGQUIT'
  /** A folder to delete when the starting process has died. */
  leftover?: string
  /** Whether the starting process stays alive for this one. Default true. */
  ref?: boolean
}

type StdioPart = Exclude<StdioOptions, string>[number]

/**
 * Starts `command` tied to this process, as the leader of a process group of its own. When it ends, so does what is
 * left of its group.
 */
export function spawnTethered(
  command: string,
  args: readonly string[],
  { cwd, env, stdio, user, lastSignal = 'SIGKILL', leftover = '', ref = true }: TetherOptions,
): Tethered {
  if (process.platform === 'win32') {
    throw new HarnessError(
      'PLATFORM_UNSUPPORTED',
      'processes are killed, paused and tied together by POSIX signals: run these tests on Linux, macOS or WSL',
    )
  }
  const program = spawn('/bin/sh', ['-c', launcher, 'sh', command, ...args], {
    stdio: [...stdio.standard, 'pipe', ...(stdio.further ?? [])],
    detached: true,
    env,
    ...(cwd === undefined ? {} : { cwd }),
    ...user,
  })
  const { pid } = program
  if (pid === undefined) return { process: program, gone: Promise.resolve() }

  const guard = spawn('/bin/sh', ['-c', watchdog, watchdogName, String(pid), lastSignal.slice(3), leftover], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    cwd: '/',
  })
  guard.unref()
  const go = program.stdio[3]
  if (!(go instanceof Socket && guard.stdin instanceof Socket)) throw new TypeError('no pipes')
  guard.stdin.on('error', () => {}).unref()
  go.on('error', () => {}).end('\n')
  if (!ref) program.unref()

  // Without a watchdog it may not run. An exit of the watchdog before the program's is somebody's mistake.
  guard.once('error', () => signal(pid, 'SIGKILL'))
  const guardGone =
    guard.pid === undefined ? undefined : new Promise((resolve) => guard.once('exit', resolve))
  const ended = async (): Promise<void> => {
    await new Promise((resolve) => program.once('exit', resolve))
    signal(-pid, 'SIGKILL')
    guard.ref()
    guard.kill('SIGKILL')
    await guardGone
  }
  return { process: program, gone: ended() }
}
