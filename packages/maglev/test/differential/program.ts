import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The first program of that name on PATH. */
export async function onPath(name: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not in this folder.
    }
  }
  return undefined
}

export interface Ended {
  /** -1 where the program cannot be started or took too long. */
  readonly status: number
  /** The last line of what it said, for a sentence that tells why it failed. */
  readonly reason: string
}

/** Runs a program to its end. */
export async function run(
  program: string,
  args: readonly string[],
  timeout: number,
  cwd?: string,
): Promise<Ended> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout,
    ...(cwd !== undefined && { cwd }),
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)))
  try {
    const [status] = await once(child, 'close')
    const last = said.trim().split('\n').at(-1) ?? ''
    return {
      status: typeof status === 'number' ? status : -1,
      reason: last || `exit status ${String(status)}`,
    }
  } catch (error) {
    return { status: -1, reason: error instanceof Error ? error.message : String(error) }
  }
}
