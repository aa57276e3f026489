#!/usr/bin/env node
import { type Command, Failure, UsageError } from './cli/arguments.ts'
import { controlCommand } from './cli/control.ts'
import { serve } from './cli/serve.ts'
import { simulate } from './cli/simulate.ts'
import { top } from './cli/top.ts'
import { InvalidOptionError } from './errors.ts'

const commands: ReadonlyMap<string, Command> = new Map(
  Object.entries({
    serve,
    top,
    simulate,
    open: controlCommand('open'),
    close: controlCommand('close'),
    reset: controlCommand('reset'),
  }),
)

const usage = `hystrix-breaker: circuit breakers, watched and tried out

Usage:
${[...commands].map(([name, { summary }]) => `  hystrix-breaker ${name.padEnd(8)} ${summary}\n`).join('')}
Run hystrix-breaker COMMAND --help for its options.
`

async function main([name, ...args]: string[]): Promise<void> {
  try {
    process.stdout.write(await answer(name, args))
  } catch (error) {
    if (isWrongUse(error)) {
      process.stderr.write(`hystrix-breaker: ${oneLine(error.message)} (--help shows how)\n`)
      process.exitCode = 2
    } else if (isRefusal(error)) {
      process.stderr.write(`hystrix-breaker: ${oneLine(error.message)}\n`)
      process.exitCode = 1
    } else throw error
  }
}

function answer(name: string | undefined, args: string[]): string | Promise<string> {
  if (name === '--help' || name === '-h') return usage
  const command = commands.get(name ?? '')
  if (command === undefined) {
    const names = [...commands.keys()].join(', ')
    throw new UsageError(name === undefined ? `name a command: ${names}` : `no command ${name}: ${names}`)
  }
  return args.includes('--help') || args.includes('-h') ? command.usage : command.run(args)
}

function isWrongUse(error: unknown): error is Error {
  if (error instanceof UsageError || error instanceof InvalidOptionError) return true
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_')
}

/** What could not be had, or what the system does not allow, such as a port that is taken. */
function isRefusal(error: unknown): error is Error {
  return error instanceof Failure || (error instanceof Error && 'syscall' in error)
}

function oneLine(message: string): string {
  return message.replaceAll(/\p{Cc}+| {2,}/gu, ' ').replace(/\.$/, '')
}

// A reader such as `head` that has enough is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})

await main(process.argv.slice(2))
