import { execFileSync } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { eventually } from '@loadbearing/harness/faults'
import type { IdempotencyRecord } from '@loadbearing/stripe-idempotency'
import { attending, look, rest } from './campaign.ts'
import { type Violation, violationsOf } from './checks.ts'
import { ask, type Request, request } from './client.ts'
import { Operator } from './operator.ts'
import { seeded } from './seeded.ts'
import { type Place, Stand, tenants } from './stand.ts'
import { type Stage, transferIn } from './stores/stage.ts'

/** What befalls a server at each place where it waits for something, once at each. */
export type Mishap =
  /** It dies; clients ask another one. */
  | 'death'
  /** It dies, and nobody asks: another one finds out by itself. */
  | 'death, nobody asks'
  /** It dies, and when it is asked for again the bank may have forgotten; the bank answers no questions. */
  | 'death, asked again too late'
  /** It is stopped for three leases, and another one is asked meanwhile. */
  | 'pause'
  /** What it asked its store, or the bank, for is done, and the answer lost with the connection. */
  | 'lost answer'

export interface SweepOptions {
  readonly stage: Stage
  readonly mishap: Mishap
  /** Default: all there are; see {@link sitesOf}. */
  readonly sites?: readonly string[]
}

export interface Sweep {
  /** Where it happened. */
  readonly sites: readonly string[]
  /** Where it was to happen, and no server came by, in several tries. */
  readonly missed: readonly string[]
  readonly violations: readonly Violation[]
  readonly kills: number
  /** Milliseconds from the death of a holder until its key was answered for again, at most. */
  readonly usableAfter: number
  /** Holders that were told they had lost their lease. */
  readonly staleHolders: number
  /** Records that were uncertain. */
  readonly doubts: number
}

const shortRetention = 3000
const triesMax = 3
/** Servers that it happens to at the same time; where it takes long, they mostly wait. */
const atOnce: Readonly<Record<Mishap, number>> = {
  death: 4,
  'death, nobody asks': 4,
  'death, asked again too late': 8,
  pause: 8,
  'lost answer': 4,
}

/**
 * Every place where a server waits for something, from the receipt of a request on, as `phase/point:n`: on PostgreSQL in two
 * requests, since what was prepared in the first goes other ways in the second; on Redis in one by an operation and one by a
 * handler, whose key is claimed by a single command.
 */
export async function sitesOf(stage: Stage): Promise<readonly string[]> {
  await using stand = await Stand.start({ stage, seed: 1, servers: 0, bank: { faults: 0 } })
  // The very first may find a store that has to be told what later ones find there, such as scripts; and on a busy machine
  // a server may take a lease for lost, and go other ways.
  for (let tries = 0; tries < 20; tries++) {
    const { server, front } = await stand.open({ recordPoints: true })
    const probes = series(stage, `probe-${tries}`, 0)
    const answered = await askAll(probes, [front.url], 60)
    await server.kill()
    if (!answered || tries === 0 || probes.some(({ refusals }) => refusals.length > 0)) continue
    return [...server.pointsPassed]
      .filter(([name]) => !name.startsWith('elsewhere/'))
      .flatMap(([name, times]) => Array.from({ length: times }, (_, at) => `${name}:${at + 1}`))
  }
  throw new Error('no server answered without a refusal')
}

/** Goes through all places where a server waits, on real processes, and looks at all that came of it. */
export async function sweep({ stage, mishap, sites: chosen }: SweepOptions): Promise<Sweep> {
  const all = chosen ?? (await sitesOf(stage))
  const sites = mishap === 'lost answer' ? all.filter((site) => hasAnswer(stage, site)) : all
  const tooLate = mishap === 'death, asked again too late'
  await using stand = await Stand.start({
    stage,
    seed: 1,
    servers: 2,
    completes: mishap === 'death, nobody asks',
    bank: { faults: 0, ...(tooLate && { retention: shortRetention, remembers: false }) },
  })
  const survivors = stand.places.map(({ front }) => front.url)
  const run = new Run(stand, mishap, survivors)
  const queue = sites.entries()
  const worker = async (): Promise<void> => {
    for (const [n, site] of queue) await run.visit(site, n)
  }
  await using _ = attending(run.operator)
  // On SQLite one that stands still in a transaction keeps all others waiting.
  const length = stage.kind === 'sqlite' && mishap === 'pause' ? 2 : atOnce[mishap]
  await Promise.all(Array.from({ length }, worker))
  if (mishap === 'death, nobody asks') await rest(stage, run.operator)
  await Promise.all(run.asked.map((each) => ask(each, survivors, seeded(1), 200)))
  const seen = await look(stand, run.asked, run.operator)
  const circumstances = { retention: stand.retention, transactional: stage.kind !== 'redis' }
  return {
    sites: sites.filter((site) => !run.missed.includes(site)),
    missed: run.missed,
    violations: [...run.violations, ...(await run.staleCalls()), ...violationsOf(seen, circumstances)],
    kills: run.kills,
    usableAfter: Math.round(run.usableAfter),
    staleHolders: run.staleHolders,
    doubts: seen.doubts.length,
  }
}

