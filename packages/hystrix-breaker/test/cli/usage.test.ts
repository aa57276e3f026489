import { expect, test } from 'vitest'
import { type Command, UsageError } from '../../src/cli/arguments.ts'
import { controlCommand } from '../../src/cli/control.ts'
import { serve } from '../../src/cli/serve.ts'
import { simulate } from '../../src/cli/simulate.ts'
import { top } from '../../src/cli/top.ts'
import { InvalidOptionError } from '../../src/errors.ts'
import { command } from './command.ts'

const commands: Readonly<Record<string, Command>> = {
  serve,
  top,
  simulate,
  open: controlCommand('open'),
  close: controlCommand('close'),
  reset: controlCommand('reset'),
}

test('help is on standard output', () => {
  for (const args of [['--help'], ['serve', '-h'], ['open', 'x', '--help']]) {
    const { stdout, stderr, status } = command(args)
    expect(stdout).toMatch(/^(hystrix-breaker: |Usage: hystrix-breaker )/)
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  }
  for (const [name, { usage }] of Object.entries(commands))
    expect(usage.startsWith(`Usage: hystrix-breaker ${name} `)).toBe(true)
})

test.each([
  [[], /name a command: serve, top, simulate, open, close, reset/],
  [['fly'], /no command fly/],
  [['serve'], /give --source, or --scenario, or --demo/],
  [['top', '--zork'], /Unknown option '--zork'/],
] as const)('wrong use, as of %j, is one line on standard error and status 2', (args, message) => {
  const { stdout, stderr, status } = command(args)
  expect(stderr).toMatch(/^hystrix-breaker: [^\n]+ \(--help shows how\)\n$/)
  expect(stderr).toMatch(message)
  expect({ stdout, status }).toEqual({ stdout: '', status: 2 })
})

test.each([
  [['serve', '--demo', '--source', 'http://127.0.0.1:1/'], /give --source, or --scenario, or --demo/],
  [['serve', '--source', 'ftp://a/'], /--source must be a URL/],
  [['serve', '--demo', '--listen', 'localhost'], /--listen must be \[HOST\]:PORT, not localhost/],
  [['serve', '--demo', '--listen', ':70000'], /--listen must be/],
  [['serve', '--demo', '--delay', 'soon'], /--delay must be a duration/],
  [['serve', '--demo', '--max-clients', '0'], /--max-clients must be/],
  [['serve', '--demo', '--token', 'short'], /token must be a text of 16 printable/],
  [['serve', '--demo', '--header', 'A: b'], /--header is of --source/],
  [['serve', '--source', 'http://127.0.0.1:1/', '--header', 'nonsense'], /--header must be 'Name: value'/],
  [
    ['serve', '--source', 'http://127.0.0.1:1/', '--header', 'A: b\r\nC: d'],
    /--header must be 'Name: value'/,
  ],
  [['serve', '--scenario', '/nowhere.json'], /no such file/],
  [['top'], /name one URL/],
  [['top', 'a', 'b'], /name one URL/],
  [['top', 'not a url'], /URL must be a URL/],
  [['simulate'], /name one scenario/],
  [['simulate', '/nowhere.yaml'], /no such file/],
  [['simulate', 'a', '--seed', 'x'], /--seed must be a whole number, not x/],
  [['open'], /name one breaker/],
  [['open', 'a'], /--url is missing/],
  [['open', 'a', '--url', 'http://127.0.0.1:1/'], /--token or HYSTRIX_BREAKER_TOKEN is missing/],
  [['close', 'a', '--url', 'x', '--token', 't'], /--url must be a URL/],
  [['reset', 'a', '--url', 'http://127.0.0.1:1/', '--token', 'a b'], /no header can carry/],
] as const)('%j is wrong use', async ([name, ...args], message) => {
  const run = async (): Promise<string> => (await commands[name]?.run(args)) ?? ''
  const error: unknown = await run().catch((thrown: unknown) => thrown)
  expect(error instanceof UsageError || error instanceof InvalidOptionError).toBe(true)
  expect(error).toMatchObject({ message: expect.stringMatching(message) })
})
