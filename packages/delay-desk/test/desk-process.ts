import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { newFolder } from './folders.ts'

/** The desk as a process of its own, as users run it. */
export class DeskProcess {
  readonly child: ChildProcess
  /** Where the run's temporary files go: nothing may be left in it. */
  readonly temporary: string = newFolder()
  stdout = ''
  stderr = ''

  constructor(entry: URL, args: readonly string[]) {
    const program = fileURLToPath(entry)
    this.child = spawn(process.execPath, ['--conditions=@loadbearing/source', program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TMPDIR: this.temporary },
    })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
  }

  /** Waits for the end; the answer is exit status or signal. */
  async ended(): Promise<number | string | null> {
    const [status, signal]: unknown[] = await once(this.child, 'close')
    return typeof status === 'number' ? status : String(signal)
  }

  /** Waits until the desk has written a line that matches. */
  async wrote(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout)
      if (match !== null) return match
      if (this.child.stdout === null || this.child.stdout.readableEnded) {
        throw new Error(`never wrote ${pattern}: ${this.stdout} ${this.stderr}`)
      }
      const heard = new AbortController()
      const { signal } = heard
      await Promise.race([
        once(this.child.stdout, 'data', { signal }),
        once(this.child.stdout, 'end', { signal }),
      ])
      heard.abort()
    }
  }

  /** The processes that the desk has started and that live, found by their parent. */
  children(): number[] {
    return processes().flatMap(({ pid, parent }) => (parent === this.child.pid ? [pid] : []))
  }

  /** One of them that runs this program: process ids go round, and a bank that has died is younger than the workers. */
  childOf(program: 'worker.ts' | 'records.ts'): number {
    const found = processes().find(
      ({ parent, command }) => parent === this.child.pid && command.includes(program),
    )
    if (found === undefined) throw new Error(`none of the desk's processes runs ${program}`)
    return found.pid
  }
}

/** Whether a process lives. One that has ended and is not yet waited for does not. */
export function lives(pid: number): boolean {
  return processes().some((each) => each.pid === pid && each.state !== 'Z')
}

function processes(): { pid: number; parent: number; state: string; command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // pid (command) state parent …; the command may hold anything.
        const [state = '', parent] = readFileSync(`/proc/${name}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ')
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8')
        return [{ pid: Number(name), parent: Number(parent), state, command }]
      } catch {
        return []
      }
    })
}
