import { parseArgs } from 'node:util'
import { Maglev } from '../maglev.ts'
import {
  backendsOf,
  backendUsage,
  type Command,
  tableOptions,
  tableOptionsOf,
  tableOptionsUsage,
} from './arguments.ts'

const usage = `Usage: maglev table [options] BACKEND...

Prints the owner of each slot: its place among the backends as listed, from 0, or -1 for none.

${tableOptionsUsage}  --counts          print the slots of each backend instead

${backendUsage}`

export const table: Command = {
  summary: 'print the owner of each slot',
  usage,
  run(args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { ...tableOptions, counts: { type: 'boolean' } },
    })
    const maglev = new Maglev(backendsOf(positionals), tableOptionsOf(values))
    const owners = maglev.owners()
    if (!values.counts) return `${owners.join(' ')}\n`
    const counts = new Uint32Array(maglev.backends.length)
    for (const owner of owners) counts[owner] = (counts[owner] ?? 0) + 1
    return maglev.backends.map(({ id }, index) => `${counts[index]} ${id}\n`).join('')
  },
}
