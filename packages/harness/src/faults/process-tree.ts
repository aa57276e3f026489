import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { eventually } from './eventually.ts'

interface ProcessEntry {
  pid: number
  parent: number
  /** First letter of the state as `ps` shows it: R, S, D, T (stopped), Z (dead, not yet reaped), … */
  state: string
}

/** What a watchdog calls itself. It is in no tree: when the tree dies, it still has to clear up. */
export const watchdogName = 'loadbearing-watchdog'

/** `pid` and all processes below it that are alive, parents before children. */
function processTree(pid: number): number[] {
  const entries = liveProcesses()
  const tree = entries.some((entry) => entry.pid === pid) ? [pid] : []
  for (const parent of tree) {
    for (const entry of entries) {
      if (entry.parent === parent && !commandLine(entry.pid).includes(watchdogName)) tree.push(entry.pid)
    }
  }
  return tree
}

/** Stops (SIGSTOP) the whole tree, so that nothing in it can run or fork, and resolves when all of it has stopped. */
export async function stopTree(pid: number): Promise<number[]> {
  return eventually(
    () => {
      const tree = processTree(pid)
      for (const member of tree) signal(member, 'SIGSTOP')
      const stopped = liveProcesses().filter((entry) => entry.state === 'T')
      return tree.every((member) => stopped.some((entry) => entry.pid === member)) && tree
    },
    { what: `process ${pid} and those below it have stopped`, every: 2 },
  )
}

/** SIGCONT to the whole tree. */
export function continueTree(pid: number): void {
  for (const member of processTree(pid)) signal(member, 'SIGCONT')
}

/** SIGKILL to the whole tree, as if the machine had died; resolves when none of it is left. */
export async function killTree(pid: number): Promise<void> {
  const tree = await stopTree(pid)
  for (const member of tree) signal(member, 'SIGKILL')
  await eventually(() => !liveProcesses().some((entry) => tree.includes(entry.pid)), {
    what: `process ${pid} and those below it are gone`,
    every: 2,
  })
}

/** Sends `name` to a process or, with a negative id, to a process group; false when there is none. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false
    throw error
  }
}

function liveProcesses(): ProcessEntry[] {
  const entries = process.platform === 'linux' ? fromProc() : fromPs()
  return entries.filter(({ state }) => state !== 'Z' && state !== 'X')
}

// Small Linux images have no ps.
function fromProc(): ProcessEntry[] {
  const entries: ProcessEntry[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      // The second field is the program's name in brackets, which may itself hold spaces and brackets.
      const [state = '', parent = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ', 2)
      entries.push({ pid: Number(name), parent: Number(parent), state: state.toUpperCase() })
    } catch {
      // It ended while we were reading.
    }
  }
  return entries
}

function commandLine(pid: number): string {
  if (process.platform !== 'linux') {
    return spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' }).stdout
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

function fromPs(): ProcessEntry[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat='], { encoding: 'utf8' })
  return table
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [pid, parent, state = ''] = line.trim().split(/\s+/)
      return { pid: Number(pid), parent: Number(parent), state: state.charAt(0) }
    })
}
