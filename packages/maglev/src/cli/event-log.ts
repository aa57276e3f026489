import type { Pool } from '../pool/pool.ts'
import { realClock } from '../ports.ts'

/** One thing that happened. */
export interface LogEvent {
  readonly event: string
  readonly [field: string]: string | number | boolean
}

/** As a line of JSON, or as words: `2026-01-31T12:00:00.000Z state backend=10.0.0.1:80 from=healthy to=unhealthy`. */
export function formatEvent(form: 'plain' | 'json', { event, ...fields }: LogEvent): string {
  const time = new Date(realClock.now()).toISOString()
  if (form === 'json') return JSON.stringify({ time, event, ...fields })
  const words = Object.entries(fields).map(([name, value]) => `${name}=${plain(String(value))}`)
  return [time, event, ...words].join(' ')
}

/** A value with a space or a control character in it is quoted, so that no value can look like another line. */
function plain(value: string): string {
  return /^[!-~]+$/.test(value) && !value.includes('"') ? value : JSON.stringify(value)
}

/** Tells `log` of what happens to the pool; a rebuild with the part of the slots that moved. */
export function logPool(pool: Pool, log: (event: LogEvent) => void): void {
  pool.on('state', ({ id, from, to, reason }) => log({ event: 'state', backend: id, from, to, reason }))
  pool.on('ejected', ({ id, reason, ms, times }) => log({ event: 'ejected', backend: id, reason, ms, times }))
  pool.on('panic', ({ priority, panic }) => log({ event: 'panic', priority, panic }))
  pool.on('drained', ({ id }) => log({ event: 'drained', backend: id }))
  pool.on('rebuild', ({ priority, changed, tableSize, backends, available }) => {
    const moved = `${((100 * changed) / tableSize).toFixed(2)}%`
    log({ event: 'rebuild', priority, moved, available, backends })
  })
}
