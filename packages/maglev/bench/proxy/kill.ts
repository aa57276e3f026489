import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '@loadbearing/harness/faults'
import { type RunningBackend, startBackend } from '../../test/faults/stand.ts'
import type { FrontMaker } from './fronts.ts'

export interface KillResult {
  /** Connections that stayed open, on the killed backend and on others, and how many of each broke. */
  readonly longOnDead: number
  readonly longOnOthers: number
  readonly brokenOnDead: number
  readonly brokenOnOthers: number
  /** Short connections around the kill, and those that broke, by their key's backend of before. */
  readonly short: number
  readonly shortBrokenOnDead: number
  readonly shortBrokenOnOthers: number
  /** Keys of the killed backend, of which all must move, and of the others, of which none should. */
  readonly keysOnDead: number
  readonly keysOnOthers: number
  readonly movedOnDead: number
  readonly movedOnOthers: number
}

const keys = 600
const rate = 300

/** Ten backend processes behind a TCP proxy that goes by the client's address; one gets SIGKILL under load. */
export async function killOne(maker: FrontMaker): Promise<KillResult> {
  await using stack = new AsyncDisposableStack()
  const backends: RunningBackend[] = await Promise.all(Array.from({ length: 10 }, () => startBackend('tcp')))
  for (const { process } of backends) stack.use(process)
  const ids = backends.map(({ id }) => id)
  const front = stack.use(await maker.start('tcp', 'source', ids))
  const before = await map(front.port)
  // The backend with the most keys: with a poor hash another might have none.
  const counts = ids.map((id) => before.filter((owner) => owner === id).length)
  const victim = backends[counts.indexOf(Math.max(...counts))]
  if (victim === undefined) throw new Error('there is no backend')

  const long = await Promise.all(before.slice(0, 200).map((owner, n) => hold(front.port, source(n), owner)))
  const brokenShort = { dead: 0, others: 0 }
  const calls: Promise<void>[] = []
  const call = async (n: number): Promise<void> => {
    const id = await ask(front.port, source(n))
    if (id !== undefined) return
    if (before[n] === victim.id) brokenShort.dead++
    else brokenShort.others++
  }
  const begin = performance.now()
  let killed: Promise<unknown> | undefined
  for (let at = 0; at < 2000; at = performance.now() - begin) {
    if (at > 700) killed ??= victim.process.kill()
    while (calls.length < (at / 1000) * rate) calls.push(call((7 * calls.length) % keys))
    await sleep(1)
  }
  await Promise.all([...calls, killed])
  let after: (string | undefined)[] = []
  await eventually(async () => {
    after = await map(front.port)
    return !after.includes(undefined) && !after.includes(victim.id)
  })
  const onDead = before.map((owner) => owner === victim.id)
  const moved = before.map((owner, n) => owner !== after[n])
  const result = {
    longOnDead: long.filter(({ id }) => id === victim.id).length,
    longOnOthers: long.filter(({ id }) => id !== victim.id).length,
    brokenOnDead: long.filter(({ id, broken }) => id === victim.id && broken()).length,
    brokenOnOthers: long.filter(({ id, broken }) => id !== victim.id && broken()).length,
    short: calls.length,
    shortBrokenOnDead: brokenShort.dead,
    shortBrokenOnOthers: brokenShort.others,
    keysOnDead: onDead.filter(Boolean).length,
    keysOnOthers: onDead.filter((dead) => !dead).length,
    movedOnDead: moved.filter((one, n) => one && onDead[n]).length,
    movedOnOthers: moved.filter((one, n) => one && onDead[n] === false).length,
  }
  for (const { close } of long) close()
  return result
}

/** Which backend serves each key now. */
async function map(port: number): Promise<(string | undefined)[]> {
  const owners: (string | undefined)[] = []
  for (let n = 0; n < keys; n += 50) {
    owners.push(...(await Promise.all(Array.from({ length: 50 }, (_, at) => ask(port, source(n + at))))))
  }
  return owners
}

/** A client's address: all of 127.0.0.0/8 is this machine's. Spread over its last two bytes, as clients are. */
function source(n: number): string {
  return `127.0.${(n * 37) & 255}.${1 + ((n * 101) % 254)}`
}

/** The id that the backend tells on a new connection; undefined where it broke. */
function ask(port: number, localAddress: string): Promise<string | undefined> {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  return new Promise((resolve) => {
    socket.setTimeout(5000, () => socket.destroy())
    socket.once('data', (line) => {
      resolve(String(line).trim())
      socket.end()
    })
    socket.on('error', () => {})
    socket.once('close', () => resolve(undefined))
  })
}

async function hold(
  port: number,
  localAddress: string,
  id: string | undefined,
): Promise<{ id: string | undefined; broken: () => boolean; close: () => void }> {
  const socket = connect({ port, host: '127.0.0.1', localAddress })
  let broken = false
  socket
    .on('error', () => {})
    .once('close', () => {
      broken = true
    })
  await once(socket, 'data')
  return { id, broken: () => broken, close: () => socket.destroy() }
}
