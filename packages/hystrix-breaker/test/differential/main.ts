import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import {
  type ComparisonReport,
  compareWithOracle,
  formatComparison,
  type Oracle,
  startOracle,
} from '@loadbearing/harness/oracle'
import { type CampaignOptions, readCampaignOptions } from '@loadbearing/tooling/campaign'
import { recordEvidence } from '@loadbearing/tooling/evidence'
import { cockatielSuite } from '../compat/cockatiel-suite.ts'
import { opossumSuite } from '../compat/opossum-suite.ts'
import { commandCalls } from '../conformance/command-port.ts'
import {
  type CommandCase,
  commandCase,
  type LimitCase,
  limitCase,
  type PercentileCase,
  percentileCase,
  type TraceCase,
  traceCase,
} from './arbitraries.ts'
import { eventTable, poolTable, queueTable, type TableRow } from './event-table.ts'
import { startJavaPeer } from './java-peer.ts'
import { inTime, settlesLate } from './late.ts'
import { compareYaml, compareYamlInTime, startResilience4j } from './resilience4j.ts'
import { compareTurbine, startTurbine, turbineVersion } from './turbine.ts'

const usage = `usage: pnpm differential hystrix-breaker [--seed N] [--runs N]
  --seed N  the same seed makes the same cases (default: drawn)
  --runs N  cases for each comparison (default 1000, of fewer nothing is recorded); one in 20 of those in real time`

// Two steps in which an outcome, or a reset, closes the half-open circuit.
const recovered = /"state":"half-open"(?:,"permitted":\w+)?\},\{"state":"closed"\}/

const recordedRuns = 1000
const chosen = readCampaignOptions(usage, recordedRuns)
if (chosen !== undefined) {
  await differential(chosen)
  await opossumSuite()
  await cockatielSuite()
}

async function differential(campaign: CampaignOptions): Promise<void> {
  const { seed, runs } = campaign
  console.log(`seed ${seed}, ${runs} runs`)
  const peer = startJavaPeer('Peer')
  const hystrix = startJavaPeer('com.netflix.hystrix.util.CommandPeer')
  const turbine = startTurbine()
  const spring = startResilience4j()
  if ('missing' in peer || 'missing' in hystrix || 'missing' in turbine || 'missing' in spring) {
    const [why] = [peer, hystrix, turbine, spring].flatMap((each) =>
      'missing' in each ? [each.missing] : [],
    )
    console.log(`SKIPPED resilience4j, concurrency-limits, Hystrix and Turbine in the JVM: ${why}`)
    console.log('nothing was compared, and no evidence is recorded')
    return
  }
  await using theirs = peer
  await using original = hystrix
  await using aggregation = turbine
  await using yaml = spring
  await using ours = startOracle({
    command: process.execPath,
    args: ['--conditions=@loadbearing/source', join(import.meta.dirname, '../conformance/port.ts')],
    timeout: '60s',
  })
  const rows = [
    await compareTraces(ours, theirs, false, campaign),
    await compareTraces(ours, theirs, true, campaign),
    await compareLimits(ours, theirs, campaign),
    await comparePercentiles(ours, original, campaign),
    await compareTable('command: behaviour × fallback × isolation × cache', eventTable(), ours, original),
    await compareTable('command: more calls than a pool takes', poolTable(), ours, original),
    await compareTable(
      'command: waiting in the queue of a pool is part of the time limit',
      queueTable(),
      { ask: commandRuns },
      original,
    ),
    await compareCommands(ours, original, campaign),
    row('YAML: figures, runs of retries and pools', 'resilience4j', await compareYaml(yaml, campaign)),
    row(
      'YAML: bulkheads and time limiters, in real time',
      'resilience4j',
      await compareYamlInTime(yaml, campaign),
    ),
    row(
      'turbine.stream: hosts that come, change and go',
      'Turbine',
      await compareTurbine(aggregation, campaign),
    ),
  ]
  if (runs < recordedRuns) {
    console.log(`\nof fewer than ${recordedRuns} runs no evidence is recorded`)
    return
  }
  recordEvidence(new URL('../..', import.meta.url), 'differential', {
    command: `pnpm differential hystrix-breaker --seed ${seed} --runs ${runs}`,
    seed,
    versions: {
      hystrix: '1.5.18',
      resilience4j: '2.4.0',
      'concurrency-limits': '0.5.3',
      turbine: turbineVersion,
    },
    columns: ['What', 'Against', 'Cases', 'Differed'],
    rows,
    notes: [
      'Not compared: maxWaitDurationInHalfOpenState and the automatic half-open of resilience4j, whose timers run on the time of the machine. The jitter of Vegas, which its class draws, is set to the middle on both sides. Of YAML: configs that have a base themselves, which resilience4j hands down in part; rate limiters, which there are none of here.',
    ],
  })
}

