import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

const cli = join(import.meta.dirname, '../../src/cli.ts')
const base = ['--conditions=@loadbearing/source', cli]

export interface Ended {
  readonly stdout: string
  readonly stderr: string
  readonly status: number | null
}

export interface CommandOptions {
  readonly cwd?: string
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
  /** For Node, before the file. */
  readonly nodeArgs?: readonly string[]
}

/** Runs the command to its end. */
export function command(
  args: readonly string[],
  { cwd, input, env, nodeArgs = [] }: CommandOptions = {},
): Ended {
  const { stdout, stderr, status } = spawnSync(process.execPath, [...nodeArgs, ...base, ...args], {
    encoding: 'utf8',
    timeout: 25_000,
    killSignal: 'SIGKILL',
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    ...(input === undefined ? {} : { input }),
  })
  return { stdout, stderr, status }
}

/** The same without standing still: for what asks a server of this process. */
export async function commandBeside(args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  await using running = new RunningCommand(args, options)
  const status = await running.ended
  return { stdout: running.stdout, stderr: running.stderr, status }
}

/** A command that goes on. Disposing kills it. */
export class RunningCommand implements AsyncDisposable {
  stdout = ''
  stderr = ''
  /** The status it ended with. */
  readonly ended: Promise<number | null>
  readonly #child: ChildProcessByStdio<null, Readable, Readable>
  readonly #waiting = new Set<() => void>()
  #over = false

  constructor(args: readonly string[], { cwd, env }: CommandOptions = {}) {
    this.#child = spawn(process.execPath, [...base, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
      ...(cwd === undefined ? {} : { cwd }),
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
      this.#wake()
    })
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
      this.#wake()
    })
    this.ended = once(this.#child, 'close').then(([status]: unknown[]) => {
      this.#over = true
      this.#wake()
      return typeof status === 'number' ? status : null
    })
  }

  /** Until `pattern` stands on standard output; its first group. @throws where the command ends before. */
  async printed(pattern: RegExp): Promise<string> {
    while (true) {
      const found = pattern.exec(this.stdout)
      if (found !== null) return found[1] ?? found[0]
      if (this.#over) throw new Error(`it ended without ${String(pattern)}: ${this.stdout}${this.stderr}`)
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve)
      })
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
