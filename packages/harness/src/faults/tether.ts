import { type ChildProcess, type SpawnOptions, type StdioOptions, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { HarnessError } from '../errors.ts'
import { signal } from './process-tree.ts'

/*
 * A process that does not outlive the one that started it, whatever ends that one, SIGKILL included.
 *
 * Descriptor 3 is a pipe whose other end only the starting process holds. A shell forks a watchdog that waits for
 * the end of that pipe and then becomes the program, keeping its process id. The watchdog is forked twice, so that it
 * is no child of the program, but stays in its process group: as long as a group has a member, its number is not
 * given to another process, so signals to the group can never meet a stranger.
 */
const launcher = `
export LOADBEARING_TETHERED_PID=$$
(
  {
    exec >/dev/null 2>&1 </dev/null 4>&- 5>&-
    cd /
    read -r _ <&3
    kill -CONT "-$$"
    kill "-$LOADBEARING_LAST_SIGNAL" $$
    i=0
    while kill -0 $$ && [ $i -lt 50 ]; do i=$((i + 1)); sleep 0.1; done
    [ -z "$LOADBEARING_LEFTOVER" ] || rm -rf -- "$LOADBEARING_LEFTOVER"
    kill -KILL "-$$"
  } &
)
exec 3<&-
exec "$@"
`

export interface TetherOptions {
  cwd?: string
  /** The whole environment. */
  env: NodeJS.ProcessEnv
  /** Descriptors 0 to 2, then those from 4 on; 3 is the tether. */
  stdio: { standard: [StdioPart, StdioPart, StdioPart]; further?: StdioPart[] }
  /** To run as another user; needs root. */
  user?: { uid: number; gid: number }
  /** Sent when the starting process has died; SIGKILL follows after 5 s. Default `SIGKILL`. */
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
): ChildProcess {
  if (process.platform === 'win32') {
    throw new HarnessError(
      'PLATFORM_UNSUPPORTED',
      'processes are killed, paused and tied together by POSIX signals: run these tests on Linux, macOS or WSL',
    )
  }
  const options: SpawnOptions = {
    stdio: [...stdio.standard, 'pipe', ...(stdio.further ?? [])],
    detached: true,
    env: { ...env, LOADBEARING_LAST_SIGNAL: lastSignal.slice(3), LOADBEARING_LEFTOVER: leftover },
    ...(cwd === undefined ? {} : { cwd }),
    ...user,
  }
  const child = spawn('/bin/sh', ['-c', launcher, 'sh', command, ...args], options)
  child.once('exit', () => {
    if (child.pid !== undefined) signal(-child.pid, 'SIGKILL')
  })
  const tether = child.stdio[3]
  // Reading is what tells us that the watchdog has gone; nothing is ever written.
  if (tether instanceof Socket) tether.on('error', () => {}).resume()
  if (!ref) {
    child.unref()
    if (tether instanceof Socket) tether.unref()
  }
  return child
}
