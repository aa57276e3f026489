import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { replayCommand } from '../../src/simulate/replay-command.ts'

const packageHome = join(import.meta.dirname, '../..')
const programs = join(import.meta.dirname, 'programs')
const condition = '--conditions=@loadbearing/source'

interface Ended {
  readonly status: number | string | null | undefined
  readonly stdout: string
  readonly stderr: string
}

function run(file: string, parameters: readonly string[], options: { shell?: boolean } = {}): Promise<Ended> {
  const { LOADBEARING_SEED: _, VITEST: __, ...rest } = process.env
  // The command printed says `node`: it has to be this one.
  const env = { ...rest, PATH: `${dirname(process.execPath)}:${rest['PATH'] ?? ''}` }
  return new Promise((resolve) => {
    execFile(
      file,
      parameters,
      { cwd: packageHome, env, shell: options.shell ?? false },
      (error, stdout, stderr) => {
        resolve({ status: error === null ? 0 : error.code, stdout, stderr })
      },
    )
  })
}

const node = (program: string, ...parameters: string[]): Promise<Ended> =>
  run(process.execPath, [condition, join(programs, program), ...parameters])

describe('in real processes', () => {
  test('the same seed gives the same trace byte by byte, another seed another one', async () => {
    const [one, two, other] = await Promise.all([
      node('trace.ts', '12345'),
      node('trace.ts', '12345'),
      node('trace.ts', '54321'),
    ])
    expect(one.stderr).toBe('')
    expect(one.stdout.split('\n').length).toBeGreaterThan(300)
    expect(two.stdout).toBe(one.stdout)
    expect(other.stdout).not.toBe(one.stdout)
  })

  test.each(['0', '1000', '4294967295'])(
    'a lost update is found within 200 runs from seed %s, and the command printed replays it alone',
    async (seed) => {
      const found = await node('lost-update.ts', seed)
      expect(found.status).toBe(1)
      expect(found.stderr).toMatch(/run \d+ of 200 failed: Error: an update is lost: the counter is 1/)
      const command = /^ {2}replay {2}(LOADBEARING_SEED=\d+ .*)$/m.exec(found.stderr)?.[1]
      if (command === undefined) throw new Error(`no command in ${found.stderr}`)
      const replayed = await run(command, [], { shell: true })
      expect(replayed.status).toBe(1)
      expect(replayed.stdout).toBe('runs: 1\n')
      expect(replayed.stderr).toContain('the replayed run failed: Error: an update is lost: the counter is 1')
      const traceOf = (text: string): string[] => text.split('\n').filter((line) => /^ {4}\d+ /.test(line))
      expect(traceOf(replayed.stderr).length).toBeGreaterThan(5)
      expect(traceOf(replayed.stderr)).toEqual(traceOf(found.stderr))
    },
  )

  test('a rejection that nobody handles fails the run', async () => {
    const { stdout, status } = await node('floating-rejection.ts')
    expect(stdout).toMatch(
      /^SIMULATION_FAILED simulate: run 1 of 1 failed: Error: nobody handles this\n {2}seed {4}7\n/,
    )
    expect(status).toBe(0)
  })
})

describe('the command', () => {
  const invocation = {
    execPath: '/usr/bin/node',
    execArgv: ['--import', "./it's.mjs"],
    argv: ['/usr/bin/node', '/home/me/app/test/my test.ts', '--fast', '*'],
    cwd: '/home/me/app',
  }

  test('repeats the words of the process, quoted for the shell', () => {
    expect(replayCommand(7, invocation)).toBe(
      String.raw`LOADBEARING_SEED=7 node --import './it'\''s.mjs' 'test/my test.ts' --fast '*'`,
    )
  })

  test('in a worker of vitest names the test file', () => {
    expect(replayCommand(7, { ...invocation, vitestFile: '/home/me/app/src/a.test.ts' })).toBe(
      'LOADBEARING_SEED=7 npx vitest run src/a.test.ts',
    )
  })
})
