import { parseArgs } from 'node:util'
import type { Backend } from '../backend.ts'
import type { Change } from '../configuration.ts'
import { Maglev } from '../maglev.ts'
import {
  backendOf,
  backendsOf,
  backendUsage,
  type Command,
  linesOf,
  tableOptions,
  tableOptionsOf,
  UsageError,
} from './arguments.ts'

const usage = `Usage: maglev plan [options] BACKEND... CHANGE...

Shows how many slots a change would move, the fewest that any algorithm must move, and the difference.

  +BACKEND          add it                        -ID      take it out for good
  =ID,w=WEIGHT      give it another weight        !ID      it fails
  --keys FILE       also count the keys that move, one in each line of FILE
  --mode, --size, --seed, --zone                  as for maglev table

For example: maglev plan a:80 b:80 +c:80 -a:80

${backendUsage}`

export const plan: Command = {
  summary: 'show what a change would move',
  usage,
  run(args) {
    // A removal looks like an option.
    const changes = args.filter((word) => /^[+=!]./.test(word) || /^-[^-]/.test(word))
    const { values, positionals } = parseArgs({
      args: args.filter((word) => !changes.includes(word)),
      allowPositionals: true,
      options: { ...tableOptions, keys: { type: 'string' } },
    })
    if (changes.length === 0) {
      throw new UsageError('name at least one change: +BACKEND, -ID, =ID,w=WEIGHT or !ID')
    }
    const maglev = new Maglev(backendsOf(positionals), tableOptionsOf(values))
    return show(maglev, changeOf(changes), values.keys)
  },
}

function show(maglev: Maglev, change: Change, keyFile: string | undefined): string {
  const planned = maglev.plan(change)
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
  if (keyFile !== undefined) {
    const keys = linesOf('--keys', keyFile)
    const before = maglev.lookupMany(keys)
    planned.apply()
    const moved = maglev.lookupMany(keys).filter((id, index) => id !== before[index]).length
    lines.push(`keys        ${moved} of ${keys.length} move`)
  }
  return `${lines.join('\n')}\n`
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
