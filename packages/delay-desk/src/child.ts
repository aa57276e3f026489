import { type ChildProcess, fork } from 'node:child_process'
import type { URL } from 'node:url'

const PATIENCE_MS = 2_000

/** A child process with a channel for messages, that never outlives this one (see `lifeline.ts`). */
export class Child implements AsyncDisposable {
  readonly #process: ChildProcess
  /** How it ended (`SIGKILL`, `exit status 1`), once that is known and its last message has been heard. */
  readonly ended: Promise<string>

  constructor(program: URL, hear: (message: unknown) => void) {
    this.#process = fork(program, {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#process.on('message', hear)
    this.ended = endOf(this.#process)
  }

  /** 0 where the process could not be started. */
  get pid(): number {
    return this.#process.pid ?? 0
  }

  get lives(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  /** What is sent to a process that is ending is lost without a word; `ended` tells. */
  tell(message: object): void {
    if (this.#process.connected) this.#process.send(message, () => {})
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  /** Stops it where it stands; its sockets stay open. */
  pause(): void {
    this.#process.kill('SIGSTOP')
  }

  resume(): void {
    this.#process.kill('SIGCONT')
  }

  /** Closes the channel, which ends the process; one that does not end in 2 s is killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.connected) this.#process.disconnect()
    const impatience = setTimeout(() => this.kill(), PATIENCE_MS)
    await this.ended
    clearTimeout(impatience)
  }
}

async function endOf(child: ChildProcess): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const silence = new Promise((silent) => child.once('disconnect', silent))
  child.once('exit', (code, signal) => {
    resolve(signal ?? `exit status ${code}`)
  })
  child.once('error', (error) => {
    // A process that runs has a pid, and its end follows.
    if (child.pid === undefined) resolve(error.message)
  })
  const end = await promise
  if (child.pid !== undefined) await silence
  return end
}
