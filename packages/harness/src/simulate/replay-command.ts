import { basename, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What a replay needs to know of the process that failed. */
export interface Invocation {
  readonly execPath: string
  readonly execArgv: readonly string[]
  /** As `process.argv`. */
  readonly argv: readonly string[]
  readonly cwd: string
  /** The file that called `simulate`, where the process is a worker of vitest. */
  readonly vitestFile?: string | undefined
}

/** The shell command that replays one run alone, to be given in the directory of the failed process. */
export function replayCommand(seed: number, invocation: Invocation): string {
  const words =
    invocation.vitestFile === undefined
      ? [basename(invocation.execPath), ...invocation.execArgv, ...script(invocation)]
      : ['npx', 'vitest', 'run', relative(invocation.cwd, invocation.vitestFile)]
  return [`LOADBEARING_SEED=${seed}`, ...words.map(quote)].join(' ')
}

/** This process, and the file from which `entry` was called. */
export function currentInvocation(entry: (...parameters: never[]) => unknown): Invocation {
  const { execPath, execArgv, argv } = process
  const vitestFile = process.env['VITEST'] === undefined ? undefined : callerFile(entry)
  return { execPath, execArgv, argv, cwd: process.cwd(), vitestFile }
}

function script({ argv, cwd }: Invocation): string[] {
  const [, file, ...rest] = argv
  return file === undefined ? [] : [relative(cwd, file), ...rest]
}

function callerFile(entry: (...parameters: never[]) => unknown): string | undefined {
  const holder: { stack?: string } = {}
  Error.captureStackTrace(holder, entry)
  const place = /\(?((?:file:\/\/)?\/[^\n]*?):\d+:\d+\)?$/m.exec(holder.stack ?? '')?.[1]
  return place?.startsWith('file://') === true ? fileURLToPath(place) : place
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
