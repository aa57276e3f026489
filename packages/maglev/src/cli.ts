#!/usr/bin/env node
import { type Command, UsageError } from './cli/arguments.ts'
import { bench } from './cli/bench.ts'
import { plan } from './cli/plan.ts'
import { plot } from './cli/plot.ts'
import { proxy } from './cli/proxy.ts'
import { table } from './cli/table.ts'
import { isMaglevError } from './errors.ts'

const commands: ReadonlyMap<string, Command> = new Map(Object.entries({ proxy, table, plan, bench, plot }))

const usage = `maglev: Maglev consistent-hash load balancing

Usage:
${[...commands].map(([name, { summary }]) => `  maglev ${name.padEnd(6)} ${summary}\n`).join('')}
Run maglev COMMAND --help for its options. Without a command, maglev --listen ... is a proxy.
`

async function main([name, ...args]: string[]): Promise<void> {
  try {
    process.stdout.write(await answer(name, args))
  } catch (error) {
    if (isWrongUse(error)) {
      process.stderr.write(`maglev: ${oneLine(error.message)} (--help shows how)\n`)
      process.exitCode = 2
    } else if (isRefusal(error)) {
      process.stderr.write(`maglev: ${oneLine(error.message)}\n`)
      process.exitCode = 1
    } else throw error
  }
}

function answer(name: string | undefined, args: string[]): string | Promise<string> {
  if (name === '--help' || name === '-h') return usage
  if (name?.startsWith('--')) return answer('proxy', [name, ...args])
  const command = commands.get(name ?? '')
  if (command === undefined) {
    const names = [...commands.keys()].join(', ')
    throw new UsageError(name === undefined ? `name a command: ${names}` : `no command ${name}: ${names}`)
  }
  return args.includes('--help') || args.includes('-h') ? command.usage : command.run(args)
}

function isWrongUse(error: unknown): error is Error {
  if (error instanceof UsageError || isMaglevError(error)) return true
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')
}

/** What the system does not allow, such as a port that is taken. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error
}

function oneLine(message: string): string {
  return message.replaceAll(/\s+/g, ' ').replace(/\.$/, '')
}

await main(process.argv.slice(2))
