import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { answerLine, badCommand, type Operations } from './answer.ts'
import { readLines } from './lines.ts'

export interface PortOptions {
  /** The files to answer, in order; standard input where there are none. Default: the arguments of the process. */
  readonly files?: readonly string[]
  /** A longer line is answered with `BAD_COMMAND`. Default: 64 MiB. */
  readonly maxLineBytes?: number
}

/**
 * Serves the conformance port: answers each line of JSON with one line on standard output, in order. Blank lines are
 * passed over. Whatever else is written to `process.stdout` meanwhile, by `console.log` for one, goes to standard
 * error. The next command is read once the answer to the last has been taken, so that memory holds one of each.
 *
 * The exit status is 0 when all lines were answered, or nobody reads the answers any more; 2 when a file cannot be
 * read; 1 when an error escaped from an operation, outside its promise.
 */
export async function servePort(operations: Operations, options: PortOptions = {}): Promise<void> {
  const { files = process.argv.slice(2), maxLineBytes = 64 * 1024 * 1024 } = options
  const fault = await firstUnreadable(files)
  if (fault !== undefined) return fail(2, fault)

  using output = claimStandardOutput()
  const escaped = (error: unknown): void => fail(1, `an operation let an error escape: ${describe(error)}`)
  process.on('uncaughtException', escaped)
  try {
    const sources = files.length === 0 ? [process.stdin] : files.map((file) => createReadStream(file))
    for (const source of sources) {
      for await (const line of readLines(source, maxLineBytes)) {
        if ('text' in line && line.text.trim() === '') continue
        const answer = 'text' in line ? await answerLine(operations, line.text) : badCommand(null, line.fault)
        if (!(await output.write(`${answer}\n`))) return
      }
    }
  } catch (error) {
    fail(2, `cannot go on reading: ${describe(error)}`)
  } finally {
    process.off('uncaughtException', escaped)
  }
}

async function firstUnreadable(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) {
    try {
      if ((await stat(file)).isDirectory()) return `${file} is a directory; name a file of JSON lines`
    } catch (error) {
      return `cannot read ${file}: ${describe(error)}`
    }
  }
  return undefined
}

interface Output extends Disposable {
  /** Resolves once the text was taken: false where nobody reads any more. */
  write(text: string): Promise<boolean>
}

function claimStandardOutput(): Output {
  const { stdout, stderr } = process
  const write = stdout.write
  let gone = false
  stdout.on('error', ignore)
  stdout.write = stderr.write.bind(stderr)
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        write.call(stdout, text, 'utf8', (error) => {
          gone = isGone(error)
          if (error && !gone) reject(error)
          else resolve(!gone)
        })
      }),
    [Symbol.dispose]: () => {
      stdout.write = write
      if (!gone) stdout.off('error', ignore)
    },
  }
}

// After its write has failed the stream emits 'error' too, which would end the process where nobody listens.
function ignore(): void {}

function isGone(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED'
}

function fail(status: number, message: string): void {
  process.exitCode = status
  process.stderr.write(`conformance: ${message}\n`)
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
