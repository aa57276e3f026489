import type { PoolStats } from '@loadbearing/maglev'
import type { Move } from './assignment.ts'
import type { AccessFindings } from './audit-access.ts'
import type { Closed } from './closing.ts'
import type { DecisionTally } from './decisions.ts'
import type { Finding } from './desk.ts'
import type { CallTallies, CallTally, PaymentTally } from './messages.ts'
import { count } from './progress.ts'
import type { Disagreement, Reconciliation, Sum } from './reconciliation.ts'

/** Disagreements that are shown. */
const LISTED = 5

/** What the configuration of a run was made of. */
export interface Configured {
  readonly configs: readonly string[]
  readonly overrides: readonly string[]
  readonly digest: string
}

/** What a run found, for `summarize`. */
export interface Outcome {
  readonly configured: Configured
  readonly reconciliation: Reconciliation
  /** Who was asked for what, what the audit found, and why somebody was denied. */
  readonly access: DecisionTally & AccessFindings & { readonly explained: string | undefined }
  readonly closed: Closed
  /** Times that the bank died. */
  readonly deaths: number
  readonly payments: PaymentTally
  readonly claims: number
  readonly workers: number
  readonly tableSize: number
  /** Claims of the worker that owned the fewest at the start, and of the one with the most. */
  readonly shares: readonly [least: number, most: number]
  readonly moves: readonly Move[]
  /** Workers that the pool found missing. */
  readonly findings: readonly Finding[]
  readonly pool: Pick<PoolStats, 'rebuilds' | 'probes' | 'probeFailures' | 'ejections'>
  readonly calls: CallTallies
  /** As the policy calls it: `euros`. */
  readonly currency: string
  /** Whether circuits could open. */
  readonly breaker: boolean
  readonly seconds: number
  /** Of these, from the first batch to the last report. */
  readonly settling: number
  /** Bytes. */
  readonly memory: { readonly own: number; readonly together: number }
}

/**
 * Whether every claim was paid what it is owed, once, by people who may, whatever differed before was called uncertain, and no
 * claim moved whose first owner was there.
 */
export function succeeded({ reconciliation, access, closed, moves }: Outcome): boolean {
  return (
    reconciliation.differing === 0 &&
    access.wrong === 0 &&
    closed.unexplained.length === 0 &&
    strayed(moves) === 0
  )
}

function strayed(moves: readonly Move[]): number {
  return Math.max(0, ...moves.map((move) => move.strayed))
}

/** The end of a run: both totals, the differences, what each package did, time and memory. */
export function summarize(outcome: Outcome): string[] {
  const { reconciliation, seconds, settling, memory } = outcome
  const together =
    memory.together > 0 ? `, all processes together ${mebibytes(memory.together)} (shared pages once)` : ''
  return [
    '',
    ...totals(reconciliation, outcome.currency),
    '',
    ...verdict(outcome),
    '',
    ...configuration(outcome),
    ...maglev(outcome),
    ...discovery(outcome),
    ...breakers(outcome),
    ...payments(outcome),
    ...decisions(outcome),
    `  time     ${seconds.toFixed(1)} s, the claims ${settling.toFixed(1)} s of it; memory at most: the desk ${mebibytes(memory.own)}${together}`,
  ]
}

function totals({ lines, paid, owed }: Reconciliation, currency: string): string[] {
  const row = (name: string, left: Sum, right: Sum): string =>
    [
      `  ${name.padEnd(7)}`,
      ...cells(left),
      ' ',
      ...cells(right),
      ' ',
      ...cells({ claims: left.claims - right.claims, amount: left.amount - right.amount }),
    ].join('')
  return [
    `${' '.repeat(9)}${'paid by the desk'.padStart(22)} ${'counted from the data'.padStart(22)} ${'difference'.padStart(22)}`,
    `  award  ${`${'claims'.padStart(9)}${currency.padStart(13)} `.repeat(3)}`.trimEnd(),
    ...lines.map((line) => row(count(line.award), line.paid, line.owed)),
    row('total', paid, owed),
  ]
}

function cells({ claims, amount }: Sum): string[] {
  return [count(claims).padStart(9), count(amount).padStart(13)]
}

