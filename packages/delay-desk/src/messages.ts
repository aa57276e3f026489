import { deserialize, serialize } from 'node:v8'
import type { Policy } from './policy.ts'
import type { Fortune } from './weather.ts'

/** Where a worker stops to be struck: after taking a batch, or after paying and before reporting it. */
export type HaltPoint = 'taken' | 'paid'

/** Desk to worker over the channel, once, first. */
export interface Start {
  readonly kind: 'start'
  readonly worker: string
  /** Base addresses. */
  readonly bank: string
  readonly records: string
  /** False: circuits stay closed whatever happens. */
  readonly breaker: boolean
  readonly policy: Policy
  /** Degrees, by the airport's place. */
  readonly latitudes: Float64Array
  readonly longitudes: Float64Array
}

/** How a service is to fare; null for well. */
interface ServiceStart {
  readonly fortune: Fortune | null
  readonly seed: number
}

/** Desk to the bank over the channel, once, first. */
export interface BankStart extends ServiceStart {
  readonly kind: 'bank'
  /** Where its ledger is: in a folder that goes with the bank (null: in memory), or on the PostgreSQL server of a URL. */
  readonly ledger: { readonly folder: string | null } | { readonly server: string }
}

/** Desk to the airline's records service over the channel, once, first. */
export interface RecordsStart extends ServiceStart {
  readonly kind: 'records'
  /** Minutes, by claim. */
  readonly delays: Int32Array
}

/** Desk to worker over the channel: go on where you halted. */
export interface Resume {
  readonly kind: 'resume'
}

/** Worker to desk over the channel: it can be called. */
export interface Ready {
  readonly kind: 'ready'
  /** Where it listens on 127.0.0.1. */
  readonly port: number
}

/** Worker to desk over the channel: it stands at the point where the batch told it to halt. */
export interface Halted {
  readonly kind: 'halted'
}

/** Worker to desk over the channel: all that it held when it was told to go on is done. */
export interface CaughtUp {
  readonly kind: 'caught-up'
}

/** Desk to worker over HTTP: claims to decide and pay, as columns. */
export interface Batch {
  readonly claims: Uint32Array
  readonly delays: Int32Array
  readonly origins: Uint16Array
  readonly destinations: Uint16Array
  readonly halt?: HaltPoint
}

/** Worker to desk, the answer to a batch: it is decided, and what it earns is paid. */
export interface Report {
  /** Euros, in the order of the batch's claims. */
  readonly awards: Uint16Array
  /** Of this worker's calls to each service, from its start. */
  readonly calls: CallTallies
}

/** What the calls to a service came to. */
export interface CallTally {
  /** Sent to the service. */
  readonly made: number
  /** Of these, refused, cut off, or without an answer in time. */
  readonly failed: number
  /** Times that a circuit opened. */
  readonly opened: number
  /** Not sent, the circuit being open. */
  readonly shortCircuited: number
  /** Answered without the service. */
  readonly fallbacks: number
}

export interface CallTallies {
  readonly records: CallTally
  readonly bank: CallTally
}

export const noCalls: CallTally = { made: 0, failed: 0, opened: 0, shortCircuited: 0, fallbacks: 0 }

export function sumOfCalls(tallies: readonly CallTally[]): CallTally {
  const sum = (field: keyof CallTally): number => tallies.reduce((total, tally) => total + tally[field], 0)
  return {
    made: sum('made'),
    failed: sum('failed'),
    opened: sum('opened'),
    shortCircuited: sum('shortCircuited'),
    fallbacks: sum('fallbacks'),
  }
}

/** A batch or a report as the body of a call. */
export function encode(message: Batch | Report): Buffer {
  return serialize(message)
}

/** @throws where the body is none that `encode` made */
export function decodeBatch(body: Uint8Array): Batch {
  const batch: unknown = deserialize(body)
  if (isBatch(batch)) return batch
  throw new TypeError('expected a batch')
}

/** @throws where the body is none that `encode` made */
export function decodeReport(body: Uint8Array): Report {
  const report: unknown = deserialize(body)
  if (isObject(report)) {
    const { awards, calls } = report
    if (awards instanceof Uint16Array && isTallies(calls)) return { awards, calls }
  }
  throw new TypeError('expected a report')
}

/** A service to the desk over the channel: where it can be called. */
interface Open {
  readonly url: string
}

/** A service to the desk over the channel: what it cannot open, and why. */
interface Failed {
  readonly kind: 'failed'
  readonly why: string
}

export function isOpen(message: unknown): message is Open {
  return isObject(message) && typeof message['url'] === 'string'
}

export function isFailed(message: unknown): message is Failed {
  return isObject(message) && message['kind'] === 'failed' && typeof message['why'] === 'string'
}

export function isBankStart(message: unknown): message is BankStart {
  return isObject(message) && message['kind'] === 'bank' && isObject(message['ledger'])
}

export function isRecordsStart(message: unknown): message is RecordsStart {
  return isObject(message) && message['kind'] === 'records' && message['delays'] instanceof Int32Array
}

export function isFromDesk(message: unknown): message is Start | Resume {
  const kind = isObject(message) ? message['kind'] : undefined
  return kind === 'start' || kind === 'resume'
}

export function isFromWorker(message: unknown): message is Ready | Halted | CaughtUp {
  if (!isObject(message)) return false
  const { kind, port } = message
  return kind === 'ready' ? typeof port === 'number' : kind === 'halted' || kind === 'caught-up'
}

function isBatch(message: unknown): message is Batch {
  if (!isObject(message)) return false
  const { claims, delays, origins, destinations, halt } = message
  return (
    claims instanceof Uint32Array &&
    delays instanceof Int32Array &&
    origins instanceof Uint16Array &&
    destinations instanceof Uint16Array &&
    [delays, origins, destinations].every(({ length }) => length === claims.length) &&
    (halt === undefined || halt === 'taken' || halt === 'paid')
  )
}

function isTallies(value: unknown): value is CallTallies {
  return isObject(value) && isTally(value['records']) && isTally(value['bank'])
}

function isTally(value: unknown): value is CallTally {
  return isObject(value) && Object.keys(noCalls).every((field) => typeof value[field] === 'number')
}

function isObject(value: unknown): value is Partial<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