async function compareTraces(
  ours: Oracle,
  theirs: Oracle,
  late: boolean,
  { seed, runs }: CampaignOptions,
): Promise<string[]> {
  let recoveries = 0
  const report = await compareWithOracle({
    arbitrary: late ? traceCase.filter(settlesLate) : traceCase.map(inTime),
    ours: async (each: TraceCase) => {
      const answer = await answerOf(ours, each)
      if (recovered.test(JSON.stringify(answer))) recoveries++
      return answer
    },
    theirs: (each) => theirs.ask(each),
    known: late
      ? [
          {
            reason:
              'resilience4j counts a late outcome in whatever state is current; here it changes nothing',
            covers: settlesLate,
          },
        ]
      : [],
    seed,
    runs,
  })
  console.log(`\n${recoveries} of these traces go from half-open to closed`)
  return row(late ? 'trace, with late outcomes' : 'trace, without late outcomes', 'resilience4j', report)
}

async function compareLimits(
  ours: Oracle,
  theirs: Oracle,
  { seed, runs }: CampaignOptions,
): Promise<string[]> {
  const report = await compareWithOracle({
    arbitrary: limitCase,
    ours: (each: LimitCase) => answerOf(ours, each),
    theirs: (each) => theirs.ask(each),
    seed,
    runs,
  })
  return row('limit: AIMD, Gradient2, Vegas', 'concurrency-limits', report)
}

async function comparePercentiles(
  ours: Oracle,
  theirs: Oracle,
  { seed, runs }: CampaignOptions,
): Promise<string[]> {
  const report = await compareWithOracle({
    arbitrary: percentileCase,
    ours: (each: PercentileCase) => answerOf(ours, each),
    theirs: (each) => theirs.ask(each),
    seed,
    runs,
  })
  return row('percentile', 'HystrixRollingPercentile', report)
}

// Hystrix takes the time that the calls take.
async function compareCommands(
  ours: Oracle,
  theirs: Oracle,
  { seed, runs }: CampaignOptions,
): Promise<string[]> {
  const report = await compareWithOracle({
    arbitrary: commandCase,
    ours: (each: CommandCase) => answerOf(ours, each),
    theirs: (each) => theirs.ask(each),
    known: [
      {
        reason:
          'with SEMAPHORE isolation Hystrix runs a call on the thread of its caller before it enters the cache, so that a second call of the key runs as well while the first one hangs; here it has the answer of the first',
        covers: ({ options, calls }) =>
          options['execution.isolation.strategy'] === 'SEMAPHORE' &&
          calls.some(hangsBeforeItsKeyIsAskedAgain),
      },
    ],
    seed,
    runs: Math.ceil(runs / 20),
  })
  return row('command: random calls of one request', 'Hystrix', report)
}

function hangsBeforeItsKeyIsAskedAgain(
  { ends, cacheKey }: CommandCase['calls'][number],
  at: number,
  calls: CommandCase['calls'],
): boolean {
  return (
    ends === 'hang' &&
    cacheKey !== undefined &&
    calls.slice(at + 1).some((later) => later['cacheKey'] === cacheKey)
  )
}

async function compareTable(
  what: string,
  table: readonly TableRow[],
  ours: Pick<Oracle, 'ask'>,
  theirs: Oracle,
): Promise<string[]> {
  const differing: string[] = []
  for (const each of table) {
    const [own, original] = [await answerOf(ours, each.command), await theirs.ask(each.command)]
    if (!isDeepStrictEqual(own, original))
      differing.push(`${each.what}\n  ours   ${JSON.stringify(own)}\n  theirs ${JSON.stringify(original)}`)
  }
  console.log(`\n${what}, against Hystrix\n${table.length} cases, ${differing.length} differ`)
  for (const each of differing) console.log(each)
  if (differing.length > 0) process.exitCode = 1
  return [
    what,
    'Hystrix',
    String(table.length),
    differing.length === 0 ? '0' : `${differing.length} UNEXPLAINED`,
  ]
}

/** The port's command, and which of its calls ran, as Hystrix's peer tells where it is asked for `runs`. */
async function commandRuns(command: object): Promise<unknown> {
  const ran = new Set<number>()
  const { calls } = await commandCalls(command, (call) => ran.add(call))
  return { ok: { calls: calls.map((call, place) => ({ ...call, ran: ran.has(place) })) } }
}

async function answerOf(port: Pick<Oracle, 'ask'>, command: object): Promise<unknown> {
  const answer = await port.ask({ id: '1', ...command })
  if (typeof answer === 'object' && answer !== null && 'ok' in answer) return answer.ok
  throw new Error(JSON.stringify(answer))
}

function row(what: string, against: string, report: ComparisonReport<unknown, unknown, unknown>): string[] {
  const unexplained = report.differences.reduce((sum, { cases }) => sum + cases, 0)
  const odd = report.known.filter(({ cases }) => cases > 0).map(({ cases, reason }) => `${cases}: ${reason}`)
  if (unexplained > 0) odd.unshift(`${unexplained} UNEXPLAINED`)
  if (report.unanswered.length > 0) odd.push(`${report.unanswered.length} unanswered`)
  if (unexplained > 0 || report.unanswered.length > 0) process.exitCode = 1
  console.log(`\n${what}, against ${against}\n${formatComparison(report)}`)
  return [what, against, String(report.cases), odd.length === 0 ? '0' : odd.join('; ')]
}
