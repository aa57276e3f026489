import type { ConfiguredBackend } from '../backend.ts'
import { MaglevError, shown } from '../errors.ts'
import { wantObject } from '../given.ts'
import type { Key } from '../key-hash.ts'
import type { Member } from './member.ts'

/** How a call went: a number is an HTTP status, an error that no answer came. */
export type CallResult = 'ok' | 'failure' | 'gateway-failure' | Error | number

export interface AcquireOptions {
  /** When aborted the lease is released. */
  readonly signal?: AbortSignal
  /** Ids that the call is not to go to, because it was there already. */
  readonly exclude?: ReadonlySet<string>
  /** With the option `tracking`: what the connection is known by. Default: the key. */
  readonly flow?: Key
  /** Number of the retry, 0 for the first try; see `Maglev.lookup`. */
  readonly attempt?: number
}

/** @throws MaglevError `INVALID_OPTION`; the reason of `signal` when it is aborted already. */
export function checkAcquireOptions(options: AcquireOptions): void {
  wantObject('options', options)
  const { signal, exclude } = options
  if (exclude !== undefined && !hasMethod(exclude, 'has')) {
    throw new MaglevError('INVALID_OPTION', `exclude must be a Set of ids, not ${shown(exclude)}`)
  }
  if (signal === undefined) return
  if (!hasMethod(signal, 'throwIfAborted')) {
    throw new MaglevError('INVALID_OPTION', `signal must be an AbortSignal, not ${shown(signal)}`)
  }
  signal.throwIfAborted()
}

/** A backend for one call or connection, until it is disposed of: `using lease = pool.acquire(key)`. */
export interface Lease<T = unknown> extends Disposable {
  readonly id: string
  /** `health` is the state that it had. */
  readonly backend: ConfiguredBackend<T>
  /**
   * Says how the call went, for outlier detection. The first report counts, later ones and those after disposal do not.
   *
   * @throws MaglevError `INVALID_OPTION` for what is none of the results
   */
  report(result: CallResult): void
}

/** Whom leases tell their end and their report, each at most once. */
export interface LeaseSink<T> {
  released(member: Member<T>): void
  reported(member: Member<T>, result: CallResult): void
}

export class PoolLease<T> implements Lease<T> {
  readonly backend: ConfiguredBackend<T>
  readonly #member: Member<T>
  readonly #signal: AbortSignal | undefined
  readonly #onAbort: (() => void) | undefined
  #sink: LeaseSink<T> | undefined
  #reported = false

  constructor(member: Member<T>, sink: LeaseSink<T>, signal: AbortSignal | undefined) {
    this.backend = member.backend
    this.#member = member
    this.#sink = sink
    this.#signal = signal
    if (signal === undefined) return
    this.#onAbort = () => this[Symbol.dispose]()
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get id(): string {
    return this.backend.id
  }

  report(result: CallResult): void {
    if (this.#reported || this.#sink === undefined) return
    this.#reported = true
    this.#sink.reported(this.#member, result)
  }

  [Symbol.dispose](): void {
    const sink = this.#sink
    if (sink === undefined) return
    this.#sink = undefined
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort)
    sink.released(this.#member)
  }
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && name in value
}
