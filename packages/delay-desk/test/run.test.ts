import { readdirSync, writeFileSync } from 'node:fs'
import { eventually } from '@loadbearing/harness/faults'
import { postgres, skipWithout } from '@loadbearing/harness/services'
import { afterAll, describe, expect, test } from 'vitest'
import { DeskProcess, lives } from './desk-process.ts'
import { flightsFile, removeFolders } from './folders.ts'

afterAll(removeFolders)

const fixtures = {
  bankWithoutKey: new URL('./fixtures/bank-without-key.ts', import.meta.url),
  bankThatLoses: new URL('./fixtures/bank-that-loses.ts', import.meta.url),
  bankThatSwaps: new URL('./fixtures/bank-that-swaps.ts', import.meta.url),
  bankThatDies: new URL('./fixtures/bank-that-dies.ts', import.meta.url),
  workerWithWrongRule: new URL('./fixtures/worker-with-wrong-rule.ts', import.meta.url),
  workerThatCrashes: new URL('./fixtures/worker-that-crashes.ts', import.meta.url),
}
const main = new URL('../src/main.ts', import.meta.url)
const runWith = new URL('./fixtures/run-with.ts', import.meta.url)

/** 1,200 flights, each owed 15 but every tenth, so that a run takes little more than starting its processes. */
const small = (): string[] =>
  fromFile(flightsFile(Array.from({ length: 1200 }, (_, n) => ({ delay: n % 10 === 0 ? 0 : 60 }))))

function fromFile(path: string): string[] {
  return ['flights=file', `flights.path=${path}`]
}

async function run(
  args: readonly string[],
  entry: URL = main,
): Promise<DeskProcess & { status: number | string | null }> {
  const desk = new DeskProcess(entry, args)
  return Object.assign(desk, { status: await desk.ended() })
}

const recordsLine =
  /records: ([\d,]+) calls made, ([\d,]+) failed; circuits opened: ([\d,]+), calls short-circuited: ([\d,]+), fallbacks used: ([\d,]+)/

function numberOf(text: string | undefined): number {
  return Number(text?.replaceAll(',', ''))
}

