import type { ChildProcess } from 'node:child_process'
import { type Line, readLines } from '../conformance/lines.ts'
import { HarnessError, type HarnessErrorCode } from '../errors.ts'
import { type Duration, toMs } from '../faults/duration.ts'
import { signal } from '../faults/process-tree.ts'
import { outputRead, spawnTethered } from '../faults/tether.ts'

export interface OracleOptions {
  /** The program, looked up in PATH. */
  readonly command: string
  readonly args?: readonly string[]
  readonly cwd?: string
  /** The whole environment of the program. Default: that of this process. */
  readonly env?: NodeJS.ProcessEnv
  /** How long one answer may take, the start of the program included. Default: 10 s. */
  readonly timeout?: Duration
  /** The longest answer. Default: 64 MiB. */
  readonly maxLineBytes?: number
}

/** A running program that answers each line of JSON with one, in order. */
export interface Oracle extends AsyncDisposable {
  /**
   * Sends one question as a line of JSON and resolves to the parsed answer. Questions asked meanwhile wait their turn.
   * After a failure the program is killed, and the next question starts it anew.
   *
   * Integers beyond 2^53 do not survive JSON numbers: let the program write them as strings.
   *
   * @throws HarnessError `ORACLE_TIMED_OUT`, `ORACLE_DIED` or `ORACLE_GARBLED`, each with the end of what the program
   * wrote to standard error; `BAD_OPTION` when the question cannot be written as JSON.
   */
  ask(question: unknown): Promise<unknown>
  /** How often the program was started. */
  readonly starts: number
}

const STDERR_KEPT = 4096

/**
 * Drives another program, in any language, by JSON lines over its standard input and output. It is started at the
 * first question, and killed with all that it started when the oracle is disposed of, or this process ends.
 *
 * @example
 * await using oracle = startOracle({ command: 'python3', args: ['peer.py'] })
 * await oracle.ask({ op: 'hash', key: 'a' })
 */
export function startOracle(options: OracleOptions): Oracle {
  const timeoutMs = toMs('timeout', options.timeout ?? '10s')
  if (typeof options.command !== 'string' || options.command === '' || options.command.includes('\0')) {
    throw new HarnessError(
      'BAD_OPTION',
      `command must be the name or path of a program, received ${JSON.stringify(options.command)}`,
    )
  }
  let program: Program | undefined
  let starts = 0
  let disposed = false
  let turn: Promise<unknown> = Promise.resolve()

  async function askInTurn(question: string): Promise<unknown> {
    if (disposed) throw new HarnessError('ORACLE_DIED', 'the oracle was disposed of; ask it before that')
    if (program === undefined) {
      program = new Program(options)
      starts++
    }
    try {
      return await program.ask(question, timeoutMs)
    } catch (error) {
      await program[Symbol.asyncDispose]()
      program = undefined
      throw error
    }
  }

  return {
    ask(question) {
      const line = toLine(question)
      const answer = turn.then(() => askInTurn(line))
      turn = answer.catch(() => {})
      return answer
    },
    get starts() {
      return starts
    },
    async [Symbol.asyncDispose]() {
      disposed = true
      await program?.[Symbol.asyncDispose]()
      await turn
    },
  }
}

class Program implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #name: string
  readonly #lines: AsyncGenerator<Line>
  readonly #ended: Promise<unknown>
  #next: Promise<IteratorResult<Line>>
  #early = false
  #startError: Error | undefined
  #stderr = ''

  constructor({
    command,
    args = [],
    cwd,
    env = process.env,
    maxLineBytes = 64 * 1024 * 1024,
  }: OracleOptions) {
    this.#name = [command, ...args].join(' ')
    const { process: child, gone } = spawnTethered(command, args, {
      env,
      stdio: { standard: ['pipe', 'pipe', 'pipe'] },
      ...(cwd === undefined ? {} : { cwd }),
    })
    this.#child = child
    const { stdin, stdout, stderr } = child
    if (stdin === null || stdout === null || stderr === null)
      throw new TypeError('unreachable: all three are pipes')
    this.#ended = Promise.all([outputRead(child), gone])
    child.on('error', (error) => {
      this.#startError = error
    })
    // That the program reads no more is learnt from the end of its output.
    stdin.on('error', () => {})
    stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT)
    })
    this.#lines = readLines(stdout, maxLineBytes)
    this.#next = this.#read()
  }

  async ask(question: string, timeoutMs: number): Promise<unknown> {
    // A line that nobody asked for would pass for the answer to this question, and shift all that follow.
    if (this.#early) throw await this.#failureOf(await this.#next, 'before it was asked')
    const answer = this.#next
    this.#child.stdin?.write(`${question}\n`)
    const result = await within(timeoutMs, answer)
    if (result === undefined) throw this.#failure('ORACLE_TIMED_OUT', `gave no answer within ${timeoutMs} ms`)
    if (result.done === true || 'fault' in result.value)
      throw await this.#failureOf(result, 'instead of an answer')
    try {
      const parsed: unknown = JSON.parse(result.value.text)
      this.#next = this.#read()
      return parsed
    } catch {
      throw await this.#failureOf(result, 'instead of JSON')
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child
    if (pid !== undefined && exitCode === null && signalCode === null) signal(-pid, 'SIGKILL')
    // What nobody reads any more would keep it from ending.
    this.#child.stdout?.destroy()
    await this.#ended
  }

  #read(): Promise<IteratorResult<Line>> {
    this.#early = false
    // A stream that breaks has ended, for us.
    const next = this.#lines.next().catch((): IteratorResult<Line> => ({ done: true, value: undefined }))
    const mark = (): void => {
      if (this.#next === next) this.#early = true
    }
    void next.then(mark)
    return next
  }

  async #failureOf(result: IteratorResult<Line>, when: string): Promise<HarnessError> {
    if (result.done !== true) {
      const wrote = 'text' in result.value ? JSON.stringify(shorten(result.value.text)) : result.value.fault
      return this.#failure('ORACLE_GARBLED', `wrote to its standard output ${when}: ${wrote}`)
    }
    await this[Symbol.asyncDispose]()
    if (this.#startError !== undefined) {
      return this.#failure('ORACLE_DIED', 'could not be started', { cause: this.#startError })
    }
    const { exitCode, signalCode } = this.#child
    return this.#failure('ORACLE_DIED', `ended ${when}, with ${signalCode ?? `status ${exitCode}`}`)
  }

  #failure(code: HarnessErrorCode, what: string, options?: ErrorOptions): HarnessError {
    const said = this.#stderr.trim()
    return new HarnessError(
      code,
      `${this.#name} ${what}${said === '' ? '' : `; its standard error ends with: ${said}`}`,
      options,
    )
  }
}

function toLine(question: unknown): string {
  try {
    const line: unknown = JSON.stringify(question)
    if (typeof line === 'string') return line
  } catch (cause) {
    throw new HarnessError('BAD_OPTION', 'the question cannot be written as JSON', { cause })
  }
  throw new HarnessError('BAD_OPTION', `the question must be a JSON value, received ${typeof question}`)
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(resolve, ms, undefined)
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`
}
