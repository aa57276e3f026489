#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import type { Backend } from './backend.ts'
import type { Change } from './configuration.ts'
import { isMaglevError } from './errors.ts'
import { Maglev } from './maglev.ts'
import type { ModeName } from './mode/mode.ts'
import type { MaglevOptions } from './options.ts'

const usage = `maglev: Maglev consistent-hash tables

Usage:
  maglev table [options] BACKEND...              print the owner of each slot
  maglev plan  [options] BACKEND... CHANGE...    show what a change would move

Run maglev COMMAND --help for its options.
`

const backendUsage = `BACKEND is ID[,w=WEIGHT][,zone=ZONE][,hash=UINT64][,down], for example 10.0.0.1:80,w=2
`

const tableUsage = `Usage: maglev table [options] BACKEND...

Prints the owner of each slot: its place among the backends as listed, from 0, or -1 for none.

  --mode MODE       stable (default), classic, envoy, cilium, katran-v1, katran-v2, go-maglev
  --size N          slots; a prime (default 65537, cilium 16381; go-maglev: any)
  --seed SEED       uint64; cilium: base64 of 12 bytes
  --zone NAME=N     weight of a zone; once for each
  --counts          print the slots of each backend instead

${backendUsage}`

const planUsage = `Usage: maglev plan [options] BACKEND... CHANGE...

Shows how many slots a change would move, the fewest that any algorithm must move, and the difference.

  +BACKEND          add it                        -ID      take it out for good
  =ID,w=WEIGHT      give it another weight        !ID      it fails
  --keys FILE       also count the keys that move, one in each line of FILE
  --mode, --size, --seed, --zone                  as for maglev table

For example: maglev plan a:80 b:80 +c:80 -a:80

${backendUsage}`

/** A command line that cannot be obeyed. */
class UsageError extends Error {}

const tableOptions = {
  help: { type: 'boolean', short: 'h' },
  mode: { type: 'string' },
  size: { type: 'string' },
  seed: { type: 'string' },
  zone: { type: 'string', multiple: true },
} as const

function table(args: string[]): string {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { ...tableOptions, counts: { type: 'boolean' } },
  })
  if (values.help) return tableUsage
  const maglev = new Maglev(backendsOf(positionals), optionsOf(values))
  const owners = maglev.owners()
  if (!values.counts) return `${owners.join(' ')}\n`
  const counts = new Uint32Array(maglev.backends.length)
  for (const owner of owners) counts[owner] = (counts[owner] ?? 0) + 1
  return maglev.backends.map(({ id }, index) => `${counts[index]} ${id}\n`).join('')
}

function plan(args: string[]): string {
  // A removal looks like an option.
  const changes = args.filter((word) => /^[+=!]./.test(word) || (/^-[^-]/.test(word) && word !== '-h'))
  const { values, positionals } = parseArgs({
    args: args.filter((word) => !changes.includes(word)),
    allowPositionals: true,
    options: { ...tableOptions, keys: { type: 'string' } },
  })
  if (values.help) return planUsage
  if (changes.length === 0)
    throw new UsageError('name at least one change: +BACKEND, -ID, =ID,w=WEIGHT or !ID')
  const maglev = new Maglev(backendsOf(positionals), optionsOf(values))
  const planned = maglev.plan(changeOf(changes))
  const percent = (slots: number): string =>
    `${slots} of ${maglev.tableSize} (${((100 * slots) / maglev.tableSize).toFixed(2)} %)`
  const lines = [
    `changed     ${percent(planned.changed)}`,
    `ideal       ${percent(planned.ideal)}`,
    `collateral  ${percent(planned.collateral)}`,
  ]
  for (const [id, { before, after, gained, lost }] of planned.byBackend) {
    lines.push(`${id}: ${before} -> ${after} slots, +${gained} -${lost}`)
  }
  if (values.keys !== undefined) {
    const keys = keysOf(values.keys)
    const before = maglev.lookupMany(keys)
    planned.apply()
    const moved = maglev.lookupMany(keys).filter((id, index) => id !== before[index]).length
    lines.push(`keys        ${moved} of ${keys.length} move`)
  }
  return `${lines.join('\n')}\n`
}

function optionsOf(values: { mode?: string; size?: string; seed?: string; zone?: string[] }): MaglevOptions {
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

function backendsOf(words: readonly string[]): Backend[] {
  if (words.length === 0) throw new UsageError('name at least one backend')
  return words.map(backendOf)
}

/** Attributes are taken from the end: an id may hold commas, as Cilium's do. */
function backendOf(word: string): Backend {
  const backend: { id: string; weight?: number; zone?: string; hash?: bigint; health?: 'unhealthy' } = {
    id: word,
  }
  for (;;) {
    const [whole, attribute] = /,(down|w=[^,]*|zone=[^,]*|hash=[^,]*)$/.exec(backend.id) ?? []
    if (whole === undefined || attribute === undefined) return backend
    backend.id = backend.id.slice(0, -whole.length)
    const value = attribute.slice(attribute.indexOf('=') + 1)
    if (attribute === 'down') backend.health = 'unhealthy'
    else if (attribute.startsWith('w=')) backend.weight = numberOf(`weight of ${backend.id}`, value)
    else if (attribute.startsWith('zone=')) backend.zone = value
    else if (/^\d{1,20}$/.test(value)) backend.hash = BigInt(value)
    else throw new UsageError(`hash of ${backend.id} must be a decimal uint64, not ${value}`)
  }
}

function changeOf(words: readonly string[]): Change {
  const add: Backend[] = []
  const remove: string[] = []
  const weight: [string, number][] = []
  const health: [string, 'unhealthy'][] = []
  for (const word of words) {
    const rest = word.slice(1)
    if (word.startsWith('+')) add.push(backendOf(rest))
    else if (word.startsWith('-')) remove.push(rest)
    else if (word.startsWith('!')) health.push([rest, 'unhealthy'])
    else {
      const backend = backendOf(rest)
      if (backend.weight === undefined) throw new UsageError(`${word} needs a weight: =ID,w=WEIGHT`)
      weight.push([backend.id, backend.weight])
    }
  }
  return { add, remove, weight: Object.fromEntries(weight), health: Object.fromEntries(health) }
}

function keysOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8')
      .split('\n')
      .filter((key) => key !== '')
  } catch (error) {
    throw new UsageError(`--keys: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function numberOf(what: string, text: string): number {
  if (!/^\d+(\.\d+)?(e\d+)?$/.test(text))
    throw new UsageError(`${what} must be a number, 0 or more, not ${text}`)
  return Number(text)
}

function main(args: string[]): void {
  const [command, ...rest] = args
  try {
    if (command === 'table') process.stdout.write(table(rest))
    else if (command === 'plan') process.stdout.write(plan(rest))
    else if (command === '--help' || command === '-h') process.stdout.write(usage)
    else
      throw new UsageError(
        command === undefined ? 'name a command: table or plan' : `no command ${command}: table or plan`,
      )
  } catch (error) {
    if (!isWrongUse(error)) throw error
    process.stderr.write(`maglev: ${oneLine(error.message)} (--help shows how)\n`)
    process.exitCode = 2
  }
}

function isWrongUse(error: unknown): error is Error {
  if (error instanceof UsageError || isMaglevError(error)) return true
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')
}

function oneLine(message: string): string {
  return message.replaceAll(/\s+/g, ' ').replace(/\.$/, '')
}

main(process.argv.slice(2))
