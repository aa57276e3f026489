import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from '@loadbearing/harness/faults'

/** A running OpenFGA, its data in memory. */
export interface OpenFga extends AsyncDisposable {
  readonly url: string
}

/** Starts `openfga` of PATH, or of the environment's `OPENFGA`, on free ports of the loopback; says why where it cannot. */
export async function startOpenFga(...flags: string[]): Promise<OpenFga | { readonly missing: string }> {
  return await start([...flags, '--log-level', 'none'])
}

/** The same, and tells the lines of its log, which are JSON. */
export async function startLoggedOpenFga(
  onLine: (line: string) => void,
  ...flags: string[]
): Promise<OpenFga | { readonly missing: string }> {
  return await start([...flags, '--log-level', 'warn', '--log-format', 'json'], onLine)
}

async function start(
  flags: readonly string[],
  onLine?: (line: string) => void,
): Promise<OpenFga | { readonly missing: string }> {
  const program = process.env['OPENFGA'] ?? onPath('openfga')
  if (program === undefined) return { missing: 'no openfga on PATH, and no OPENFGA in the environment' }
  const [http, grpc] = [await freePort(), await freePort()]
  const addresses = ['--http-addr', `127.0.0.1:${http}`, '--grpc-addr', `127.0.0.1:${grpc}`]
  const quiet = ['--playground-enabled=false', '--metrics-enabled=false']
  const args = ['run', '--datastore-engine', 'memory', ...addresses, ...quiet, ...flags]
  const child = spawn(program, args, {
    stdio: ['ignore', onLine === undefined ? 'ignore' : 'pipe', 'ignore'],
  })
  if (child.stdout !== null && onLine !== undefined) createInterface(child.stdout).on('line', onLine)
  const ended = once(child, 'exit').catch(() => undefined)
  const url = `http://127.0.0.1:${http}`
  while (!(await serves(url))) {
    if (child.exitCode !== null || child.pid === undefined) return { missing: `${program} does not start` }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.kill()
      await ended
    },
  }
}

async function serves(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`)).ok
  } catch {
    return false
  }
}

/** The program of this name that PATH leads to. */
export function onPath(name: string): string | undefined {
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
