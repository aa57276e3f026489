import { MaglevError, shown } from '../errors.ts'
import { checkOutlierOptions, type OutlierOptions, type OutlierSettings } from './outlier-options.ts'
import { IntervalVolume, successRateThreshold } from './success-rate.ts'

export type { OutlierOptions } from './outlier-options.ts'

/**
 * How a call went: a number is the status of an HTTP answer; `5xx` a failure that the backend answered with or at, a
 * `gateway-failure` one like 502, 503 and 504, a `local-origin-failure` a connection that failed or timed out.
 */
export type OutlierResult = 'success' | '5xx' | 'gateway-failure' | 'local-origin-failure' | number

export type EjectionReason =
  | 'consecutive-5xx'
  | 'consecutive-gateway-failure'
  | 'consecutive-local-origin-failure'
  | 'success-rate'
  | 'local-origin-success-rate'
  | 'failure-percentage'
  | 'local-origin-failure-percentage'

/** A backend taken out for a while; times in milliseconds of the clock that the detector is given. */
export interface Ejection {
  readonly id: string
  readonly at: number
  readonly until: number
  readonly reason: EjectionReason
  /** How many times it has been ejected, this one included. */
  readonly times: number
}

/** What a look at the rates came to. */
export interface Tick {
  readonly ejected: readonly Ejection[]
  /** Backends whose ejection has ended. */
  readonly returned: readonly string[]
}

/** Counters by rule: Envoy counts answers and, when they are split from them, connections. */
interface Member {
  readonly id: string
  readonly run: Record<ConsecutiveRule, number>
  readonly answers: IntervalVolume
  readonly connections: IntervalVolume
  ejection: Ejection | undefined
  times: number
  /** What `baseEjectionTime` is multiplied by: rises with each ejection, falls with each quiet interval. */
  backoff: number
  returnedAt: number | undefined
}

type ConsecutiveRule = 'consecutive-5xx' | 'consecutive-gateway-failure' | 'consecutive-local-origin-failure'

/**
 * Finds the backends whose calls fail more than those of the others. Pure but for its counters: time is an argument, in
 * milliseconds of a clock that never goes back.
 *
 * A run of failures ejects at once; success rates and failure percentages are looked at by `tick`, once an interval. Source:
 * envoyproxy/envoy, outlier_detection_impl.cc and outlier.rst; other than there, an ejection ends when its time is over and not
 * with the next interval.
 */
export class OutlierDetector {
  readonly #settings: OutlierSettings
  readonly #random: () => number
  readonly #members: Map<string, Member> = new Map()
  readonly #ejected: Set<Member> = new Set()

  /**
   * `random` gives numbers of [0, 1).
   *
   * @throws MaglevError `INVALID_OPTION`
   */
  constructor(options: OutlierOptions | true, random: () => number) {
    this.#settings = checkOutlierOptions(options === true ? {} : options)
    this.#random = random
  }

  /** Milliseconds between two calls of `tick`. */
  get interval(): number {
    return this.#settings.interval
  }

  /** When the next ejection ends; undefined while nobody is ejected. */
  get nextDue(): number | undefined {
    let next: number | undefined
    for (const { ejection } of this.#ejected) {
      if (ejection !== undefined && (next === undefined || ejection.until < next)) next = ejection.until
    }
    return next
  }

