import { type Child, eventually, freePort, startChild, tcpProxy } from '@loadbearing/harness/faults'
import type { Service } from '@loadbearing/harness/services'

const instance = new URL('./children/instance.ts', import.meta.url)
const upstream = new URL('./children/upstream.ts', import.meta.url)

interface Told {
  readonly event: string
  /** Milliseconds since 1970, of the machine that all processes share. */
  readonly at: number
  readonly reason?: string
  readonly p99?: number
  readonly refused?: number
  readonly state?: string
  readonly changes?: number
}

/** What became of five processes before one upstream that was killed and came back; times in milliseconds. */
export interface FleetRun {
  /** Why each circuit opened, and closed. */
  readonly opened: readonly (string | undefined)[]
  readonly closed: readonly (string | undefined)[]
  /** From the vote that completed the quorum to the last circuit's opening. */
  readonly openedAfter: number
  /** From the first circuit's closing to the last one's. */
  readonly closedAfter: number
  /** Requests that the upstream got until it answered the first, while all others were refused 200 times each. */
  readonly probes: number
}

/** Kills the upstream of five processes, three of which call it all the time and make the quorum, and starts it again. */
export async function runFleet(redisUrl: string): Promise<FleetRun> {
  const children = new AsyncDisposableStack()
  await using _ = children
  const port = String(await freePort())
  const before = children.use(await startUpstream(port, 'answer'))
  const fleet = await Promise.all(
    [1, 2, 3, 4, 5].map(async () =>
      children.use(await startChild(instance, { args: [redisUrl, port], ready: 'ready' })),
    ),
  )
  await Promise.all(fleet.map((child) => told(child, 'joined')))
  await Promise.all(fleet.slice(0, 3).map((child) => child.send('call')))
  await eventually(async () => (await requestsOf(before)) > 100)

  await before.kill()
  const opened = await Promise.all(fleet.map((child) => told(child, 'open')))
  const own = opened.filter(({ reason }) => reason !== 'fleet')

  const after = children.use(await startUpstream(port, 'hold'))
  await Promise.all(fleet.slice(3).map((child) => child.send('call')))
  await eventually(async () => (await requestsOf(after)) > 0)
  const refusals = (): Promise<number[]> =>
    Promise.all(fleet.map(async (child) => (await ask(child, 'calls', 'calls')).refused ?? 0))
  const then = await refusals()
  // One waits for its probe, the four others go on asking.
  await eventually(
    async () =>
      (await refusals()).filter((each, index) => each - (then[index] ?? 0) >= 200).length ===
      fleet.length - 1,
  )
  const probes = await requestsOf(after)

  await after.send('release')
  const closed = await Promise.all(fleet.map((child) => told(child, 'closed')))
  return {
    opened: opened.map(({ reason }) => reason),
    closed: closed.map(({ reason }) => reason),
    openedAfter: latest(opened) - latest(own),
    closedAfter: latest(closed) - Math.min(...closed.map(({ at }) => at)),
    probes,
  }
}

/** What became of three processes of which the one that probed was stopped, and went on when its lease was over. */
export interface PausedHolder {
  /** Requests that the upstream got from others than the stopped one, while it answered none. */
  readonly probes: number
  readonly states: readonly (string | undefined)[]
  /** State changes of the two others after the third went on. */
  readonly changesAfter: number
}

export async function pauseHolder(redisUrl: string): Promise<PausedHolder> {
  const children = new AsyncDisposableStack()
  await using _ = children
  const port = String(await freePort())
  const args = [redisUrl, port, '500ms', '4s']
  const fleet = await Promise.all(
    [1, 2, 3].map(async () => children.use(await startChild(instance, { args, ready: 'ready' }))),
  )
  await Promise.all(fleet.map((child) => told(child, 'joined')))
  await Promise.all(fleet.map((child) => child.send('call')))
  await Promise.all(fleet.map((child) => told(child, 'open')))

  const back = children.use(await startUpstream(port, 'hold'))
  const states = (): Promise<Told[]> => Promise.all(fleet.map((child) => ask(child, 'calls', 'calls')))
  const stopHolder = async (): Promise<Child | undefined> => {
    const before = await requestsOf(back)
    const probing = before === 0 ? undefined : fleet[(await states()).findIndex(isProbing)]
    await probing?.pause()
    // Where the machine stood still, its lease may have been over by then, and another one have asked.
    if (probing === undefined || (await requestsOf(back)) === before) return probing
    probing.resume()
    return undefined
  }
  const holder = await eventually(stopHolder)
  fleet.splice(fleet.indexOf(holder), 1)
  const asked = await requestsOf(back)
  await eventually(async () => (await requestsOf(back)) > asked)
  const probes = (await requestsOf(back)) - asked
  await back.send('release')
  await eventually(async () => (await states()).every(({ state }) => state === 'closed'))

  const before = await states()
  holder.resume()
  fleet.push(holder)
  await eventually(async () => (await states()).every(({ state }) => state === 'closed'))
  const after = await states()
  const changesOf = (all: readonly Told[]): number =>
    all.slice(0, 2).reduce((sum, { changes = 0 }) => sum + changes, 0)
  return {
    probes,
    states: after.map(({ state }) => state),
    changesAfter: changesOf(after) - changesOf(before),
  }
}

/** The 99th percentile of calls that last one turn of the event loop, in milliseconds, with Redis in each condition. */
export interface CallTimes {
  readonly usual: number
  readonly slow: number
  readonly paused: number
  readonly stopped: number
}

export async function timeCalls(server: Service): Promise<CallTimes> {
  await using proxy = await tcpProxy({ target: server.url })
  await using child = await startChild(instance, {
    args: [proxy.url, '1', '2s', '20s', '500ms'],
    ready: 'ready',
  })
  await told(child, 'joined')
  const measured = async (): Promise<number> => (await ask(child, 'measure', 'measured')).p99 ?? Number.NaN
  await measured()
  const usual = await measured()
  // What else the machine does only adds: the least of five, where one is not small enough.
  const p99 = async (): Promise<number> => {
    let least = await measured()
    for (let more = 4; more > 0 && !(least - usual < 1); more--) least = Math.min(least, await measured())
    return least
  }

  proxy.latency('2s')
  await told(child, 'lost')
  const slow = await p99()
  await proxy.heal()
  await told(child, 'recovered')

  await server.pause()
  await told(child, 'lost')
  const paused = await p99()
  await server.resume()
  await told(child, 'recovered')

  await server.kill()
  await told(child, 'lost')
  const stopped = await p99()
  await server.restart()
  await told(child, 'recovered')
  return { usual, slow, paused, stopped }
}

const isProbing = ({ state }: Told): boolean => state === 'half-open'

function latest(all: readonly Told[]): number {
  return Math.max(...all.map(({ at }) => at))
}

async function told(child: Child, event: string): Promise<Told> {
  const message = await child.message((value) => isTold(value) && value.event === event)
  if (!isTold(message)) throw new TypeError('no message')
  return message
}

function isTold(value: unknown): value is Told {
  return typeof value === 'object' && value !== null && 'event' in value && 'at' in value
}

async function ask(child: Child, question: string, event: string): Promise<Told> {
  await child.send(question)
  return told(child, event)
}

function startUpstream(port: string, mode: 'answer' | 'hold'): Promise<Child> {
  return startChild(upstream, { args: [port, mode], ready: 'listening' })
}

async function requestsOf(child: Child): Promise<number> {
  await child.send('count')
  const message = await child.message()
  return typeof message === 'object' && message !== null && 'requests' in message
    ? Number(message.requests)
    : Number.NaN
}
