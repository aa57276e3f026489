import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'

/** Whether a process of this id is alive; one that is dead and not yet reaped is not. */
export function isAlive(pid: number | undefined): boolean {
  if (pid === undefined) return false
  if (process.platform === 'linux') {
    try {
      return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
    } catch {
      return false
    }
  }
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** The process and its children. */
export function withChildren(pid: number): number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  const rows = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number))
  return [pid, ...rows.filter(([, parent]) => parent === pid).map(([child]) => Number(child))]
}

/** User id that the process runs as (Linux). */
export function userOf(pid: number | undefined): number {
  return statSync(`/proc/${pid}`).uid
}

/** Folders of servers of this kind, of all processes on this machine. */
export function serverFolders(kind: string): Set<string> {
  return new Set(readdirSync(tmpdir()).filter((name) => name.startsWith(`loadbearing-${kind}-`)))
}