describe('the main job', () => {
  test('20,000 flights: a worker is killed, only its claims move, every claim is paid once', async () => {
    const { status, stdout, stderr, temporary } = await run([])
    expect(stderr).toBe('')
    expect(status).toBe(0)
    // The same numbers come from twenty lines of Python over the same files (csv, json, spherical law of cosines).
    expect(stdout).toMatch(/^ +600 +2 +1,200 +2 +1,200 +0 +0$/m)
    expect(stdout).toMatch(/^ +400 +22 +8,800 +22 +8,800 +0 +0$/m)
    expect(stdout).toMatch(/^ +250 +69 +17,250 +69 +17,250 +0 +0$/m)
    expect(stdout).toMatch(/^ +30 +203 +6,090 +203 +6,090 +0 +0$/m)
    expect(stdout).toMatch(/^ +15 +812 +12,180 +812 +12,180 +0 +0$/m)
    expect(stdout).toMatch(/^ +total +1,108 +45,520 +1,108 +45,520 +0 +0$/m)
    expect(stdout).toContain('20,000 claims decided, 1,108 paid, each once; differences: none')

    expect(stdout).toMatch(/worker-\d+ \(pid \d+\) is killed, batch \d+ of its \d+ paid and not reported/)
    const [, worker, pending] = /(worker-\d+) lost: ([\d,]+) unreported claims/.exec(stdout) ?? []
    expect(stdout).toContain(`  ${worker} is found missing by `)
    const [, found] =
      new RegExp(`${worker} found missing by (?:outlier detection|probes) (\\d+) ms later`).exec(stdout) ?? []
    expect(Number(found)).toBeGreaterThan(0)
    expect(Number(pending?.replace(',', ''))).toBeGreaterThan(250)
    const [, moved, owned, others, collateral] =
      new RegExp(
        `${worker} lost: ([\\d,]+) of its ([\\d,]+) claims have a new owner, of the others' ([\\d,]+) claims (\\d+)`,
      ).exec(stdout) ?? []
    expect(moved).toBe(owned)
    expect(collateral).toBe('0')
    expect(Number(owned?.replace(',', '')) + Number(others?.replace(',', ''))).toBe(20_000)

    const [, asked, made, again] =
      /payments ([\d,]+) asked for, ([\d,]+) made, (\d+) asked again/.exec(stdout) ?? []
    expect(made).toBe('1,108')
    expect(Number(again)).toBeGreaterThan(0)
    expect(Number(asked?.replace(',', ''))).toBe(1108 + Number(again))
    expect(readdirSync(temporary)).toEqual([])
  })

  test('a worker killed before it pays leaves nothing that is asked for again', async () => {
    const { status, stdout } = await run([
      'desk.kill=taken',
      'scenario=calm',
      'store=memory',
      'desk.workers=3',
      ...small(),
      'seed=2',
    ])
    expect(status).toBe(0)
    expect(stdout).toMatch(/taken and not paid/)
    expect(stdout).toContain('payments 1,080 asked for, 1,080 made, 0 asked again')
  })

  test('a worker that hangs is found by probes, and what it pays when it wakes does no harm', async () => {
    const { status, stdout } = await run(['desk.kill=hang', 'desk.workers=3', ...small(), 'seed=1'])
    expect(status).toBe(0)
    const [, worker] =
      /(worker-\d+) \(pid \d+\) is stopped, batch \d+ of its \d+ taken and not paid/.exec(stdout) ?? []
    expect(stdout).toMatch(new RegExp(`${worker} found missing by probes \\d+ ms later`))
    const [, moved, owned] =
      new RegExp(
        `${worker} lost: (\\d+) of its (\\d+) claims have a new owner, of the others' \\d+ claims 0;`,
      ).exec(stdout) ?? []
    expect(moved).toBe(owned)
    expect(stdout).toContain('1,200 claims decided, 1,080 paid, each once; differences: none')
    // It held one batch or two, of which nine claims in ten are owed.
    const [, again] = /1,080 made, (\d+) asked again/.exec(stdout) ?? []
    expect(Number(again)).toBeGreaterThan(100)
  })

  test('without a kill nothing moves, with one worker too, and a single claim is enough', async () => {
    const { status, stdout } = await run([
      'desk.kill=nobody',
      'desk.workers=1',
      ...fromFile(flightsFile([{ delay: 180 }])),
    ])
    expect(status).toBe(0)
    expect(stdout).toContain('table rebuilds: 0')
    expect(stdout).toMatch(/^ +400 +1 +400 +1 +400 +0 +0$/m)
  })

  test('a single claim moves and is paid once when its worker is killed with it paid', async () => {
    const { status, stdout } = await run(['scenario=calm', ...fromFile(flightsFile([{ delay: 180 }]))])
    expect(status).toBe(0)
    expect(stdout).toContain('payments 2 asked for, 1 made, 1 asked again and not paid twice')
  })

  test('in a storm circuits open, calls are short-circuited, fallbacks answer, and every claim is paid once', async () => {
    const { status, stdout } = await run(['desk.workers=3', 'seed=3'])
    expect(status).toBe(0)
    const [, made, failed, opened, shortCircuited, fallbacks] = recordsLine.exec(stdout) ?? []
    expect(numberOf(opened)).toBeGreaterThan(0)
    expect(numberOf(shortCircuited)).toBeGreaterThan(0)
    expect(numberOf(fallbacks)).toBeGreaterThanOrEqual(numberOf(failed) + numberOf(shortCircuited))
    expect(numberOf(made)).toBeGreaterThan(0)
    expect(stdout).toContain('20,000 claims decided, 1,108 paid, each once; differences: none')
  })

  test('with the circuits disabled each call is made, and the totals agree too', async () => {
    const { status, stdout } = await run(['desk.workers=3', 'seed=3', 'desk.breaker=false'])
    expect(status).toBe(0)
    const [, , failed, opened, shortCircuited, fallbacks] = recordsLine.exec(stdout) ?? []
    expect([opened, shortCircuited]).toEqual(['0', '0'])
    expect(numberOf(failed)).toBeGreaterThan(0)
    expect(numberOf(fallbacks)).toBe(numberOf(failed))
    expect(stdout).toContain('20,000 claims decided, 1,108 paid, each once; differences: none')
  })

  test('in a calm no circuit opens', async () => {
    const { status, stdout } = await run(['desk.workers=3', 'scenario=calm'])
    expect(status).toBe(0)
    expect(stdout).toMatch(
      /records: [\d,]+ calls made, 0 failed; circuits opened: 0, calls short-circuited: 0/,
    )
    expect(stdout).toMatch(/bank: [\d,]+ calls made, 0 failed; circuits opened: 0, calls short-circuited: 0/)
  })

  test.skipIf(skipWithout('postgres'))(
    'the ledger in PostgreSQL agrees as well, by another policy too',
    async () => {
      await using server = await postgres()
      const store = ['store=postgres', `store.url='${server.url}'`]
      const { status, stdout } = await run([...store, 'policy=uk261', 'desk.workers=3', ...small()])
      expect(status).toBe(0)
      expect(stdout).toMatch(/award +claims +pounds/)
      expect(stdout).toContain('1,200 claims decided, 1,080 paid, each once; differences: none')
    },
  )

  test('the seed picks the worker', async () => {
    const flights = small()
    const killed = async (seed: number): Promise<string | undefined> => {
      const { stdout } = await run(['desk.workers=3', ...flights, `seed=${seed}`])
      return /(worker-\d+) \(pid/.exec(stdout)?.[1]
    }
    expect([await killed(0), await killed(5)]).toEqual(['worker-1', 'worker-3'])
  })
})

describe('negative controls', () => {
  test('a bank without a unique key pays the killed worker’s claims twice, and the run fails', async () => {
    const args = [`bank=${fixtures.bankWithoutKey.href}`, '--', 'desk.workers=3', ...small()]
    const { status, stdout } = await run(args, runWith)
    expect(status).toBe(1)
    expect(stdout).toMatch(/THE TOTALS DO NOT AGREE: \d+ of 1,200 claims differ/)
    expect(stdout).toMatch(/claim \d+: paid 2 times, 30 in all, owed 15/)
  })

  test('a payment that the bank confirms and loses', async () => {
    const args = [
      `bank=${fixtures.bankThatLoses.href}`,
      '--',
      'desk.kill=nobody',
      'desk.workers=2',
      ...small(),
    ]
    const { status, stdout } = await run(args, runWith)
    expect(status).toBe(1)
    expect(stdout).toContain('THE TOTALS DO NOT AGREE: 1 of 1,200 claims differ')
    expect(stdout).toMatch(/claim \d+: not paid, owed 15/)
  })

  test('one claim paid twice and another never, so that the totals are equal', async () => {
    const args = [
      `bank=${fixtures.bankThatSwaps.href}`,
      '--',
      'desk.kill=nobody',
      'desk.workers=1',
      ...small(),
    ]
    const { status, stdout } = await run(args, runWith)
    expect(status).toBe(1)
    expect(stdout).toMatch(/^ +total +1,080 +16,200 +1,080 +16,200 +0 +0$/m)
    expect(stdout).toContain('THE TOTALS DO NOT AGREE: 2 of 1,200 claims differ')
  })

  test('a worker with a rule that is wrong at its border', async () => {
    const flights = fromFile(flightsFile([{ delay: 59 }, { delay: 60 }, { delay: 61 }]))
    const args = [
      `worker=${fixtures.workerWithWrongRule.href}`,
      '--',
      'desk.kill=nobody',
      'desk.workers=2',
      ...flights,
    ]
    const { status, stdout } = await run(args, runWith)
    expect(status).toBe(1)
    expect(stdout).toContain('claim 1: not paid, owed 15')
    expect(stdout).toContain('THE TOTALS DO NOT AGREE: 1 of 3 claims differ')
  })
})

// The desk's processes are found in /proc.
describe.skipIf(process.platform !== 'linux')('processes that fail', () => {
  test('the desk killed with SIGKILL leaves no process and no file', async () => {
    const desk = new DeskProcess(main, ['flights=200k', 'desk.workers=4'])
    await desk.wrote(/claims +10 %/)
    const children = desk.children()
    expect(children.length).toBeGreaterThanOrEqual(5)
    desk.child.kill('SIGKILL')
    expect(await desk.ended()).toBe('SIGKILL')
    await eventually(() => !children.some(lives))
    await eventually(() => readdirSync(desk.temporary).length === 0)
  })

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s ends the desk and its processes, with one line',
    async (signal) => {
      const desk = new DeskProcess(main, ['flights=200k', 'desk.workers=4'])
      await desk.wrote(/claims +10 %/)
      const children = desk.children()
      desk.child.kill(signal)
      expect(await desk.ended()).toBe(130)
      expect(desk.stderr).toBe(`delay-desk: ended by ${signal}, the workers too\n`)
      expect(children.filter(lives)).toEqual([])
      expect(readdirSync(desk.temporary)).toEqual([])
    },
  )

  test('a worker that somebody else kills is survived too', async () => {
    const desk = new DeskProcess(main, ['flights=200k', 'desk.workers=4', 'desk.kill=nobody'])
    await desk.wrote(/claims +10 %/)
    // The bank is the first child.
    const victim =
      desk
        .children()
        .toSorted((a, b) => a - b)
        .at(-1) ?? 0
    process.kill(victim, 'SIGKILL')
    expect(await desk.ended()).toBe(0)
    expect(desk.stdout).toMatch(/worker-\d is found missing by (?:outlier detection|probes)\n/)
    expect(desk.stdout).toMatch(/worker-\d lost: [\d,]+ unreported claims/)
    expect(desk.stdout).toMatch(/of the others' [\d,]+ claims 0;/)
  })

  test('a worker that somebody else stops is survived, and gets its claims back when it goes on', async () => {
    const desk = new DeskProcess(main, ['flights=200k', 'desk.workers=4', 'desk.kill=nobody'])
    await desk.wrote(/claims +10 %/)
    const victim =
      desk
        .children()
        .toSorted((a, b) => a - b)
        .at(-1) ?? 0
    process.kill(victim, 'SIGSTOP')
    const [, worker] = await desk.wrote(/(worker-\d) is found missing by probes/)
    process.kill(victim, 'SIGCONT')
    expect(await desk.ended()).toBe(0)
    expect(desk.stdout).toMatch(new RegExp(`${worker} lost: [\\d,]+ unreported claims`))
    expect(desk.stdout).toContain('200,000 claims decided')
  })

  test('workers that crash at their work, one after the other, end the run', async () => {
    const args = [
      `worker=${fixtures.workerThatCrashes.href}`,
      '--',
      'desk.workers=3',
      'desk.kill=nobody',
      ...small(),
    ]
    const { status, stderr } = await run(args, runWith)
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'delay-desk: every worker is lost, nobody is left to own the claims\n',
    })
  })

  test('a records service that somebody kills is survived: what passengers stated decides', async () => {
    const desk = new DeskProcess(main, [
      'flights=200k',
      'desk.workers=4',
      'desk.kill=nobody',
      'scenario=calm',
    ])
    await desk.wrote(/claims +10 %/)
    // The bank is the first child, the records service the second.
    const [, records = 0] = desk.children().toSorted((a, b) => a - b)
    process.kill(records, 'SIGKILL')
    expect(await desk.ended()).toBe(0)
    const [, , , opened, , fallbacks] = recordsLine.exec(desk.stdout) ?? []
    expect(numberOf(opened)).toBeGreaterThan(0)
    expect(numberOf(fallbacks)).toBeGreaterThan(100)
    expect(desk.stdout).toContain('200,000 claims decided')
  })

  test('a bank that dies ends the run', async () => {
    const args = [
      `bank=${fixtures.bankThatDies.href}`,
      '--',
      'desk.workers=2',
      'desk.kill=nobody',
      ...small(),
    ]
    const { status, stderr } = await run(args, runWith)
    expect(status).toBe(1)
    expect(stderr).toMatch(
      /^delay-desk: (?:the bank's process ended \(SIGKILL\)|worker-\d cannot go on: .+)\n$/,
    )
  })
})

