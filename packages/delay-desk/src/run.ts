import { basename } from 'node:path'
import type { PoolStats } from '@loadbearing/maglev'
import { readAirports } from './airports.ts'
import type { Move } from './assignment.ts'
import { audit } from './audit.ts'
import type { Configuration } from './configuration.ts'
import { Desk, type DeskEvents, type Finding } from './desk.ts'
import { DeskError, reasonOf } from './errors.ts'
import { type Flights, readFlights } from './flights.ts'
import { MemoryWatch } from './memory.ts'
import type { CallTallies } from './messages.ts'
import { openBank, openRecords } from './open-service.ts'
import { Bank, type Statement } from './payment.ts'
import { count, Progress } from './progress.ts'
import { reconcile } from './reconciliation.ts'
import { type Configured, later, succeeded, summarize } from './summary.ts'

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
  const { flights: file, airports: airportsFile, store, scenario, policy, desk } = configuration

  progress.line(
    `Delay Desk: ${basename(file.path)} by ${policy.name}, ${desk.workers} workers, a bank with its ledger in ${store.kind}, ${scenario.name}`,
  )
  const airports = await readAirports(airportsFile)
  const flights = await Promise.race([
    readFlights(file, airports, (done, of) => progress.show('reading', done, of)),
    interrupted,
  ])

  const settled = await settle(flights, airports, configuration, children, { interrupted, progress, memory })
  progress.line('  counting again, straight from the data')
  const owed = await Promise.race([audit(file.path, airportsFile, policy.rules, file.limit), interrupted])
  memory.look([])

  const reconciliation = reconcile(settled.statement.payments, settled.books, owed)
  const outcome = {
    ...settled,
    configured,
    reconciliation,
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
  readonly statement: Statement
  readonly books: Uint16Array
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
  configuration: Configuration,
  children: Programs,
  { interrupted, progress, memory }: { interrupted: Promise<never>; progress: Progress; memory: MemoryWatch },
): Promise<Settled> {
  await using bank = await openBank(children.bank, configuration)
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
      const state = configuration.desk.kill === 'paid' ? 'paid and not reported' : 'taken and not paid'
      progress.line(`  ${worker} (pid ${pid}) is ${what}, batch ${batch + 1} of its ${batches} ${state}`)
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
    },
    configuration,
    children.worker,
    events,
  )
  const begin = performance.now()
  await Promise.race([desk.settle(), bank.failed, interrupted])
  const settling = (performance.now() - begin) / 1000
  const statement = await new Bank(bank.url).statement().catch((error: unknown) => {
    throw new DeskError('SERVICE_FAILED', reasonOf(error), { cause: error })
  })
  return {
    statement,
    books: desk.books,
    moves,
    findings,
    tableSize: desk.tableSize,
    pool: desk.stats(),
    calls: desk.calls,
    settling,
    shares: desk.shares,
  }
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
