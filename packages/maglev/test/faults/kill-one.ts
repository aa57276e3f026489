import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '@loadbearing/harness/faults'
import { Maglev } from '../../src/index.ts'
import { startStand } from './stand.ts'

export interface KillOutcome {
  /** Short connections opened. */
  readonly opened: number
  /** Long connections on the killed backend and on the others before the kill. */
  readonly longOnDead: number
  readonly longOnOthers: number
  /** Connections broken: of the killed backend, and of the others. */
  readonly brokenOnDead: number
  readonly brokenOnOthers: number
  /** Short connections that began after the kill, whose owner was the killed backend, and that another one served. */
  readonly movedOn: number
  /** Short connections of other owners that another backend than their owner served. */
  readonly strayed: number
  /** From the kill to the state `ejected` or `unhealthy`. */
  readonly foundMs: number
}

/**
 * Ten backends behind a TCP proxy, all processes of their own; one is killed with SIGKILL under `rate` new connections a second,
 * for `seconds` before and as long after it. The client knows by a table of its own which backend should serve it.
 */
export async function killOneOfTen(rate: number, seconds: number, long: number): Promise<KillOutcome> {
  await using stand = await startStand('tcp', 10)
  const oracle = new Maglev(stand.backends.map(({ id }) => id))
  const victim = stand.backends[3]
  if (victim === undefined) throw new Error('there is no fourth backend')

  const lasting = await Promise.all(
    Array.from({ length: long }, (_, n) => lastingConnection(stand.port, source(n))),
  )
  const counts = { opened: 0, brokenOnDead: 0, brokenOnOthers: 0, movedOn: 0, strayed: 0 }
  let killed = false
  const brief = async (n: number): Promise<void> => {
    const from = source(n)
    const owner = oracle.lookup(from)
    const afterKill = killed
    counts.opened++
    const served = await briefConnection(stand.port, from)
    if (served === undefined) {
      if (owner === victim.id) counts.brokenOnDead++
      else counts.brokenOnOthers++
    } else if (served !== owner) {
      if (owner === victim.id && afterKill) counts.movedOn++
      else if (owner !== victim.id) counts.strayed++
    }
  }

  const before = await load(rate, seconds, brief)
  const killedAt = Date.now()
  killed = true
  const found = stand.proxy.message((value) => isMissing(value, victim.id))
  await victim.process.kill()
  const after = await load(rate, seconds, brief)
  const foundAt = atOf(await found)
  await Promise.all([...before, ...after])

  const onDead = lasting.filter(({ id }) => id === victim.id)
  const onOthers = lasting.filter(({ id }) => id !== victim.id)
  await eventually(() => onDead.every(({ broken }) => broken()))
  // Those of the others still carry bytes both ways.
  const alive = await Promise.all(onOthers.map(({ echoes }) => echoes()))
  for (const { socket } of lasting) socket.destroy()
  return {
    ...counts,
    longOnDead: onDead.length,
    longOnOthers: onOthers.length,
    brokenOnDead: counts.brokenOnDead + onDead.length,
    brokenOnOthers: counts.brokenOnOthers + alive.filter((echoed) => !echoed).length,
    foundMs: foundAt - killedAt,
  }
}

/** Every address of 127.0.0.0/8 is this machine's, so that clients can differ. */
export function source(n: number): string {
  return `127.${1 + (n >>> 16)}.${(n >>> 8) & 255}.${n & 255}`
}

let serial = 1 << 16

/** A connection on which nothing happens for so long counts as broken. */
const patienceMs = 10_000

/** Fewer than a listener's queue holds: what is beyond is lost by the kernel, not by the proxy. */
const inFlightMost = 400

/** Starts up to `rate` calls a second for `seconds`; the answer is those under way or done. */
async function load(
  rate: number,
  seconds: number,
  call: (n: number) => Promise<void>,
): Promise<Promise<void>[]> {
  const calls: Promise<void>[] = []
  let inFlight = 0
  const begin = performance.now()
  while (performance.now() - begin < seconds * 1000) {
    const due = ((performance.now() - begin) / 1000) * rate
    while (calls.length < due && inFlight < inFlightMost) {
      inFlight++
      calls.push(call(serial++).finally(() => inFlight--))
    }
    await sleep(1)
  }
  return calls
}

/** Asks for the backend's id and one echo; the id, or undefined where the connection broke. */
async function briefConnection(port: number, localAddress: string): Promise<string | undefined> {
  const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true })
  const { promise, resolve } = Promise.withResolvers<string | undefined>()
  socket.setTimeout(patienceMs, () => socket.destroy())
  let said = ''
  socket.on('data', (data) => {
    said += String(data)
    const [, echo] = said.split('\n')
    if (echo === '') socket.write('ping')
    if (echo === 'ping') socket.end()
  })
  socket.on('error', () => resolve(undefined))
  socket.on('close', () => {
    const [id, echo] = said.split('\n')
    resolve(echo === 'ping' ? id : undefined)
  })
  return promise
}

interface Lasting {
  readonly socket: Socket
  readonly id: string
  readonly broken: () => boolean
  readonly echoes: () => Promise<boolean>
}

async function lastingConnection(port: number, localAddress: string): Promise<Lasting> {
  const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true })
  let broken = false
  socket.on('error', () => {})
  socket.on('close', () => {
    broken = true
  })
  const [line] = await once(socket, 'data')
  return {
    socket,
    id: String(line).trim(),
    broken: () => broken,
    async echoes() {
      if (broken) return false
      const heard = once(socket, 'data').then(
        ([data]) => String(data) === 'still there',
        () => false,
      )
      socket.write('still there')
      return heard
    },
  }
}

function isMissing(value: unknown, id: string): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'id' in value &&
    value.id === id &&
    'to' in value &&
    (value.to === 'ejected' || value.to === 'unhealthy')
  )
}

function atOf(value: unknown): number {
  return typeof value === 'object' && value !== null && 'at' in value ? Number(value.at) : Number.NaN
}