class Run {
  readonly asked: Request[] = []
  readonly violations: Violation[] = []
  /** Places that no server came by again: where it goes depends on the connection that it is given. */
  readonly missed: string[] = []
  readonly operator: Operator
  kills = 0
  usableAfter = 0
  staleHolders = 0
  readonly #stoodInCall = new Set<Request>()
  readonly #stand: Stand
  readonly #mishap: Mishap
  readonly #survivors: readonly string[]

  constructor(stand: Stand, mishap: Mishap, survivors: readonly string[]) {
    this.#stand = stand
    this.#mishap = mishap
    this.#survivors = survivors
    this.operator = new Operator(stand.stage, this.asked, () => stand.bankLog)
  }

  /** Under load a server may take a lease for lost, and go other ways: then it is tried again, with other keys. */
  async visit(site: string, n: number): Promise<void> {
    for (let tries = 0; tries < triesMax; tries++) if (await this.#visit(site, n, tries)) return
    this.missed.push(site)
  }

  /** @returns whether it came by the place */
  async #visit(site: string, n: number, tries: number): Promise<boolean> {
    const each = series(this.#stand.stage, `at-${n}-${tries}`, n)
    this.asked.push(...each)
    if (this.#mishap === 'pause' && site.includes('/bank.before:'))
      for (const one of each) this.#stoodInCall.add(one)
    const isDeath = this.#mishap.startsWith('death')
    const place = await this.#stand.open({ completes: false, ...(isDeath && { crashAt: site }) })
    try {
      if (isDeath) return await this.#die(place, each, site)
      const answered = await this.#untilStopped(place, each, site)
      if (answered === undefined) return false
      if (this.#mishap === 'pause') await this.#stop(place, each, site, answered.answered)
      else await this.#loseAnswer(place, each, site, answered.answered)
      return true
    } finally {
      await this.#stand.close(place)
    }
  }

  async #die(place: Place, each: readonly Request[], site: string): Promise<boolean> {
    const passed = passedBy(askAll(each, [place.front.url], 10))
    const died = await Promise.race([place.server.exit, passed])
    if (died === 'passed by') return false
    const { crashedAt } = died
    if (`${crashedAt?.name}:${crashedAt?.n}` !== site) throw new Error(`the server did not die at ${site}`)
    this.kills++
    if (this.#mishap === 'death, nobody asks') return true
    if (this.#mishap === 'death, asked again too late') await pause(shortRetention)
    const since = performance.now()
    await askAll(each, this.#survivors, 400)
    this.usableAfter = Math.max(this.usableAfter, performance.now() - since)
    return true
  }

  async #stop(
    place: Place,
    each: readonly Request[],
    site: string,
    answered: Promise<boolean>,
  ): Promise<void> {
    const second = askAll(each, this.#survivors, 400)
    // Bit by bit: where the machine stands still as well, the survivors need the time afterwards.
    for (let bits = 0; bits < 30; bits++) await pause(this.#stand.lease / 10)
    place.server.resume()
    await answered
    await second
    // Who was overtaken must know it before it is asked for anything else.
    for (const holding of await this.#overtaken(place, each)) {
      // On SQLite it may have to wait for the lock, for as long as `busy_timeout` is, more than once before it can know.
      const told = await eventually(() => place.server.output.stdout.includes(`lease lost: ${holding}\n`), {
        within: '30s',
      }).catch(() => false)
      if (told) this.staleHolders++
      else
        this.violations.push({ invariant: 'I6', what: `a holder that stood still at ${site} was not told` })
    }
  }

  async #loseAnswer(
    place: Place,
    each: readonly Request[],
    site: string,
    answered: Promise<boolean>,
  ): Promise<void> {
    const link = site.includes('/bank.') ? place.bank : place.store
    link?.blackHole({ direction: 'downstream' })
    place.server.resume()
    await eventually(() => (link?.stats().downstream.lost ?? 0) > 0, { within: '10s' })
    await link?.heal()
    await answered
    await askAll(each, [place.front.url], 400)
  }

  /** `answered` is for when it goes on. Undefined where it never came by. */
  async #untilStopped(
    place: Place,
    each: readonly Request[],
    site: string,
  ): Promise<{ readonly answered: Promise<boolean> } | undefined> {
    await place.server.send({ stopAt: site })
    await place.server.message()
    const answered = askAll(each, [place.front.url], 10)
    const stopped = place.server.line('stopped at', { within: '60s' }).catch(() => 'passed by')
    if ((await Promise.race([stopped, passedBy(answered)])) === 'passed by') return undefined
    // It says so before it is.
    await eventually(() => isStopped(place.server.pid), { what: `the server stands still at ${site}` })
    return { answered }
  }

  /** What the server claimed and others completed, as `record fence`. */
  async #overtaken({ server }: Place, each: readonly Request[]): Promise<string[]> {
    const completed = await eventually(() => this.#completed(each), { within: '10s' })
    return [...server.output.stdout.matchAll(/^claimed: (\S+) (\d+)$/gm)]
      .filter(([, id, fence]) => {
        const record = completed.find((one) => one.id === id)
        // Where there are transactions, a record that is no more was let go, or rolled back, by who claimed it.
        return record === undefined ? this.#stand.stage.kind === 'redis' : record.fence !== Number(fence)
      })
      .map(([, id, fence]) => `${id} ${fence}`)
  }

  /** The records, once all are completed. */
  async #completed(each: readonly Request[]): Promise<readonly IdempotencyRecord[] | undefined> {
    const records = await this.#stand.stage.store.list({ limit: 10_000, state: 'completed' })
    const found = records.filter((record) =>
      each.some(({ tenant, key }) => record.scope === tenant && transferIn(record, this.asked).key === key),
    )
    return found.length === each.length ? found : undefined
  }

  /**
   * Here calls do not linger on the way: once the bank has heard of a fence, it hears of none before. But one that stands still
   * between its last look at the clock and the call makes that call when it wakes, with the key by which the bank knows it.
   */
  async staleCalls(): Promise<Violation[]> {
    const calls = this.#stand.bankLog.filter(({ kind }) => kind === 'call')
    return this.asked.flatMap((each) => {
      if (this.#stoodInCall.has(each)) return []
      const { tenant, key } = each
      const fences = calls
        .filter((call) => call.tenant === tenant && call.reference === key)
        .map(({ fence }) => fence)
      return fences.some((fence, at) => fence < (fences[at - 1] ?? 0))
        ? [{ invariant: 'I6', what: `${tenant}/${key}: the bank was called by fences ${fences.join(', ')}` }]
        : []
    })
  }
}

const seriesOn = { postgres: ['bank', 'bank'], redis: ['bank', 'savings'], sqlite: ['bank'] } as const

/** What one server is asked for, in order. */
function series({ kind }: Stage, name: string, n: number): Request[] {
  return seriesOn[kind].map((to, at) =>
    request({ tenant: tenants[n % 2] ?? '', key: `${name}-${at}`, amount: 1 + n, to }),
  )
}

/** One after the other. @returns whether all were answered */
async function askAll(each: readonly Request[], urls: readonly string[], tries: number): Promise<boolean> {
  for (const one of each) if (!(await ask(one, urls, seeded(1), tries))) return false
  return true
}

/** Once a server that is asked has answered, and the last place, which is behind the answer, must have come. */
async function passedBy(answered: Promise<boolean>): Promise<'passed by'> {
  await answered
  await pause(3000)
  return 'passed by'
}

function isStopped(pid: number): boolean {
  return execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('T')
}

/** Whether something is asked for at the place whose answer can be lost. */
function hasAnswer({ kind }: Stage, site: string): boolean {
  return site.includes('.before:') && (kind !== 'sqlite' || site.includes('/bank.'))
}
