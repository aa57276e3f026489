import { stripVTControlCharacters, styleText } from 'node:util'
import { commandType, poolType, type StreamData } from '../adapters/stream-data.ts'
import { columnsOf, plain } from './arguments.ts'

interface Row {
  readonly name: string
  readonly state: string
  readonly errors: number
  readonly rate: number
  readonly cells: readonly (string | number)[]
}

const nameMax = 48

const heads = [
  'NAME',
  'STATE',
  'HOSTS',
  'REQ/S',
  'ERROR %',
  'SUCCESS',
  'FAILURE',
  'TIMEOUT',
  'REJECTED',
  'SHORT',
  'RUNNING',
  'QUEUED',
  'MEAN ms',
  'P50',
  'P90',
  'P99',
]

/** A table of the commands of a stream, what is in trouble first. Names cannot act on the terminal. */
export function topTable(frames: Iterable<StreamData>): string[] {
  const all = [...frames]
  const queued = new Map(
    all
      .filter(({ type }) => type === poolType)
      .map((pool) => [pool.name, numberOf(pool, 'currentQueueSize')]),
  )
  const rows = all
    .filter(({ type }) => type === commandType)
    .map((frame) => rowOf(frame, queued.get(frame.name)))
    .toSorted(bySeverity)
  return columnsOf([heads, ...rows.map(({ cells }) => cells)])
}

/** The same with colours, not wider than the terminal, and as many rows as it has room for. */
export function topScreen(
  title: string,
  frames: Iterable<StreamData>,
  { columns, rows }: { columns: number; rows: number },
): string[] {
  const [head = '', ...lines] = topTable(frames)
  const room = Math.max(1, rows - 5)
  const hidden = lines.length - room
  return [
    styleText('bold', cut(title, columns)),
    '',
    styleText('dim', cut(head, columns)),
    ...lines.slice(0, room).map((line) => colored(cut(line, columns))),
    ...(hidden > 0 ? [`… and ${hidden} more`] : []),
  ]
}

function colored(line: string): string {
  if (/ {2}(OPEN|FORCED OPEN) {2}/.test(line)) return styleText('red', line)
  if (/ {2}(\d+ OPEN|FORCED CLOSED) {2}/.test(line)) return styleText('yellow', line)
  if (/ {2}DISABLED {2}/.test(line)) return styleText('gray', line)
  return line
}

function cut(line: string, columns: number): string {
  const text = stripVTControlCharacters(line)
  return text.length > columns ? `${text.slice(0, Math.max(0, columns - 1))}…` : text
}

function rowOf(frame: StreamData, queued: number | undefined): Row {
  const hosts = Math.max(1, numberOf(frame, 'reportingHosts'))
  const window = numberOf(frame, 'propertyValue_metricsRollingStatisticalWindowInMilliseconds')
  const rate = window > 0 ? numberOf(frame, 'requestCount') / (window / 1000) : 0
  const errors = numberOf(frame, 'errorPercentage') / hosts
  const latency = frame['latencyExecute']
  const percentile = (percent: string): number =>
    Math.round((typeof latency === 'object' ? (latency[percent] ?? 0) : 0) / hosts)
  const state = stateOf(frame)
  const name = plain(frame.name)
  return {
    name: frame.name,
    state,
    errors,
    rate,
    cells: [
      name.length > nameMax ? `${name.slice(0, nameMax - 1)}…` : name,
      state,
      hosts,
      rate >= 100 ? Math.round(rate) : Number(rate.toFixed(1)),
      Math.round(errors),
      numberOf(frame, 'rollingCountSuccess'),
      numberOf(frame, 'rollingCountFailure'),
      numberOf(frame, 'rollingCountTimeout'),
      numberOf(frame, 'rollingCountThreadPoolRejected') + numberOf(frame, 'rollingCountSemaphoreRejected'),
      numberOf(frame, 'rollingCountShortCircuited'),
      numberOf(frame, 'currentConcurrentExecutionCount'),
      queued ?? '',
      Math.round(numberOf(frame, 'latencyExecute_mean') / hosts),
      percentile('50'),
      percentile('90'),
      percentile('99'),
    ],
  }
}

function stateOf(frame: StreamData): string {
  if (frame['propertyValue_circuitBreakerForceOpen'] === true) return 'FORCED OPEN'
  if (frame['propertyValue_circuitBreakerForceClosed'] === true) return 'FORCED CLOSED'
  if (frame['propertyValue_circuitBreakerEnabled'] === false) return 'DISABLED'
  const open = frame['isCircuitBreakerOpen']
  if (open === true) return 'OPEN'
  if (open === false) return 'CLOSED'
  const [, counted] = (typeof open === 'string' && /"?true"?:(\d+)/.exec(open)) || []
  return counted === undefined ? 'CLOSED' : `${counted} OPEN`
}

function bySeverity(a: Row, b: Row): number {
  const severity = (row: Row): number => (row.state.endsWith('OPEN') ? 1 : 0)
  return severity(b) - severity(a) || b.errors - a.errors || b.rate - a.rate || (a.name < b.name ? -1 : 1)
}

function numberOf(frame: StreamData, field: string): number {
  const value = frame[field]
  return typeof value === 'number' ? value : 0
}
