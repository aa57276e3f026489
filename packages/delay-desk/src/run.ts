import { basename } from 'node:path'
import type { PoolStats } from '@loadbearing/maglev'
import { readAirports } from './airports.ts'
import type { Move } from './assignment.ts'
import { audit } from './audit.ts'
import { auditAccess } from './audit-access.ts'
import { type Closed, closeDay } from './closing.ts'
import type { Configuration } from './configuration.ts'
import { type Decisions, decided, tallyOf } from './decisions.ts'
import { Desk, type DeskEvents, type Finding } from './desk.ts'
import { DeskError } from './errors.ts'
import { explainedDenial } from './explained-denial.ts'
import { type Flights, readFlights } from './flights.ts'
import { MemoryWatch } from './memory.ts'
import type { CallTallies, PaymentTally } from './messages.ts'
import { OpenBank } from './open-bank.ts'
import { openRecords } from './open-service.ts'
import { openPlaces } from './places.ts'
import { count, Progress } from './progress.ts'
import { reconcile } from './reconciliation.ts'
import { type Roster, rosterOf } from './roster.ts'
import { type Configured, later, listed, succeeded, summarize } from './summary.ts'

/** The programs of the child processes. Tests put broken ones in their place. */
export interface Programs {
  readonly bank: URL
  readonly records: URL
  readonly worker: URL
}

export const programs: Programs = {
  bank: new URL('./bank.ts', import.meta.url),
  records: new URL('./records.ts', import.meta.url),
  worker: new URL('./worker.ts', import.meta.url),
}

/**
 * Runs the desk.
 *
 * @returns the exit status: 0 when both totals agree, 1 when they differ or the run failed, 130 when it was interrupted
 */
export async function run(
  configuration: Configuration,
  configured: Configured,
  children: Programs,
): Promise<number> {
  const progress = new Progress()
  try {
    return (await work(configuration, configured, children, progress, interruption())) ? 0 : 1
  } catch (error) {
    progress.clear()
    if (!(error instanceof DeskError)) throw error
    console.error(`delay-desk: ${error.message}`)
    return error.code === 'INTERRUPTED' ? 130 : 1
  }
}

/** Whether the run showed what it is there to show. */
async function work(
  configuration: Configuration,
  configured: Configured,
  children: Programs,
  progress: Progress,
  interrupted: Promise<never>,
): Promise<boolean> {
  const begin = performance.now()
  const memory = new MemoryWatch()
  const { flights: file, airports: airportsFile, store, scenario, bank, policy, access, desk } = configuration

  progress.line(
    `Delay Desk: ${basename(file.path)} by ${policy.name}, ${desk.workers} workers, books in ${store.kind}, ${scenario.name}${bank.name === scenario.name ? '' : `, the bank ${bank.name}`}`,
  )
  const airports = await readAirports(airportsFile)
  const flights = await Promise.race([
    readFlights(file, airports, (done, of) => progress.show('reading', done, of)),
    interrupted,
  ])

  const roster = rosterOf(access, airports.indexes.keys(), flights.origins)
  const settled = await settle(flights, airports, roster, configuration, children, {
    interrupted,
    progress,
    memory,
  })
  progress.line('  counting again, straight from the data')
  const counted = await Promise.race([audit(file.path, airportsFile, policy.rules, file.limit), interrupted])
  memory.look([])

  const reconciliation = reconcile({ ...settled.closed, reported: settled.reported, owed: counted.owed })
  const decisions = decided(settled.decisions, roster.people)
  const explained = await explainedDenial(decisions, roster, {
    originOf: (claim) => flights.origins[claim] ?? 0,
    amountOf: (claim) => settled.reported[claim] ?? 0,
  })
  const outcome = {
    ...settled,
    configured,
    reconciliation,
    access: {
      ...tallyOf(settled.decisions),
      ...auditAccess(decisions, counted, access),
      explained,
    },
    claims: flights.count,
    workers: desk.workers,
    breaker: desk.breaker,
    currency: policy.currency,
    seconds: (performance.now() - begin) / 1000,
    memory,
  }
  for (const line of summarize(outcome)) progress.line(line)
  return succeeded(outcome)
}

