import type { ChildProcess, Serializable } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { HarnessError } from '../errors.ts'
import { type CrashSite, parseCrashAt, parseCrashReport, recordVariable } from './crash-point.ts'
import { type Duration, toMs } from './duration.ts'
import { Inbox } from './inbox.ts'
import { continueTree, killTree, signal, stopTree } from './process-tree.ts'
import { outputRead, spawnTethered, type Tethered } from './tether.ts'

export interface ChildOptions {
  args?: readonly string[]
  /** Added to this process's environment; `undefined` removes a variable. */
  env?: Readonly<Record<string, string | undefined>>
  cwd?: string
  /** Options of node itself. Default: those of this process, so that conditions and loaders carry over. */
  execArgv?: readonly string[]
  /** The line on standard output that says the child is ready. Default: do not wait. */
  ready?: LineMatch
  /** How long to wait for `ready`. Default `'30s'`. */
  readyWithin?: Duration
  /** Dies at this passing of a crash point, `name:n`. */
  crashAt?: string
  /** Counts every passing of every crash point into `pointsPassed`. Default false: it costs a write each. */
  recordPoints?: boolean
  /** How many characters of each output stream are kept, the last ones. Default 1,048,576. */
  outputLimit?: number
}

/** Text that the line contains, a pattern, or a predicate. */
export type LineMatch = string | RegExp | ((line: string) => boolean)

export interface ChildExit {
  /** Exit status; null when a signal ended the child. */
  code: number | null
  signal: NodeJS.Signals | null
  /** The crash point that killed it, when one did. */
  crashedAt?: CrashSite
}

const messageLimit = 10_000

/** A real node process under the control of a test. Made by {@link startChild}. */
export class Child implements AsyncDisposable {
  readonly pid: number
  /** Resolves when the child has ended and all that it wrote has been read. Never rejects. */
  readonly exit: Promise<ChildExit>
  readonly #process: ChildProcess
  readonly #script: string
  readonly #stdout: Tail
  readonly #stderr: Tail
  readonly #lines: Inbox<string>
  readonly #messages = new Inbox<unknown>(messageLimit, () => 1)
  readonly #pointsPassed = new Map<string, number>()
  #crashedAt: CrashSite | undefined
  #exited: ChildExit | undefined

