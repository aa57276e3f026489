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
  workerWithoutOperation: new URL('./fixtures/worker-without-operation.ts', import.meta.url),
  workerThatDoesNotAsk: new URL('./fixtures/worker-that-does-not-ask.ts', import.meta.url),
  workerWithPatience: new URL('./fixtures/worker-with-patience.ts', import.meta.url),
  workerThatCrashes: new URL('./fixtures/worker-that-crashes.ts', import.meta.url),
}
const main = new URL('../src/main.ts', import.meta.url)
const runWith = new URL('./fixtures/run-with.ts', import.meta.url)

/** Every run starts a dozen processes, on a machine that may have much to do. */
const patient = { timeout: 120_000 }

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

describe('the main job', patient, () => {
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

    expect(stdout).toMatch(
      /worker-\d+ \(pid \d+\) is killed, batch \d+ of its \d+ asked of the bank and not booked as paid/,
    )
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

    // As `access.test.ts` has it: whoever a killed worker has asked for what it did not report is asked again, and counts once.
    expect(stdout).toMatch(
      /access +25,396 checks of who may, p50 [\d.,]+ µs, p99 [\d.,]+ µs; denied: 2,980 \(2,500 to see, 89 to approve, 391 to pay\), and another was asked\n/,
    )
    expect(stdout).toMatch(
      /^ +person:tom may not pay (claim:19\d{3}) at 21:\d\d: blocked by \1#approved_by@person:tom$/m,
    )
    expect(stdout).toMatch(/payments 1,108 in the bank's ledger, 1,108 in the desk's books;/)
    expect(stdout).toMatch(/uncertain: [\d,]+ before reconcile.*, 0 after; deaths of the bank: 3/)
    expect(readdirSync(temporary)).toEqual([])
  })

  test('a worker that hangs is found by probes, and what it pays when it wakes does no harm', async () => {
    const { status, stdout } = await run([
      'desk.kill=hang',
      'scenario=calm',
      'desk.workers=3',
      ...small(),
      'seed=1',
    ])
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
    // It held one batch or two, of which nine claims in ten are owed, and others had paid them meanwhile.
    const [, again] = /asked again: ([\d,]+) answered by the desk's records/.exec(stdout) ?? []
    expect(numberOf(again)).toBeGreaterThan(100)
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
    const { status, stdout } = await run([
      'scenario=calm',
      'desk.kill=paid',
      ...fromFile(flightsFile([{ delay: 180 }])),
    ])
    expect(status).toBe(0)
    expect(stdout).toContain(
      "payments 1 in the bank's ledger, 1 in the desk's books; asked again: 1 answered by the desk's records, ",
    )
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
    // A call that takes a quarter of a second has failed, though it be the machine that is busy.
    const args = [`worker=${fixtures.workerWithPatience.href}`, '--', 'desk.workers=3', 'scenario=calm']
    const { status, stdout } = await run(args, runWith)
    expect(status).toBe(0)
    expect(stdout).toMatch(
      /records: [\d,]+ calls made, 0 failed; circuits opened: 0, calls short-circuited: 0/,
    )
    expect(stdout).toMatch(
      /bank: [\d,]+ calls made, \d+ failed; circuits opened: 0, calls short-circuited: 0/,
    )
  })

  test.skipIf(skipWithout('postgres'))(
    'the books in PostgreSQL agree as well, by another policy too',
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

describe('negative controls', patient, () => {
  test('a worker that asks nobody who may: the money is right, and the audit finds it out', async () => {
    const args = [
      `worker=${fixtures.workerThatDoesNotAsk.href}`,
      '--',
      'desk.kill=nobody',
      'scenario=calm',
      'desk.workers=2',
      ...small(),
    ]
    const { status, stdout } = await run(args, runWith)
    expect(status).toBe(1)
    // Claim n of 1,200 comes n * 48 s after 06:00. From 21:00 on no agent may see or approve; between 11:20 and 14:00, when the
    // second of three clerks is in turn, he is not there yet. Every tenth claim is owed nothing.
    expect(stdout).toContain('  323 DECISIONS ARE NOT AS THE ROSTER HAS THEM:\n')
    expect(stdout).toMatch(/claim \d+: person:(?:otto|DTW-late) was let (?:see|approve|pay) it/)
    expect(stdout).toContain('Both totals agree. 1,200 claims decided, 1,080 paid, each once')
  })

  test('where nobody may, the run ends with one line', async () => {
    const { status, stderr } = await run([
      'desk.workers=2',
      'desk.kill=nobody',
      'scenario=calm',
      "access.closes='23:00'",
      ...small(),
    ])
    expect(status).toBe(1)
    expect(stderr).toMatch(
      /^delay-desk: worker-\d cannot go on: nobody may see claim \d+ at 2001-04-01T22:\S+: all 4 were denied\n$/,
    )
  })

  test('a bank that knows no keys pays the killed worker’s claims twice, and the run fails', async () => {
    const args = [`bank=${fixtures.bankWithoutKey.href}`, '--', 'scenario=calm', 'desk.workers=3', ...small()]
    const { status, stdout } = await run(args, runWith)
    expect(status).toBe(1)
    expect(stdout).toMatch(/THE TOTALS DO NOT AGREE: \d+ of 1,200 claims differ/)
    expect(stdout).toMatch(/claim \d+: paid 2 times, 30 in all, owed 15/)
  })

  test.each([
    ['a worker dies having paid', ['desk.kill=paid', 'scenario=calm']],
    [
      'the bank dies having applied a payment',
      [
        'desk.kill=nobody',
        'scenario=calm',
        'bank=storm',
        'bank.fortune=null',
        'bank.dies.after=[20,40]',
        'bank.dies.at=[applied]',
      ],
    ],
  ])('payments without the operation are made twice where %s', async (_, faults) => {
    const args = [
      `worker=${fixtures.workerWithoutOperation.href}`,
      '--',
      'desk.workers=3',
      ...faults,
      ...small(),
    ]
    const { status, stdout } = await run(args, runWith)
    expect(status).toBe(1)
    expect(stdout).toMatch(/LEDGER AND BOOKS DIFFERED on claims that nobody had called uncertain/)
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
describe.skipIf(process.platform !== 'linux')('processes that fail', patient, () => {
  test('the desk killed with SIGKILL leaves no process and no file', async () => {
    const desk = new DeskProcess(main, ['desk.workers=4'])
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
      const desk = new DeskProcess(main, ['desk.workers=4'])
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
    const desk = new DeskProcess(main, ['desk.workers=4', 'desk.kill=nobody'])
    await desk.wrote(/claims +10 %/)
    process.kill(desk.childOf('worker.ts'), 'SIGKILL')
    expect(await desk.ended()).toBe(0)
    expect(desk.stdout).toMatch(/worker-\d is found missing by (?:outlier detection|probes)\n/)
    expect(desk.stdout).toMatch(/worker-\d lost: [\d,]+ unreported claims/)
    expect(desk.stdout).toMatch(/of the others' [\d,]+ claims 0;/)
  })

  test('a worker that somebody else stops is survived, and gets its claims back when it goes on', async () => {
    const desk = new DeskProcess(main, ['desk.workers=4', 'desk.kill=nobody'])
    await desk.wrote(/claims +10 %/)
    const victim = desk.childOf('worker.ts')
    process.kill(victim, 'SIGSTOP')
    const [, worker] = await desk.wrote(/(worker-\d) is found missing by probes/)
    process.kill(victim, 'SIGCONT')
    expect(await desk.ended()).toBe(0)
    expect(desk.stdout).toMatch(new RegExp(`${worker} lost: [\\d,]+ unreported claims`))
    expect(desk.stdout).toContain('20,000 claims decided')
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
    const desk = new DeskProcess(main, ['desk.workers=4', 'desk.kill=nobody', 'scenario=calm'])
    await desk.wrote(/claims +10 %/)
    process.kill(desk.childOf('records.ts'), 'SIGKILL')
    expect(await desk.ended()).toBe(0)
    const [, , , opened, , fallbacks] = recordsLine.exec(desk.stdout) ?? []
    expect(numberOf(opened)).toBeGreaterThan(0)
    expect(numberOf(fallbacks)).toBeGreaterThan(100)
    expect(desk.stdout).toContain('20,000 claims decided')
  })

  test('a bank that dies and cannot be started again ends the run', async () => {
    const args = [
      `bank=${fixtures.bankThatDies.href}`,
      '--',
      'desk.workers=2',
      'desk.kill=nobody',
      ...small(),
    ]
    const { status, stderr } = await run(args, runWith)
    expect(status).toBe(1)
    expect(stderr).toMatch(/^delay-desk: the bank's process ended \(exit status 7\)\n$/)
  })
})

describe('bad input gets one line', patient, () => {
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
      /^delay-desk: the desk's books cannot be made: (?!.*sesame).*ECONNREFUSED/,
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

describe('the command line is that of Hydra', patient, () => {
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
      'bank: calm, storm',
      'access: full, short',
      'store: memory, postgres, sqlite',
    ])
      expect(stdout).toContain(`${line}\n`)
  })

  test('--cfg job prints the configuration, --package a part of it', async () => {
    const { status, stdout } = await run(['--cfg', 'job', '--package', 'desk', 'desk.workers=7'])
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: '# @package desk\nworkers: 7\nkill: called\nbreaker: true\n',
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
