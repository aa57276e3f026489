/** Where a worker stops, so that it can be killed there: after taking a batch, or after paying and before reporting it. */
export type HaltPoint = 'taken' | 'paid'

/** Desk to worker, once, first. */
export interface Start {
  readonly kind: 'start'
  readonly worker: string
  /** Base address of the bank. */
  readonly bank: string
  /** Degrees, by the airport's place. */
  readonly latitudes: Float64Array
  readonly longitudes: Float64Array
}

/** Desk to worker: claims to decide and pay, as columns. */
export interface Batch {
  readonly kind: 'batch'
  /** Counts from 0 for each worker. */
  readonly number: number
  readonly claims: Uint32Array
  readonly delays: Int32Array
  readonly origins: Uint16Array
  readonly destinations: Uint16Array
  readonly halt?: HaltPoint
}

/** Worker to desk: it has started. */
export interface Ready {
  readonly kind: 'ready'
}

/** Worker to desk: the batch is decided, and what it earns is paid. */
export interface Report {
  readonly kind: 'report'
  readonly number: number
  /** Euros, in the order of the batch's claims. */
  readonly awards: Uint16Array
}

/** Worker to desk: it stands at the point where the batch told it to halt. */
export interface Halted {
  readonly kind: 'halted'
}

/** Worker to desk: it cannot go on. */
export interface Failed {
  readonly kind: 'failed'
  readonly reason: string
}

export function isFromDesk(message: unknown): message is Start | Batch {
  const kind = kindOf(message)
  return kind === 'start' || kind === 'batch'
}

export function isFromWorker(message: unknown): message is Ready | Report | Halted | Failed {
  const kind = kindOf(message)
  return kind === 'ready' || kind === 'report' || kind === 'halted' || kind === 'failed'
}

function kindOf(message: unknown): unknown {
  return typeof message === 'object' && message !== null ? Reflect.get(message, 'kind') : undefined
}