  /** Watches a backend from now on; nothing changes for one that is watched. */
  add(id: string): void {
    if (this.#members.has(id)) return
    this.#members.set(id, {
      id,
      run: { 'consecutive-5xx': 0, 'consecutive-gateway-failure': 0, 'consecutive-local-origin-failure': 0 },
      answers: new IntervalVolume(),
      connections: new IntervalVolume(),
      ejection: undefined,
      times: 0,
      backoff: 0,
      returnedAt: undefined,
    })
  }

  /** Forgets a backend and its ejection. */
  remove(id: string): void {
    const member = this.#members.get(id)
    if (member === undefined) return
    this.#members.delete(id)
    this.#ejected.delete(member)
  }

  ejected(id: string): Ejection | undefined {
    return this.#members.get(id)?.ejection
  }

  /**
   * Counts a call, and ejects the backend where that completes a run of failures. Calls to a backend that is ejected, or that
   * is not watched, eject nobody.
   *
   * @throws MaglevError `INVALID_OPTION` for a result that there is not.
   */
  report(id: string, result: OutlierResult, now: number): Ejection | undefined {
    const { status, connected } = this.#read(result)
    const member = this.#members.get(id)
    if (member === undefined) return undefined
    const runs: ConsecutiveRule[] = []
    if (connected !== undefined) this.#countConnection(member, connected, runs)
    if (status !== undefined) this.#countAnswer(member, status, runs)
    let ejection: Ejection | undefined
    for (const rule of runs) {
      // A run that is complete while its backend is out stays so: it begins again when the backend returns.
      if (member.ejection !== undefined) break
      ejection = this.#eject(member, rule, now)
      member.run[rule] = 0
    }
    return ejection
  }

  /** Ends the ejections whose time is over. */
  due(now: number): string[] {
    const returned: string[] = []
    for (const member of this.#ejected) {
      if (member.ejection === undefined || member.ejection.until > now) continue
      this.#return(member, now)
      returned.push(member.id)
    }
    return returned
  }

  /** Closes an interval: ends what is due, then ejects by the rates of the calls since the last tick. */
  tick(now: number): Tick {
    const returned = this.due(now)
    for (const { answers, connections } of this.#members.values()) {
      answers.turn()
      connections.turn()
    }
    const ejected = [
      ...this.#judge((member) => member.answers, 'success-rate', 'failure-percentage', now),
      ...this.#judge(
        (member) => member.connections,
        'local-origin-success-rate',
        'local-origin-failure-percentage',
        now,
      ),
    ]
    for (const member of this.#members.values()) {
      const quiet = member.returnedAt !== undefined && now - member.returnedAt >= this.#settings.interval
      if (member.ejection === undefined && quiet && member.backoff > 0) member.backoff--
    }
    return { ejected, returned }
  }

  /** Ends the ejection of a backend that passed an active check, where the options say so. Whether it was ejected. */
  passedActiveCheck(id: string, now: number): boolean {
    const member = this.#members.get(id)
    if (member?.ejection === undefined || !this.#settings.successfulActiveHealthCheckUnejectHost) return false
    this.#return(member, now)
    return true
  }

  /** What a result says of the answer and of the connection; undefined where it says nothing. */
  #read(result: OutlierResult): { status: number | undefined; connected: boolean | undefined } {
    const status = statusOf(result)
    if (!this.#settings.splitExternalLocalOriginErrors) return { status, connected: undefined }
    if (result === 'local-origin-failure') return { status: undefined, connected: false }
    return { status, connected: true }
  }

  #countConnection(member: Member, connected: boolean, runs: ConsecutiveRule[]): void {
    member.connections.add(connected)
    const rule = 'consecutive-local-origin-failure'
    if (connected) member.run[rule] = 0
    else if (++member.run[rule] === this.#settings.consecutiveLocalOriginFailure) runs.push(rule)
  }

  #countAnswer({ answers, run }: Member, status: number, runs: ConsecutiveRule[]): void {
    const failed = status >= 500 && status < 600
    const gateway = status >= 502 && status <= 504
    const { consecutive5xx, consecutiveGatewayFailure } = this.#settings
    answers.add(!failed)
    if (!gateway) run['consecutive-gateway-failure'] = 0
    else if (++run['consecutive-gateway-failure'] === consecutiveGatewayFailure) {
      runs.push('consecutive-gateway-failure')
    }
    if (!failed) run['consecutive-5xx'] = 0
    else if (++run['consecutive-5xx'] === consecutive5xx) runs.push('consecutive-5xx')
  }

  #judge(
    volumeOf: (member: Member) => IntervalVolume,
    successRule: EjectionReason,
    failureRule: EjectionReason,
    now: number,
  ): Ejection[] {
    const settings = this.#settings
    const present = [...this.#members.values()].filter((member) => member.ejection === undefined)
    const withVolume = (volume: number): Member[] =>
      present.filter((member) => volumeOf(member).total >= Math.max(1, volume))
    const rated = withVolume(settings.successRateRequestVolume)
    const counted = withVolume(settings.failurePercentageRequestVolume)
    const found: Ejection[] = []
    const eject = (member: Member, rule: EjectionReason): void => {
      const ejection = member.ejection === undefined ? this.#eject(member, rule, now) : undefined
      if (ejection !== undefined) found.push(ejection)
    }
    if (rated.length > 0 && rated.length >= settings.successRateMinimumHosts) {
      const rates = rated.map((member) => volumeOf(member).successRate)
      const threshold = successRateThreshold(rates, settings.successRateStdevFactor / 1000)
      for (const member of rated) if (volumeOf(member).successRate < threshold) eject(member, successRule)
    }
    if (counted.length >= settings.failurePercentageMinimumHosts) {
      for (const member of counted) {
        const failures = 100 - volumeOf(member).successRate
        if (failures >= settings.failurePercentageThreshold) eject(member, failureRule)
      }
    }
    return found
  }

  /** Ejects unless too many are, or chance is against it. */
  #eject(member: Member, reason: EjectionReason, now: number): Ejection | undefined {
    const { maxEjectionPercent, alwaysEjectOneHost } = this.#settings
    const share = (100 * (this.#ejected.size + 1)) / this.#members.size
    const room = share <= maxEjectionPercent || (alwaysEjectOneHost && this.#ejected.size === 0)
    if (!room || !this.#enforced(reason)) return undefined
    const { baseEjectionTime, maxEjectionTime, maxEjectionTimeJitter } = this.#settings
    if (member.backoff * baseEjectionTime < maxEjectionTime + baseEjectionTime) member.backoff++
    const jitter = maxEjectionTimeJitter > 0 ? Math.floor(this.#random() * (maxEjectionTimeJitter + 1)) : 0
    const until = now + Math.min(baseEjectionTime * member.backoff, maxEjectionTime) + jitter
    member.times++
    member.ejection = { id: member.id, at: now, until, reason, times: member.times }
    this.#ejected.add(member)
    return member.ejection
  }

  #enforced(reason: EjectionReason): boolean {
    const percent = this.#settings[enforcing[reason]]
    return percent === 100 || (percent > 0 && Math.floor(this.#random() * 100) < percent)
  }

  #return(member: Member, now: number): void {
    member.ejection = undefined
    member.returnedAt = now
    for (const rule of consecutiveRules) member.run[rule] = 0
    this.#ejected.delete(member)
  }
}

const consecutiveRules = [
  'consecutive-5xx',
  'consecutive-gateway-failure',
  'consecutive-local-origin-failure',
] as const satisfies ConsecutiveRule[]

const enforcing = {
  'consecutive-5xx': 'enforcingConsecutive5xx',
  'consecutive-gateway-failure': 'enforcingConsecutiveGatewayFailure',
  'consecutive-local-origin-failure': 'enforcingConsecutiveLocalOriginFailure',
  'success-rate': 'enforcingSuccessRate',
  'local-origin-success-rate': 'enforcingLocalOriginSuccessRate',
  'failure-percentage': 'enforcingFailurePercentage',
  'local-origin-failure-percentage': 'enforcingFailurePercentageLocalOrigin',
} as const satisfies Record<EjectionReason, keyof OutlierSettings>

function statusOf(result: OutlierResult): number {
  if (result === 'success') return 200
  if (result === '5xx') return 500
  if (result === 'gateway-failure' || result === 'local-origin-failure') return 503
  if (Number.isInteger(result) && result >= 100 && result <= 999) return result
  throw new MaglevError(
    'INVALID_OPTION',
    `A result is success, 5xx, gateway-failure, local-origin-failure or an HTTP status, not ${shown(result)}`,
  )
}
