import { MaglevError, shown } from '../errors.ts'
import { modulo, type Word64 } from '../hash/word64.ts'
import { inPanic, type PriorityLevel } from './panic.ts'

/** How whole percents are made of fractions; what is missing of 100 goes to the first level that can take it. */
type PercentRounding = 'nearest' | 'down'

export interface PriorityOptions {
  /**
   * Below this fraction of backends up, a level that its successors cannot relieve uses all of its backends. Default 0.5;
   * 0 turns panic off.
   */
  readonly panicThreshold?: number
  /** How much more than its share a backend can bear: 1.4, the default, lets a level do its work until 71.4 % are up. */
  readonly overProvisioning?: number
  /** Default `nearest`, as in the tables of Envoy's documentation; Envoy's code rounds `down`. */
  readonly rounding?: PercentRounding
}

/** What each priority level is to bear, most preferred first. */
export interface PriorityLoad {
  /** Percent of the keys for the healthy backends of each level, whole. With `degraded` they sum to 100. */
  readonly healthy: readonly number[]
  /** Percent for the degraded ones, given only what the healthy ones of all levels cannot take. */
  readonly degraded: readonly number[]
  /** Levels that use all of their backends, whatever their health. */
  readonly panic: readonly boolean[]
}

/** @throws MaglevError `INVALID_OPTION` */
export function checkPriorityOptions(options: PriorityOptions): Required<PriorityOptions> {
  const { panicThreshold = 0.5, overProvisioning = 1.4, rounding = 'nearest' } = options
  if (typeof panicThreshold !== 'number' || !(panicThreshold >= 0 && panicThreshold <= 1)) {
    throw new MaglevError(
      'INVALID_OPTION',
      `panicThreshold must be a fraction from 0 to 1, not ${shown(panicThreshold)}`,
    )
  }
  if (typeof overProvisioning !== 'number' || !(overProvisioning >= 1 && overProvisioning <= 1e6)) {
    throw new MaglevError(
      'INVALID_OPTION',
      `overProvisioning must be a number from 1 to 1000000, not ${shown(overProvisioning)}`,
    )
  }
  return { panicThreshold, overProvisioning, rounding }
}

/**
 * Spreads 100 percent over priority levels by how many of their backends are up.
 *
 * The health of a level is the percentage of its backends that is up, times `overProvisioning`, at most 100; a level gets its
 * health in percent as far as the levels before it leave it. Where all levels together come to less than 100, what they have is
 * scaled to 100, and a level with fewer up than `panicThreshold` panics. Where all of them panic, each gets its share of the
 * backends. With nobody up and panic turned off, level 0 gets everything, which comes to nobody. Source: envoyproxy/envoy,
 * priority.rst and panic_threshold.rst.
 *
 * @throws MaglevError `INVALID_OPTION`
 */
export function priorityLoad(levels: readonly PriorityLevel[], options: PriorityOptions = {}): PriorityLoad {
  const { panicThreshold, overProvisioning, rounding } = checkPriorityOptions(options)
  const threshold = Math.round(100 * panicThreshold)
  const factor = Math.round(100 * overProvisioning)
  const health = levels.map(({ total, healthy }) => availability(healthy, total, factor))
  const degradedHealth = levels.map(({ total, degraded = 0 }) => availability(degraded, total, factor))
  const available = Math.min(100, sum(health) + sum(degradedHealth))
  const panic = levels.map((level) => available < 100 && inPanic(level, threshold))
  const none = levels.map(() => 0)
  if (panic.every(Boolean)) return { healthy: byTotal(levels), degraded: none, panic }
  if (available === 0) return { healthy: withRest(none, 100, 0), degraded: none, panic }
  const share = (part: number): number => {
    const percent = (part * 100) / available
    return rounding === 'down' ? Math.floor(percent) : Math.round(percent)
  }
  const healthy = take(health.map(share), 100)
  const degraded = take(degradedHealth.map(share), 100 - sum(healthy))
  const rest = 100 - sum(healthy) - sum(degraded)
  const first = health.findIndex((part) => part > 0)
  if (first >= 0) return { healthy: withRest(healthy, rest, first), degraded, panic }
  const firstDegraded = degradedHealth.findIndex((part) => part > 0)
  return { healthy, degraded: withRest(degraded, rest, firstDegraded), panic }
}

/**
 * The level that a key belongs to: its hash modulo 100 among the percents, those of healthy backends first. Source:
 * envoyproxy/envoy, load_balancer_impl.cc.
 */
export function choosePriority(
  { healthy, degraded }: PriorityLoad,
  hash: Word64,
): { readonly priority: number; readonly availability: 'healthy' | 'degraded' } {
  let left = modulo(hash, 100)
  for (const [priority, percent] of healthy.entries()) {
    if (left < percent) return { priority, availability: 'healthy' }
    left -= percent
  }
  for (const [priority, percent] of degraded.entries()) {
    if (left < percent) return { priority, availability: 'degraded' }
    left -= percent
  }
  return { priority: 0, availability: 'healthy' }
}

/** Whole percents of a level's health; `factor` is in percent as well. */
function availability(up: number, total: number, factor: number): number {
  return total === 0 ? 0 : Math.min(100, Math.floor((factor * up) / total))
}

/** The parts in their order, cut where `left` runs out. */
function take(parts: readonly number[], left: number): number[] {
  let rest = left
  return parts.map((part) => {
    const taken = Math.min(rest, part)
    rest -= taken
    return taken
  })
}

/** Each level's share of the backends, what is lost in rounding to the first that has any. */
function byTotal(levels: readonly PriorityLevel[]): number[] {
  const total = sum(levels.map((level) => level.total))
  const loads = levels.map((level) => (total === 0 ? 0 : Math.floor((100 * level.total) / total)))
  const first = levels.findIndex((level) => level.total > 0)
  return withRest(loads, 100 - sum(loads), Math.max(first, 0))
}

function withRest(loads: readonly number[], rest: number, to: number): number[] {
  return loads.map((load, index) => (index === to ? load + rest : load))
}

function sum(parts: readonly number[]): number {
  return parts.reduce((total, part) => total + part, 0)
}
