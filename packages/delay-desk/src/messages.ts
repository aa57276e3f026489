import { deserialize, serialize } from 'node:v8'

/** Where a worker stops to be struck: after taking a batch, or after paying and before reporting it. */
export type HaltPoint = 'taken' | 'paid'

/** Desk to worker over the channel, once, first. */
export interface Start {
  readonly kind: 'start'
  readonly worker: string
  /** Base address of the bank. */
  readonly bank: string
  /** Degrees, by the airport's place. */
  readonly latitudes: Float64Array
  readonly longitudes: Float64Array
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
  if (isObject(report) && report['awards'] instanceof Uint16Array) return { awards: report['awards'] }
  throw new TypeError('expected a report')
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

function isObject(value: unknown): value is Partial<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
