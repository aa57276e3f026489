import { deserialize, serialize } from 'node:v8'
import type { BooksPlace } from './books.ts'
import type { BankNature } from './configuration.ts'
import { type Decisions, isDecisions } from './decisions.ts'
import type { Policy } from './policy.ts'
import type { Roster } from './roster.ts'
import type { Fortune } from './weather.ts'

/**
 * Where a worker stops to be struck: having taken a batch, having booked its payments and not asked the bank for them, having the
 * bank's answers and not booked them, or having paid it and not reported it.
 */
export type HaltPoint = (typeof haltPoints)[number]
const haltPoints = ['taken', 'booked', 'called', 'paid'] as const

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
  readonly roster: Roster
  readonly books: BooksPlace
  /** Milliseconds for which the bank promises to know an idempotency key. */
  readonly retention: number
  /** Degrees, by the airport's place. */
  readonly latitudes: Float64Array
  readonly longitudes: Float64Array
}

/** Desk to the bank over the channel, once, first. */
export interface BankStart {
  readonly kind: 'bank'
  /** Where its ledger is. */
  readonly folder: string
  /** The desk's books, to be taken away with the folder once the desk has ended; null: all is left. */
  readonly takesAway: BooksPlace | null
  readonly nature: BankNature
  readonly seed: number
  /** How often it has died. */
  readonly life: number
  /** 0 for any. */
  readonly port: number
  /** The day is over. */
  readonly closed: boolean
}

/** Desk to the bank over the channel: the day is over, its books can be searched. */
export interface Closing {
  readonly kind: 'closing'
}

/** Desk to the airline's records service over the channel, once, first. */
export interface RecordsStart {
  readonly kind: 'records'
  /** How it is to fare; null for well. */
  readonly fortune: Fortune | null
  readonly seed: number
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

/** Worker to desk over the channel: all that it held when it was told to go on is done; nobody waits for its reports. */
export interface CaughtUp {
  readonly kind: 'caught-up'
  readonly payments: PaymentTally
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
  /** Claims of the batch of which nobody knows whether the bank has paid them. */
  readonly uncertain: readonly number[]
  /** Of this worker's calls to each service, from its start. */
  readonly calls: CallTallies
  readonly payments: PaymentTally
  /** Who was let do what with the claims of the batch. */
  readonly decisions: Decisions
}

/** What became of the payments that a worker was to make. */
export interface PaymentTally {
  /** Payments that it asked for and the desk's records answered: another worker had made them. */
  readonly replayed: number
  /** Transfers that the bank answered from its records: an earlier call had made them, and its answer was lost. */
  readonly replayedByBank: number
}

export const noPayments: PaymentTally = { replayed: 0, replayedByBank: 0 }

export function sumOfPayments(tallies: readonly PaymentTally[]): PaymentTally {
  const sum = (field: keyof PaymentTally): number => tallies.reduce((total, tally) => total + tally[field], 0)
  return {
    replayed: sum('replayed'),
    replayedByBank: sum('replayedByBank'),
  }
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
    const { awards, uncertain, calls, payments, decisions } = report
    if (
      awards instanceof Uint16Array &&
      isNumbers(uncertain) &&
      isTallies(calls) &&
      isTally(payments, noPayments) &&
      isObject(decisions) &&
      isDecisions(decisions)
    )
      return { awards, uncertain, calls, payments, decisions }
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
  return isObject(message) && message['kind'] === 'bank' && isObject(message['nature'])
}

export function isClosing(message: unknown): message is Closing {
  return isObject(message) && message['kind'] === 'closing'
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
  const { kind, port, payments } = message
  if (kind === 'ready') return typeof port === 'number'
  return kind === 'halted' || (kind === 'caught-up' && isTally(payments, noPayments))
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
    (halt === undefined || haltPoints.some((point) => point === halt))
  )
}

function isTallies(value: unknown): value is CallTallies {
  return isObject(value) && isTally(value['records'], noCalls) && isTally(value['bank'], noCalls)
}

function isTally<Tally extends object>(value: unknown, none: Tally): value is Tally {
  return isObject(value) && Object.keys(none).every((field) => typeof value[field] === 'number')
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'number')
}

function isObject(value: unknown): value is Partial<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
