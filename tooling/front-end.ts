import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { SOURCE_CONDITION } from './manifest.ts'
import { type Package, packages, root } from './workspace.ts'

/** Flags under which a TypeScript file of the workspace runs from sources. */
export const nodeFlags: readonly string[] = [`--conditions=${SOURCE_CONDITION}`]

/** An environment in which a process and its children keep what they compiled: many short ones load the same sources. */
export function compiledOnce(): NodeJS.ProcessEnv {
  return { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compiled'), ...process.env }
}

/** A root command that runs one file of a package: `pnpm bench maglev` runs `packages/maglev/bench/main.ts`. */
export interface FrontEnd {
  /** The root script's name. */
  readonly command: string
  /** The file, from the package's folder. */
  readonly entry: string
  /** What follows the package in the usage line. */
  readonly usage: string
  /** What the command does, in one line. */
  readonly purpose: string
  /** Whether the command without a package runs every package that has the file. */
  readonly all: boolean
}

/** Runs a front end for the process's arguments and sets the exit code. Wrong use prints the help and exits with 2. */
export async function runFrontEnd(
  frontEnd: FrontEnd,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  const able = packages().filter(({ home }) => existsSync(join(home, frontEnd.entry)))
  const [named, ...rest] = argv
  if (named === '--help' || named === '-h') {
    console.log(help(frontEnd, able))
    return
  }
  const chosen = choose(frontEnd, able, named)
  if (chosen === undefined) {
    console.error(help(frontEnd, able))
    process.exitCode = 2
    return
  }
  for (const { home } of chosen.packages) {
    const status = await run(process.execPath, [
      ...nodeFlags,
      join(home, frontEnd.entry),
      ...(chosen.named ? rest : argv),
    ])
    if (status !== 0) process.exitCode = status
  }
}

function choose(
  { command, all }: FrontEnd,
  able: readonly Package[],
  named: string | undefined,
): { packages: readonly Package[]; named: boolean } | undefined {
  if (all && (named === undefined || named.startsWith('-'))) return { packages: able, named: false }
  const found = able.find(({ folder, name }) => folder === named || name === named)
  if (found !== undefined) return { packages: [found], named: true }
  if (named !== undefined) console.error(`${command}: no package '${named}' has this command\n`)
  return undefined
}

function help({ command, usage, purpose, all }: FrontEnd, able: readonly Package[]): string {
  return [
    `usage: pnpm ${command} ${all ? '[package]' : '<package>'} ${usage}`.trimEnd(),
    purpose,
    `packages: ${able.map(({ folder }) => folder).join(', ') || 'none yet'}`,
  ].join('\n')
}

/**
 * Runs a program with this process's own streams and answers its exit status (128 + n after signal n).
 * Interrupts reach the program through the terminal's process group, so this process only waits.
 */
export function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', ...options })
    const wait = () => {}
    const pass = () => child.kill('SIGTERM')
    process.on('SIGINT', wait)
    process.on('SIGTERM', pass)
    child.once('error', reject)
    child.once('close', (code, signal) => {
      process.off('SIGINT', wait)
      process.off('SIGTERM', pass)
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]))
    })
  })
}
