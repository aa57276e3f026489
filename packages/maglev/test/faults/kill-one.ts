import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '@loadbearing/harness/faults'
import { httpClient, tcpClient } from './clients.ts'
import type { Stand } from './stand.ts'

export interface KillOutcome {
  /** Short connections, or requests, begun. */
  readonly opened: number
  /** Open ones of the killed backend and of the others when it was killed. */
  readonly longOnDead: number
  readonly longOnOthers: number
  /** Broken ones, open and short: of the killed backend, and of the others. */
  readonly brokenOnDead: number
  readonly brokenOnOthers: number
  /** Short ones that broke though they began when the killed process had ended: none was in flight on it. */
  readonly brokenLater: number
  /** Short ones that began after the kill, whose owner was the killed backend, and that another one served. */
  readonly movedOn: number
  /** Short ones of other owners that another backend than their owner served. */
  readonly strayed: number
  /** From the kill to the state `ejected` or `unhealthy`, without the time in which the machine stood still. */
  readonly foundMs: number
}

/**
 * Of the backends of a stand one is killed with SIGKILL under `rate` new connections a second, or requests of HTTP on connections
 * of their own, for `seconds` before and as long after it, while `long` others are open. The client knows by a table of its own
 * which backend should serve it.
 */
export async function killOne(
  stand: Stand,
  rate: number,
  seconds: number,
  long: number,
): Promise<KillOutcome> {
  const client = stand.kind === 'http' ? httpClient : tcpClient
  const victim = stand.backends[3]
  if (victim === undefined) throw new Error('there is no fourth backend')

  const lasting = await Promise.all(
    sourcesOf(stand, victim.id, long).map((from) => client.lasting(stand.port, from)),
  )
  const counts = { opened: 0, brokenOnDead: 0, brokenOnOthers: 0, brokenLater: 0, movedOn: 0, strayed: 0 }
  let kill: 'to come' | 'under way' | 'over' = 'to come'
  const brief = async (n: number): Promise<void> => {
    const from = source(n)
    const owner = stand.ownerOf(from)
    const begun = kill
    counts.opened++
    const served = await client.brief(stand.port, from)
    if (served === undefined) {
      if (owner === victim.id) counts.brokenOnDead++
      else counts.brokenOnOthers++
      if (begun === 'over') counts.brokenLater++
    } else if (served !== owner) {
      if (owner === victim.id && begun !== 'to come') counts.movedOn++
      else if (owner !== victim.id) counts.strayed++
    }
  }

  const before = await load(rate, seconds, brief)
  const found = stand.outAt(victim.id)
  const loading = load(rate, seconds, brief)
  const killedAt = Date.now()
  const standstill = watchStandstill()
  kill = 'under way'
  // Not the child's own `kill`, which looks for processes below it first: nothing but the victim is to take its time here.
  process.kill(victim.process.pid, 'SIGKILL')
  await victim.process.exit
  kill = 'over'
  const after = await loading
  const foundAt = await found
  const stoodStill = standstill()
  await Promise.all([...before, ...after])

  const onDead = lasting.filter(({ id }) => id === victim.id)
  const onOthers = lasting.filter(({ id }) => id !== victim.id)
  await eventually(() => onDead.every(({ broken }) => broken()))
  const finished = await Promise.all(onOthers.map(({ finishes }) => finishes()))
  return {
    ...counts,
    longOnDead: onDead.length,
    longOnOthers: onOthers.length,
    brokenOnDead: counts.brokenOnDead + onDead.length,
    brokenOnOthers: counts.brokenOnOthers + finished.filter((whole) => !whole).length,
    foundMs: foundAt - killedAt - stoodStill,
  }
}

/** Sums up for how long this process, which never has to wait for anything, did not run; until it is asked. */
function watchStandstill(): () => number {
  const every = 20
  let [last, sum] = [performance.now(), 0]
  const look = (): void => {
    const late = performance.now() - last - every
    // Less than that is a busy machine, and counts.
    if (late > 500) sum += late
    last = performance.now()
  }
  const timer = setInterval(look, every).unref()
  return () => {
    clearInterval(timer)
    look()
    return sum
  }
}

/** Every address of 127.0.0.0/8 is this machine's, so that clients can differ. */
export function source(n: number): string {
  return `127.${1 + (n >>> 16)}.${(n >>> 8) & 255}.${n & 255}`
}

/** Addresses of which the first is one of `owner`. */
function sourcesOf(stand: Stand, owner: string, count: number): readonly string[] {
  let first = 0
  while (stand.ownerOf(source(first)) !== owner) first++
  return Array.from({ length: count }, (_, n) => source(first + n))
}

let serial = 1 << 16

/** Fewer than a listener's queue holds: what is beyond is lost by the kernel, not by the proxy. */
const inFlightMost = 400

/** As many calls there are at least, though the machine stand still meanwhile. */
const fewest = 150

/** Starts up to `rate` calls a second for `seconds`; the answer is those under way or done. */
async function load(
  rate: number,
  seconds: number,
  call: (n: number) => Promise<void>,
): Promise<Promise<void>[]> {
  const calls: Promise<void>[] = []
  let inFlight = 0
  const begin = performance.now()
  while (performance.now() - begin < seconds * 1000 || calls.length < fewest) {
    const due = ((performance.now() - begin) / 1000) * rate
    while (calls.length < due && inFlight < inFlightMost) {
      inFlight++
      calls.push(call(serial++).finally(() => inFlight--))
    }
    await sleep(1)
  }
  return calls
}