function verdict({
  reconciliation: { differing, differences },
  claims,
  access,
  closed: { ledger, unexplained },
  moves,
}: Outcome): string[] {
  const stray = [
    ...(strayed(moves) === 0
      ? []
      : [`  ${count(strayed(moves))} CLAIMS OF WORKERS THAT WERE THERE MOVED when another was lost.`]),
    ...(unexplained.length === 0
      ? []
      : [`  LEDGER AND BOOKS DIFFERED on claims that nobody had called uncertain:`]),
    ...listed(unexplained, 'not uncertain'),
    ...(access.wrong === 0 ? [] : [`  ${count(access.wrong)} DECISIONS ARE NOT AS THE ROSTER HAS THEM:`]),
    ...access.first.map((text) => `    ${text}`),
    ...(access.wrong > access.first.length
      ? [`    and ${count(access.wrong - access.first.length)} more`]
      : []),
  ]
  if (differing === 0) {
    return [
      ...stray,
      `  Both totals agree. ${count(claims)} claims decided, ${count(ledger.length)} paid, each once; differences: none.`,
    ]
  }
  return [
    ...stray,
    `  THE TOTALS DO NOT AGREE: ${count(differing)} of ${count(claims)} claims differ.`,
    ...differences.map((text) => `    ${text}`),
    ...(differing > differences.length ? [`    and ${count(differing - differences.length)} more`] : []),
  ]
}

function configuration({ configured: { configs, overrides, digest } }: Outcome): string[] {
  const changed = overrides.length === 0 ? 'no overrides' : overrides.join(' ')
  return [`  config   ${configs.join(', ')}; ${changed}; digest ${digest.slice(0, 16)}`]
}

function maglev({ workers, tableSize, pool, shares: [least, most], claims, moves }: Outcome): string[] {
  return [
    `  maglev   ${count(claims)} claims on ${workers} workers, ${count(least)} to ${count(most)} each, ` +
      `by ${count(tableSize)} slots; table rebuilds: ${pool.rebuilds}`,
    ...moves.map(
      ({ lost, back, owned, moved, collateral, slots }) =>
        `           ${[...lost.map((id) => `${id} lost`), ...back.map((id) => `${id} back`)].join(', ')}: ` +
        `${count(moved)} of its ${count(owned)} claims have a new owner, ` +
        `of the others' ${count(claims - owned)} claims ${count(collateral)}; ` +
        `slots changed ${count(slots.changed)}, needed ${count(slots.ideal)}`,
    ),
  ]
}

function discovery({ pool, findings }: Outcome): string[] {
  return [
    `  pool     ${count(pool.probes)} probes, ${count(pool.probeFailures)} failed; ` +
      `ejections by outlier detection: ${pool.ejections}`,
    ...findings.map(
      (finding) => `           ${finding.worker} found missing by ${finding.by}${later(finding)}`,
    ),
  ]
}

/** How long after the desk had struck it. */
export function later({ afterMs }: Finding): string {
  return afterMs === undefined ? '' : ` ${Math.ceil(afterMs)} ms later`
}

function breakers({ breaker, calls: { records, bank } }: Outcome): string[] {
  const line = (name: string, { made, failed, opened, shortCircuited }: CallTally): string =>
    `${name}: ${count(made)} calls made, ${count(failed)} failed; circuits opened: ${count(opened)}, ` +
    `calls short-circuited: ${count(shortCircuited)}`
  return [
    `  breaker  ${line('records', records)}, fallbacks used: ${count(records.fallbacks)}`,
    `           ${line('bank', bank)}`,
    ...(breaker ? [] : ['           the circuits were disabled: desk.breaker=false']),
  ]
}

function payments({ closed: { ledger, bookings, uncertain }, deaths, payments: tally }: Outcome): string[] {
  const booked = bookings.filter(({ transfer }) => transfer !== null).length
  const before = uncertain.before === 0 ? '' : ` (${count(uncertain.paid)} of them paid by the bank)`
  return [
    `  payments ${count(ledger.length)} in the bank's ledger, ${count(booked)} in the desk's books; ` +
      `asked again: ${count(tally.replayed)} answered by the desk's records, ${count(tally.replayedByBank)} by the bank's`,
    `           uncertain: ${count(uncertain.before)} before reconcile${before}, ${count(uncertain.after)} after; deaths of the bank: ${deaths}`,
  ]
}

function decisions({ access: { asked, denied, deniedTo, p50, p99, explained } }: Outcome): string[] {
  const refused = Object.entries(deniedTo).map(([action, times]) => `${count(times)} to ${action}`)
  return [
    `  access   ${count(asked)} checks of who may, p50 ${micros(p50)}, p99 ${micros(p99)}; ` +
      `denied: ${count(denied)} (${refused.join(', ')}), and another was asked`,
    ...(explained === undefined ? [] : [`           ${explained}`]),
  ]
}

function micros(value: number): string {
  return `${value < 10 ? value.toFixed(1) : count(Math.round(value))} µs`
}

/** Claims on which ledger and books differ, and what they are called: the first of them. */
export function listed(disagreements: readonly Disagreement[], name: string): string[] {
  const more = disagreements.length - LISTED
  return [
    ...disagreements.slice(0, LISTED).map(({ text }) => `    ${name}: ${text}`),
    ...(more > 0 ? [`    and ${count(more)} more`] : []),
  ]
}

function mebibytes(bytes: number): string {
  return `${count(Math.ceil(bytes / 2 ** 20))} MiB`
}
