import { ResilienceError, shown } from './errors.ts'
import type { State } from './settings.ts'

/** A circuit at rest: plain data for JSON. Times are spans, so that it holds on any machine. */
export interface CircuitSnapshot {
  readonly version: 1
  readonly state: Exclude<State, 'half-open'>
  readonly generation: number
  /** How often in a row it has opened. */
  readonly attempt: number
  /** Milliseconds that it stays open yet. */
  readonly waitLeft: number
  readonly failuresInARow: number
  /** As the window of the same options reads it. */
  readonly window: readonly number[]
}

const states: readonly CircuitSnapshot['state'][] = [
  'closed',
  'open',
  'forced-open',
  'forced-closed',
  'metrics-only',
  'disabled',
]

/** @throws ResilienceError `INVALID_SNAPSHOT` naming the field. */
export function readSnapshot(snapshot: unknown): CircuitSnapshot {
  const field = fieldsOf(snapshot)
  if (field('version') !== 1) refuse('version', '1', field('version'))
  const state = states.find((each) => each === field('state'))
  if (state === undefined) refuse('state', `one of ${states.join(', ')}`, field('state'))
  const waitLeft = field('waitLeft')
  if (typeof waitLeft !== 'number' || !Number.isFinite(waitLeft) || waitLeft < 0)
    refuse('waitLeft', 'milliseconds, 0 or more', waitLeft)
  const window = field('window')
  if (!Array.isArray(window) || !window.every(isCount)) refuse('window', 'a list of whole numbers', window)
  const count = (name: string): number => {
    const value = field(name)
    return isCount(value) ? value : refuse(name, 'a whole number, 0 or more', value)
  }
  return {
    version: 1,
    state,
    generation: count('generation'),
    attempt: count('attempt'),
    waitLeft,
    failuresInARow: count('failuresInARow'),
    window,
  }
}

/** Wall-clock milliseconds; undefined where it does not say. @throws ResilienceError `INVALID_SNAPSHOT` */
export function readTakenAt(snapshot: unknown): number | undefined {
  const takenAt = fieldsOf(snapshot)('takenAt')
  if (takenAt === undefined || (typeof takenAt === 'number' && Number.isFinite(takenAt))) return takenAt
  return refuse('takenAt', 'milliseconds since 1970', takenAt)
}

function fieldsOf(snapshot: unknown): (name: string) => unknown {
  if (snapshot === null || typeof snapshot !== 'object') refuse('', 'an object', snapshot)
  return (name) => (Object.hasOwn(snapshot, name) ? Reflect.get(snapshot, name) : undefined)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 32
}

function refuse(name: string, expected: string, value: unknown): never {
  throw new ResilienceError(
    'INVALID_SNAPSHOT',
    `${name === '' ? 'The snapshot' : `The snapshot's ${name}`} must be ${expected}, not ${shown(value)}`,
  )
}