interface Settled {
  readonly closed: Closed
  /** Money by claim, as the workers reported it. */
  readonly reported: Uint16Array
  readonly decisions: readonly Decisions[]
  readonly deaths: number
  readonly payments: PaymentTally
  readonly moves: readonly Move[]
  readonly findings: readonly Finding[]
  readonly tableSize: number
  readonly pool: PoolStats
  readonly calls: CallTallies
  /** Seconds from the first batch to the last report. */
  readonly settling: number
  /** Claims of the worker that owned the fewest at the start, and of the one with the most. */
  readonly shares: readonly [least: number, most: number]
}

/** Opens the services and the desk, settles all claims, and ends them. */
async function settle(
  flights: Flights,
  airports: Awaited<ReturnType<typeof readAirports>>,
  roster: Roster,
  configuration: Configuration,
  children: Programs,
  { interrupted, progress, memory }: { interrupted: Promise<never>; progress: Progress; memory: MemoryWatch },
): Promise<Settled> {
  await using places = await openPlaces(configuration)
  const { retention } = configuration.bank
  await using bank = await OpenBank.open(children.bank, {
    ...places,
    seed: configuration.seed,
    nature: configuration.bank,
    onDeath: (pid) => progress.line(`  the bank (pid ${pid}) has died and is started again`),
  })
  await using records = await openRecords(children.records, configuration, flights.delays)
  const moves: Move[] = []
  const findings: Finding[] = []
  let done = 0
  let paid = 0
  let looked = 0
  const events: DeskEvents = {
    onSettled(claims, payments) {
      done += claims
      paid += payments
      progress.show('claims', done, flights.count, `, ${count(paid)} paid`)
      if (done - looked < flights.count / 8) return
      looked = done
      memory.look([bank.pid, records.pid, ...desk.pids])
    },
    onStrike(worker, pid, batch, batches) {
      const what = configuration.desk.kill === 'hang' ? 'stopped' : 'killed'
      progress.line(
        `  ${worker} (pid ${pid}) is ${what}, batch ${batch + 1} of its ${batches} ${struck[configuration.desk.kill]}`,
      )
    },
    onFound(finding) {
      findings.push(finding)
      progress.line(`  ${finding.worker} is found missing by ${finding.by}${later(finding)}`)
    },
    onMoved(move, unsettled) {
      moves.push(move)
      const what =
        move.back.length > 0
          ? `${move.back.join(', ')} is back: its claims return`
          : `${move.lost.join(', ')} lost: ${count(unsettled)} unreported claims go to their new owners`
      progress.line(`  ${what}, ${count(move.collateral)} claims of others move`)
    },
  }
  await using desk = await Desk.open(
    flights,
    airports,
    {
      bank: bank.url,
      records: records.url,
      breaker: configuration.desk.breaker,
      policy: configuration.policy,
      roster,
      books: places.books,
      retention,
    },
    configuration,
    children.worker,
    events,
  )
  const begin = performance.now()
  await Promise.race([desk.settle(), bank.failed, interrupted])
  const settling = (performance.now() - begin) / 1000
  progress.line('  the day is closed, the books are compared')
  const closing = closeDay(bank, places, retention, desk.uncertain, (disagreements) => {
    for (const line of listed(disagreements, 'uncertain')) progress.line(line)
  })
  const closed = await Promise.race([closing, bank.failed, interrupted])
  return {
    closed,
    reported: desk.books,
    decisions: desk.decisions,
    deaths: bank.deaths,
    payments: desk.payments,
    moves,
    findings,
    tableSize: desk.tableSize,
    pool: desk.stats(),
    calls: desk.calls,
    settling,
    shares: desk.shares,
  }
}

/** What a batch is when its worker is struck. */
const struck: Readonly<Record<Configuration['desk']['kill'], string>> = {
  taken: 'taken and not paid',
  hang: 'taken and not paid',
  booked: 'booked and not asked of the bank',
  called: 'asked of the bank and not booked as paid',
  paid: 'paid and not reported',
  nobody: '',
}

/** Rejects at Ctrl-C, at SIGTERM and when the terminal goes. A second one ends the process at once, and its children with it. */
function interruption(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  promise.catch(() => {})
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      reject(new DeskError('INTERRUPTED', `ended by ${signal}, the workers too`))
    })
  }
  return promise
}