describe('bad input gets one line', () => {
  const truncated = (): string => {
    const path = flightsFile([], 'cut.json')
    writeFileSync(path, '[{"date":"2001/01/01 00:47","delay":66,')
    return path
  }
  test.each<[name: string, args: () => string[], message: RegExp]>([
    ['no flights file', () => fromFile('/nowhere/f.json'), /\/nowhere\/f\.json: cannot be read \(ENOENT/],
    ['no airports file', () => ['airports=/nowhere/a.csv'], /\/nowhere\/a\.csv: cannot be read \(ENOENT/],
    [
      'no server of the store',
      () => ['store=postgres', "store.url='postgres://u:open-sesame@127.0.0.1:1/d'"],
      /^delay-desk: the bank cannot open its ledger: (?!.*sesame).*ECONNREFUSED/,
    ],
    ['a file cut short', () => fromFile(truncated()), /cut\.json: not JSON/],
    [
      'a broken record',
      () => fromFile(flightsFile([{}, { delay: 'late' }])),
      /flights\.json record 1 \(the first is 0\): delay is "late", expected a whole number of minutes/,
    ],
  ])('%s', async (_, args, message) => {
    const { status, stderr } = await run(args())
    expect(status).toBe(1)
    expect(stderr).toMatch(/^delay-desk: [^\n]+\n$/)
    expect(stderr).toMatch(message)
  })
})

describe('the command line is that of Hydra', () => {
  test.each<[args: string[], message: RegExp]>([
    [['flihgts=3m'], /^Could not override 'flihgts'\.\n/],
    [['flights'], /flights/],
    [['__proto__=1'], /^Could not override '__proto__'\.\n/],
    [
      ['scenario=gale'],
      /^In 'config': Could not find 'scenario\/gale'\n\nAvailable options in 'scenario':\n\tcalm\n\tstorm\n/,
    ],
    [['desk.workers=0'], /desk\.workers[^]*>=1/],
  ])('%s is refused', async (args, message) => {
    const { status, stderr, stdout } = await run(args)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(message)
  })

  test('--help shows groups and options', async () => {
    const { status, stdout } = await run(['--help'])
    expect(status).toBe(0)
    for (const line of [
      'flights: 200k, 20k, 3m, file',
      'scenario: calm, storm',
      'store: memory, postgres, sqlite',
    ])
      expect(stdout).toContain(`${line}\n`)
  })

  test('--cfg job prints the configuration, --package a part of it', async () => {
    const { status, stdout } = await run(['--cfg', 'job', '--package', 'desk', 'desk.workers=7'])
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: '# @package desk\nworkers: 7\nkill: paid\nbreaker: true\n',
    })
  })

  test('--info defaults-tree shows who brought what', async () => {
    const { status, stdout } = await run(['--info', 'defaults-tree', 'scenario=calm'])
    expect(status).toBe(0)
    expect(stdout).toContain('scenario: calm')
    expect(stdout).toContain('policy: eu261')
  })

  test.each([
    ['--cfg', 'job'],
    ['--explain', 'store'],
    ['--cfg', 'all'],
  ])('%s shows no password of the store', async (...flag) => {
    const { status, stdout, stderr } = await run([
      ...flag,
      'store=postgres',
      "store.url='postgres://u:open-sesame@127.0.0.1:1/d'",
    ])
    expect(status).toBe(0)
    expect(stdout).toContain('***')
    expect(stdout + stderr).not.toContain('sesame')
  })

  test('--explain tells where a value comes from', async () => {
    const { status, stdout } = await run(['--explain', 'desk.workers', 'desk.workers=7'])
    expect(status).toBe(0)
    expect(stdout).toMatch(/desk\.workers=7/)
    expect(stdout).toMatch(/config\.yaml:\d+:\d+/)
  })

  test('--multirun runs the desk once for each scenario', async () => {
    const { status, stdout } = await run([
      '--multirun',
      'scenario=calm,storm',
      'desk.kill=nobody',
      'desk.workers=2',
      ...small(),
    ])
    expect(status).toBe(0)
    expect(stdout.match(/1,200 claims decided, 1,080 paid, each once; differences: none/g)).toHaveLength(2)
    expect(stdout).toMatch(/sqlite, calm\n[^]*sqlite, storm\n/)
  })
})
