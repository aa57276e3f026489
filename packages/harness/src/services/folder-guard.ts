import { type ChildProcess, spawn } from 'node:child_process'
import { Socket } from 'node:net'
import { watchdogName } from '../faults/process-tree.ts'

// Reads until the starting process has gone. A program that runs then has a watchdog of its own, which ends it first
// and deletes the folder after.
const script = `
in_use=no
while read -r line; do in_use=$line; done
[ "$in_use" = yes ] || rm -rf -- "$1"
`

/** Deletes a folder when this process ends, SIGKILL included, while no program runs there: a server that was killed. */
export class FolderGuard implements Disposable {
  readonly #process: ChildProcess
  readonly #pipe: Socket

  constructor(folder: string) {
    this.#process = spawn('/bin/sh', ['-c', script, watchdogName, folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
    })
    this.#process.on('error', () => {}).unref()
    if (!(this.#process.stdin instanceof Socket)) throw new TypeError('no pipe')
    this.#pipe = this.#process.stdin
    this.#pipe.on('error', () => {}).unref()
  }

  /** Whether a program with a watchdog runs in the folder from now on. */
  set inUse(inUse: boolean) {
    this.#pipe.write(inUse ? 'yes\n' : 'no\n')
  }

  /** Ends the guard and leaves the folder to who called. */
  [Symbol.dispose](): void {
    this.#process.kill('SIGKILL')
  }
}