  /** @internal */
  constructor({ process: child, gone }: Tethered, pid: number, script: string, outputLimit: number) {
    this.#process = child
    this.#script = script
    this.pid = pid
    this.#stdout = new Tail(outputLimit)
    this.#stderr = new Tail(outputLimit)
    this.#lines = new Inbox(outputLimit, (line) => line.length)
    readText(child.stdout, (text) => this.#stdout.add(text))
    readText(child.stderr, (text) => this.#stderr.add(text))
    readLines(child.stdout, outputLimit, (line) => this.#lines.push(line))
    const reports = child.stdio[4]
    if (reports && 'read' in reports) readLines(reports, outputLimit, (line) => this.#report(line))
    child.on('message', (message) => this.#messages.push(message))
    child.on('error', () => {})
    this.exit = Promise.all([outputRead(child), gone]).then(() => this.#end(child.exitCode, child.signalCode))
  }

  /** What the child wrote last, up to `outputLimit` characters of each stream. */
  get output(): { stdout: string; stderr: string } {
    return { stdout: this.#stdout.text, stderr: this.#stderr.text }
  }

  /** How often each crash point was passed, with `recordPoints`. */
  get pointsPassed(): ReadonlyMap<string, number> {
    return this.#pointsPassed
  }

  /** Whether the child has ended. */
  get ended(): boolean {
    return this.#exited !== undefined
  }

  /**
   * The next line of standard output that matches. Lines are read once, in order: what came before is skipped.
   * @throws HarnessError `TIMED_OUT` after `within` (default `'30s'`), `PROCESS_ENDED` when no more lines can come.
   */
  async line(match: LineMatch, { within = '30s' }: { within?: Duration } = {}): Promise<string> {
    return this.#lines.next(`a line with ${String(match)}`, lineMatcher(match), toMs('within', within))
  }

  /** Sends a value to the child, which gets it as `process.on('message', …)`. */
  async send(value: Serializable): Promise<void> {
    if (!this.#process.connected) throw this.#endedError()
    await new Promise<void>((done, fail) => {
      this.#process.send(value, (error) => {
        if (error === null) done()
        else fail(new HarnessError('PROCESS_ENDED', `${this.#script} took no message`, { cause: error }))
      })
    })
  }

  /**
   * The next value that the child gave to `process.send` and that is `wanted` (default: any). Values are read once,
   * in order.
   * @throws HarnessError `TIMED_OUT` after `within` (default `'30s'`), `PROCESS_ENDED` when no more can come.
   */
  async message(
    wanted: (value: unknown) => boolean = () => true,
    { within = '30s' }: { within?: Duration } = {},
  ): Promise<unknown> {
    return this.#messages.next('a message', wanted, toMs('within', within))
  }

  /** SIGKILL to the child and every process below it, as if the machine had died. */
  async kill(): Promise<ChildExit> {
    if (!this.#gone) await killTree(this.pid)
    return this.exit
  }

  /** SIGSTOP to the child and all below it; resolves when they have stopped. They keep sockets and locks. */
  async pause(): Promise<void> {
    if (this.#gone) throw this.#endedError()
    await stopTree(this.pid)
  }

  /** SIGCONT to the child and all below it. */
  resume(): void {
    if (this.#gone) throw this.#endedError()
    continueTree(this.pid)
  }

  /** SIGTERM, and SIGKILL when the child has not ended after `within` (default `'5s'`). A paused child is resumed. */
  async terminate({ within = '5s' }: { within?: Duration } = {}): Promise<ChildExit> {
    const limit = toMs('within', within)
    if (this.#gone) return this.exit
    signal(this.pid, 'SIGTERM')
    continueTree(this.pid)
    const timer = setTimeout(() => void this.kill(), limit)
    try {
      return await this.exit
    } finally {
      clearTimeout(timer)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  // From here on its process id may belong to another.
  get #gone(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  #report(line: string): void {
    const report = parseCrashReport(line)
    if (report?.kind === 'passed') {
      this.#pointsPassed.set(report.name, (this.#pointsPassed.get(report.name) ?? 0) + 1)
    } else if (report?.kind === 'crashed') {
      this.#crashedAt = { name: report.name, n: report.n }
    }
  }

  #end(code: number | null, signalName: NodeJS.Signals | null): ChildExit {
    this.#exited = {
      code,
      signal: signalName,
      ...(this.#crashedAt === undefined ? {} : { crashedAt: this.#crashedAt }),
    }
    this.#lines.end(this.#endedError())
    this.#messages.end(this.#endedError())
    return this.#exited
  }

  #endedError(): HarnessError {
    const how = this.#exited === undefined ? '' : ` ${JSON.stringify(this.#exited)}`
    const stderr = this.#stderr.text.slice(-2_000)
    return new HarnessError(
      'PROCESS_ENDED',
      `${this.#script} has ended${how}${stderr === '' ? '' : `; its standard error ends with\n${stderr}`}`,
    )
  }
}

/**
 * Starts a node script as a real process and waits until it is ready. The child, and all it started, ends with this
 * process, even when this one is killed with SIGKILL.
 *
 * @param script Path (relative to the working directory) or `file:` URL.
 * @throws HarnessError `BAD_OPTION`; `TIMED_OUT` or `PROCESS_ENDED` when it does not get ready, and then it is killed.
 */
export async function startChild(script: string | URL, options: ChildOptions = {}): Promise<Child> {
  const { args = [], env = {}, cwd, execArgv = process.execArgv, ready, readyWithin = '30s' } = options
  const { crashAt, recordPoints = false, outputLimit = 1_048_576 } = options
  const file = resolve(cwd ?? '.', script instanceof URL ? fileURLToPath(script) : script)
  if (!existsSync(file)) throw new HarnessError('BAD_OPTION', `script: no such file: ${file}`)
  if (!Number.isInteger(outputLimit) || outputLimit < 1) {
    throw new HarnessError(
      'BAD_OPTION',
      `outputLimit must be a whole number of at least 1, got ${outputLimit}`,
    )
  }
  if (crashAt !== undefined) parseCrashAt(crashAt)
  const readyMs = toMs('readyWithin', readyWithin)

  const { CRASH_AT: _, ...inherited } = process.env
  const spawned = spawnTethered(process.execPath, [...execArgv, file, ...args], {
    stdio: { standard: ['ignore', 'pipe', 'pipe'], further: ['pipe', 'ipc'] },
    env: {
      ...inherited,
      ...env,
      ...(crashAt === undefined ? {} : { CRASH_AT: crashAt }),
      ...(recordPoints ? { [recordVariable]: '1' } : {}),
    },
    ...(cwd === undefined ? {} : { cwd }),
  })
  const child = new Child(spawned, await pidOf(spawned.process, file), file, outputLimit)
  if (ready !== undefined) {
    try {
      await child.line(ready, { within: readyMs })
    } catch (error) {
      await child.kill()
      throw error
    }
  }
  return child
}

async function pidOf(spawned: ChildProcess, script: string): Promise<number> {
  if (spawned.pid !== undefined) return spawned.pid
  const [cause] = await once(spawned, 'error')
  throw new HarnessError('PROCESS_ENDED', `${script} could not be started`, { cause })
}

function lineMatcher(match: LineMatch): (line: string) => boolean {
  if (typeof match === 'function') return match
  return typeof match === 'string' ? (line) => line.includes(match) : (line) => line.search(match) >= 0
}

/** The last `limit` characters of a stream. */
class Tail {
  readonly #limit: number
  #text = ''

  constructor(limit: number) {
    this.#limit = limit
  }

  get text(): string {
    return this.#text.slice(-this.#limit)
  }

  add(text: string): void {
    this.#text += text
    if (this.#text.length > 2 * this.#limit) this.#text = this.#text.slice(-this.#limit)
  }
}

function readText(stream: Readable | null, onText: (text: string) => void): void {
  stream
    ?.setEncoding('utf8')
    .on('data', onText)
    .on('error', () => {})
}

/** Lines of `stream`; one longer than `limit` characters comes in pieces. */
function readLines(stream: Readable | null, limit: number, onLine: (line: string) => void): void {
  let rest = ''
  readText(stream, (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
    if (rest.length > limit) {
      onLine(rest)
      rest = ''
    }
  })
  stream?.on('end', () => {
    if (rest !== '') onLine(rest)
  })
}
