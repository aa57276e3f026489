/**
 * How a rate is held against its threshold: `float` as Java's single-precision numbers are, `percent` in whole percents,
 * the rest cut off.
 */
export type RateOperator = '>=' | '>' | 'float>=' | 'percent>='

export type WindowSettings =
  | { readonly type: 'time'; readonly size: number; readonly buckets: number }
  | { readonly type: 'count'; readonly size: number }

/** What a circuit goes by: every option read and checked, in milliseconds and as ratios. Presets give these. */
export interface CircuitSettings {
  /** undefined where only runs of failures open the circuit. */
  readonly window: WindowSettings | undefined
  /** Outcomes that a window must hold before a rate is looked at. */
  readonly volumeThreshold: number
  /** Failures by outcomes, of 0 to 1. */
  readonly errorThreshold: number
  readonly operator: RateOperator
  /** Calls that took longer than `over`; `rate` is their share, of 0 to 1, that opens. */
  readonly slow: { readonly over: number; readonly rate: number } | undefined
  /** Failures in a row that open. */
  readonly consecutive: number | undefined
  /** How long it stays open the `attempt`-th time in a row, counted from 1. */
  readonly openFor: (attempt: number) => number
  /** `after`: a call at the very end of the wait is still refused. */
  readonly wait: 'from' | 'after'
  /** Whether the wait's end half-opens without a call. */
  readonly autoHalfOpen: boolean
  /** Permits of one half-open state. */
  readonly probes: number
  /** Probes out at the same time. */
  readonly probeConcurrency: number
  /** Successes that close. Not looked at where `halfOpen` is `rate`. */
  readonly successThreshold: number
  /** Lease of a probe; Infinity for none. */
  readonly probeTimeout: number
  /**
   * `rate`: after min(volumeThreshold, probes) outcomes, by the same thresholds as when closed (resilience4j). `all`:
   * as `successes`, but it closes only when every probe is back (cockatiel).
   */
  readonly halfOpen: 'successes' | 'rate' | 'all'
  /** Longest half-open state, and what comes after it; Infinity for no limit. */
  readonly halfOpenMax: number
  readonly afterHalfOpenMax: 'open' | 'closed'
  readonly initial: State
  /** What `force-closed` is called: resilience4j has METRICS_ONLY. */
  readonly forcedClosed: 'forced-closed' | 'metrics-only'
  /** Whether a call that a full bulkhead refuses counts as failed (Hystrix). */
  readonly rejectionsCount: boolean
}

/**
 * `forced-open` refuses all; `forced-closed` and `metrics-only` admit all and count; `disabled` admits all and counts
 * nothing.
 */
export type State =
  | 'closed'
  | 'open'
  | 'half-open'
  | 'forced-open'
  | 'forced-closed'
  | 'metrics-only'
  | 'disabled'

/** States that only {@link Circuit.force} enters and only {@link Circuit.reset} or another force leaves. */
export type ForcedState = Exclude<State, 'closed' | 'open' | 'half-open'>
