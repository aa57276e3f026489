import { type Command, type Field, field, type Operations } from '@loadbearing/harness/conformance'
import { envoyWalk } from '../../src/pool/bounded-load.ts'
import { Mt19937 } from '../../src/pool/mt19937.ts'
import { type Ejection, OutlierDetector, type OutlierResult } from '../../src/pool/outlier.ts'
import { checkOutlierOptions } from '../../src/pool/outlier-options.ts'
import { priorityLoad } from '../../src/pool/priority.ts'
import { checkSlowStart, slowStartFactor } from '../../src/pool/slow-start.ts'

/** The operations of the port that show the rules of pools. */
export const poolOperations: Operations = { priorities, slowStart, walk, outlier }

const backendsMax = 2 ** 32 - 1
const hostsMax = 1_000_000
const ticksMax = 1_000_000
const timeMax = 1e15

function priorities(command: Command): object {
  const levels = field(command, 'levels').list(readLevel, { min: 1, max: 128 })
  const threshold = field(command, 'panicThreshold').optional((value) => fraction(readNumber(value)))
  const factor = field(command, 'overProvisioning').optional((value) => factorOf(readNumber(value)))
  const rounding = field(command, 'rounding').optional((value) => value.oneOf(['nearest', 'down']))
  const { healthy, degraded, panic } = priorityLoad(levels, {
    ...(threshold !== undefined && { panicThreshold: threshold }),
    ...(factor !== undefined && { overProvisioning: factor }),
    ...(rounding !== undefined && { rounding }),
  })
  const load = healthy.map((percent, index) => percent + (degraded[index] ?? 0))
  return levels.some((level) => level.degraded > 0) ? { load, panic, degraded } : { load, panic }
}

function readLevel(level: Field): { total: number; healthy: number; degraded: number } {
  const total = level.field('total').integer({ min: 0, max: backendsMax })
  const healthy = level.field('healthy').integer({ min: 0, max: total })
  const degraded = level
    .field('degraded')
    .optional((count) => count.integer({ min: 0, max: total - healthy }))
  return { total, healthy, degraded: degraded ?? 0 }
}

/** Numbers go to the package as they stand, what is none as NaN: judging them is its part, and so are the codes. */
function readNumber({ value }: Field): number {
  return typeof value === 'number' ? value : Number.NaN
}

/** A fraction of 0 to 1 as it is; what is above 1 is a percentage. */
function fraction(value: number): number {
  return value > 1 ? value / 100 : value
}

/** A factor as it is; 100 and more is a percentage, as in Envoy. */
function factorOf(value: number): number {
  return value >= 100 ? value / 100 : value
}

function slowStart(command: Command): object {
  const aggression = field(command, 'aggression').optional(readNumber)
  const minWeight = field(command, 'minWeight').optional((value) => fraction(readNumber(value)))
  const ramp = checkSlowStart({
    window: readDuration(field(command, 'window')),
    ...(aggression !== undefined && { aggression }),
    ...(minWeight !== undefined && { minWeight }),
  })
  return { factor: field(command, 'at').list((at) => slowStartFactor(ramp, at.number({ min: 0 }))) }
}

function readDuration(duration: Field): number | string {
  return typeof duration.value === 'string' ? duration.value : readNumber(duration)
}

function walk(command: Command): object {
  const seed = Number(BigInt.asUintN(32, field(command, 'seed').uint64()))
  const hosts = field(command, 'hosts')
  const count = Array.isArray(hosts.value) ? hosts.value.length : hosts.integer({ min: 0, max: hostsMax })
  return { order: envoyWalk(seed, count) }
}

interface CallEvent {
  readonly at: number
  readonly backend: string
  readonly result: OutlierResult
}

function outlier(command: Command): object {
  const given = field(command, 'options').optional((options) => options.record(readOption)) ?? {}
  const settings = checkOutlierOptions(
    Object.fromEntries(Object.entries(given).map(([name, value]) => [camelCase(name), value])),
  )
  const random = new Mt19937(field(command, 'randomSeed').optional((seed) => seed.integer({ min: 0 })) ?? 0)
  const detector = new OutlierDetector(settings, () => random.next() / 2 ** 32)
  const listed = field(command, 'backends').optional((backends) => backends.list(readId)) ?? []
  const events = field(command, 'events').list(readEvent)
  for (const id of [...listed, ...events.map(({ backend }) => backend)]) detector.add(id)
  const end = field(command, 'end').optional((at) => at.number({ min: 0, max: timeMax }))
  return play(
    detector,
    events.toSorted((a, b) => a.at - b.at),
    end,
  )
}

/** Runs a detector through virtual time; without an `end` it stops with the tick after the last event. */
function play(detector: OutlierDetector, events: readonly CallEvent[], end: number | undefined): object {
  const { interval } = detector
  const ejections: Ejection[] = []
  // Before the first event there is nothing for a tick to do.
  let nextTick = (Math.floor((events[0]?.at ?? 0) / interval) + 1) * interval
  let ticks = 0
  const advance = (to: number): void => {
    for (;;) {
      const next = Math.min(nextTick, detector.nextDue ?? nextTick)
      if (next > to) return
      if (next < nextTick) detector.due(next)
      else {
        if (++ticks > ticksMax) throw tooLong()
        ejections.push(...detector.tick(next).ejected)
        nextTick += interval
      }
    }
  }
  for (const { at, backend, result } of events) {
    advance(at)
    const ejection = detector.report(backend, result, at)
    if (ejection !== undefined) ejections.push(ejection)
  }
  advance(end ?? nextTick)
  return ejections.map(({ at, id, until }) => ({ at, backend: id, until }))
}

function tooLong(): Error {
  return Object.assign(new Error(`The events span more than ${ticksMax} intervals`), { code: 'BAD_COMMAND' })
}

function readOption(option: Field): number | boolean | string {
  const { value } = option
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string') return value
  return option.refuse('a number, a duration, true or false')
}

/** `consecutive_5xx` is `consecutive5xx`, as in the JSON form of Envoy's messages. */
function camelCase(name: string): string {
  return name.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

function readId(backend: Field): string {
  return typeof backend.value === 'string' ? backend.value : backend.field('id').string()
}

/** The words of `Lease.report` stand for their likes. */
const results: Readonly<Record<string, OutlierResult>> = {
  success: 'success',
  ok: 'success',
  '5xx': '5xx',
  failure: '5xx',
  error: '5xx',
  'gateway-failure': 'gateway-failure',
  'local-origin-failure': 'local-origin-failure',
}

function readEvent(event: Field): CallEvent {
  const result = event.field('result')
  return {
    at: event.field('at').number({ min: 0, max: timeMax }),
    backend: event.field('backend').string(),
    result: typeof result.value === 'number' ? result.value : readResult(result),
  }
}

function readResult(result: Field): OutlierResult {
  const name = result.string().replaceAll('_', '-')
  const found = Object.hasOwn(results, name) ? results[name] : undefined
  return found ?? result.refuse(`an HTTP status or one of ${Object.keys(results).join(', ')}`)
}
