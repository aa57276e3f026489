import { readFileSync } from 'node:fs'
import type { Backend } from '../backend.ts'
import type { ModeName } from '../mode/mode.ts'
import type { MaglevOptions } from '../options.ts'

/** One subcommand. */
export interface Command {
  /** What it does, in a few words. */
  readonly summary: string
  readonly usage: string
  /** Does it, and gives what goes to standard output at the end. */
  run(args: string[]): string | Promise<string>
}

/** A command line that cannot be obeyed. */
export class UsageError extends Error {}

export const backendUsage = `BACKEND is ID[,w=WEIGHT][,zone=ZONE][,priority=N][,hash=UINT64][,down], for example 10.0.0.1:80,w=2
`

/** Options of every command that makes a table, for `parseArgs`. */
export const tableOptions = {
  help: { type: 'boolean', short: 'h' },
  mode: { type: 'string' },
  size: { type: 'string' },
  seed: { type: 'string' },
  zone: { type: 'string', multiple: true },
} as const

export const tableOptionsUsage = `  --mode MODE       stable (default), classic, envoy, cilium, katran-v1, katran-v2, go-maglev
  --size N          slots; a prime (default 65537, cilium 16381; go-maglev: any)
  --seed SEED       uint64; cilium: base64 of 12 bytes
  --zone NAME=N     weight of a zone; once for each
`

export function tableOptionsOf(values: {
  mode?: string | undefined
  size?: string | undefined
  seed?: string | undefined
  zone?: string[] | undefined
}): MaglevOptions {
  const zones = values.zone?.map((zone): [string, number] => {
    const at = zone.lastIndexOf('=')
    if (at === -1) throw new UsageError(`--zone must be NAME=WEIGHT, not ${zone}`)
    return [zone.slice(0, at), numberOf('--zone', zone.slice(at + 1))]
  })
  return {
    // The constructor checks the name and says which there are.
    ...(values.mode === undefined ? {} : { mode: values.mode as ModeName }),
    ...(values.size === undefined ? {} : { tableSize: numberOf('--size', values.size) }),
    ...(values.seed === undefined ? {} : { seed: values.seed }),
    ...(zones === undefined ? {} : { zones: Object.fromEntries(zones) }),
  }
}

export function backendsOf(words: readonly string[]): Backend[] {
  if (words.length === 0) throw new UsageError('name at least one backend')
  return words.map(backendOf)
}

/** Attributes are taken from the end: an id may hold commas, as Cilium's do. */
export function backendOf(word: string): Backend {
  const backend: { -readonly [Name in keyof Backend]: Backend[Name] } & { id: string } = { id: word }
  for (;;) {
    const [whole, attribute] = /,(down|w=[^,]*|zone=[^,]*|hash=[^,]*|priority=[^,]*)$/.exec(backend.id) ?? []
    if (whole === undefined || attribute === undefined) return backend
    backend.id = backend.id.slice(0, -whole.length)
    const value = attribute.slice(attribute.indexOf('=') + 1)
    if (attribute === 'down') backend.health = 'unhealthy'
    else if (attribute.startsWith('w=')) backend.weight = numberOf(`weight of ${backend.id}`, value)
    else if (attribute.startsWith('zone=')) backend.zone = value
    else if (attribute.startsWith('priority='))
      backend.priority = numberOf(`priority of ${backend.id}`, value)
    else if (/^\d{1,20}$/.test(value)) backend.hash = BigInt(value)
    else throw new UsageError(`hash of ${backend.id} must be a decimal uint64, not ${value}`)
  }
}

export function numberOf(what: string, text: string): number {
  if (!/^\d+(\.\d+)?(e\d+)?$/.test(text))
    throw new UsageError(`${what} must be a number, 0 or more, not ${text}`)
  return Number(text)
}

/** A whole number of `least` to `most`. */
export function countOf(what: string, text: string, least: number, most: number): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (count >= least && count <= most) return count
  throw new UsageError(`${what} must be a whole number from ${least} to ${most}, not ${text}`)
}

/** The lines of a file, empty ones left out. */
export function linesOf(option: string, file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
  } catch (error) {
    throw new UsageError(`${option}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
