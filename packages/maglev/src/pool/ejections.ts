import { durationMax } from '../duration.ts'
import { MaglevError, shown } from '../errors.ts'
import type { Clock, Random } from '../ports.ts'
import type { CallResult } from './lease.ts'
import { type Ejection, OutlierDetector, type OutlierOptions, type OutlierResult } from './outlier.ts'

/** Runs an outlier detector on a clock. */
export class Ejections {
  readonly #detector: OutlierDetector
  readonly #clock: Clock
  readonly #ejected: (ejection: Ejection) => void
  readonly #returned: (id: string) => void
  #ticker: unknown
  #timer: unknown

  constructor(
    options: OutlierOptions | true,
    ports: { readonly clock: Clock; readonly random: Random },
    listeners: { readonly ejected: (ejection: Ejection) => void; readonly returned: (id: string) => void },
  ) {
    this.#detector = new OutlierDetector(options, () => ports.random.next())
    this.#clock = ports.clock
    this.#ejected = listeners.ejected
    this.#returned = listeners.returned
    this.#tickLater()
  }

  add(id: string): void {
    this.#detector.add(id)
  }

  remove(id: string): void {
    this.#detector.remove(id)
  }

  report(id: string, result: CallResult): void {
    const ejection = this.#detector.report(id, outlierResult(result), this.#clock.monotonic())
    if (ejection === undefined) return
    this.#returnLater()
    this.#ejected(ejection)
  }

  passedActiveCheck(id: string): void {
    if (this.#detector.passedActiveCheck(id, this.#clock.monotonic())) this.#returned(id)
  }

  close(): void {
    this.#clock.clearTimeout(this.#ticker)
    this.#clock.clearTimeout(this.#timer)
  }

  #tickLater(): void {
    this.#ticker = this.#clock.setTimeout(() => {
      this.#tickLater()
      const { ejected, returned } = this.#detector.tick(this.#clock.monotonic())
      this.#returnLater()
      for (const id of returned) this.#returned(id)
      for (const ejection of ejected) this.#ejected(ejection)
    }, this.#detector.interval)
  }

  /** Ends ejections on time rather than with the next tick. */
  #returnLater(): void {
    this.#clock.clearTimeout(this.#timer)
    const due = this.#detector.nextDue
    if (due === undefined) return
    const wait = Math.min(Math.max(Math.ceil(due - this.#clock.monotonic()), 1), durationMax)
    this.#timer = this.#clock.setTimeout(() => {
      const returned = this.#detector.due(this.#clock.monotonic())
      this.#returnLater()
      for (const id of returned) this.#returned(id)
    }, wait)
  }
}

function outlierResult(result: CallResult): OutlierResult {
  if (typeof result === 'number') return result
  if (result === 'ok') return 'success'
  if (result === 'gateway-failure') return 'gateway-failure'
  if (result === 'failure') return '5xx'
  // Errors of another realm are no instances of Error.
  if (typeof result === 'object' && result !== null && 'message' in result) return 'local-origin-failure'
  throw new MaglevError(
    'INVALID_OPTION',
    `result must be 'ok', 'failure', 'gateway-failure', an error or an HTTP status, not ${shown(result)}`,
  )
}
