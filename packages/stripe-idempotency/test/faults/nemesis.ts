import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { TcpProxy } from '@loadbearing/harness/faults'
import type { StoreKind } from './programs/settings.ts'
import { seeded } from './seeded.ts'
import type { Place, Stand } from './stand.ts'

/** What befalls one server, or the links to it. */
interface PlaceFault {
  readonly weight: number
  readonly strike: (stand: Stand, place: Place, blow: Blow) => Promise<void>
  /** Default: all. */
  readonly stores?: readonly StoreKind[]
}

interface Blow {
  readonly random: () => number
  /** Where servers may be told to die. */
  readonly sites: readonly string[]
  /** A server has died, by a crash point or by no warning. */
  readonly died: (site: string | undefined) => void
}

const minutes = 60_000
const overNetwork: readonly StoreKind[] = ['postgres', 'redis']

const placeFaults = {
  'server killed': {
    weight: 50,
    strike: async (stand, place, { random, sites, died }) => {
      const site = sites[Math.floor(random() * sites.length)]
      const crashAt = random() < 0.7 ? `${site}:${1 + Math.floor(random() * 2)}` : undefined
      died(await stand.restart(place, crashAt))
    },
  },
  'server stopped beyond two leases': {
    weight: 12,
    async strike({ lease }, { server }, { random }) {
      await server.pause().catch(() => {})
      await pause((2.1 + random() * 1.2) * lease)
      if (!server.ended) server.resume()
    },
  },
  'store out of reach': {
    weight: 8,
    stores: overNetwork,
    strike: ({ lease }, { store }) => partitioned(store, lease),
  },
  'answers of the store lost': {
    weight: 8,
    stores: overNetwork,
    strike: ({ lease }, { store }) => answersLost(store, lease),
  },
  'server killed, its connections to the store half-open': {
    weight: 5,
    stores: overNetwork,
    async strike(stand, place, { died }) {
      place.store?.halfOpen()
      await place.server.kill()
      await pause(stand.lease / 2)
      await place.store?.heal()
      died(await stand.restart(place))
    },
  },
  'store slow': {
    weight: 4,
    stores: overNetwork,
    async strike({ lease }, { store }) {
      store?.latency(100, { jitter: 80 })
      await pause(lease)
      await store?.heal()
    },
  },
  'bank out of reach': {
    weight: 4,
    async strike({ lease }, { bank }) {
      bank.blackHole()
      await pause(lease)
      await bank.heal()
    },
  },
  'answers of the bank lost': { weight: 4, strike: ({ lease }, { bank }) => answersLost(bank, lease) },
  'clients cut off': { weight: 3, strike: ({ lease }, { front }) => partitioned(front, lease) },
  'answers to clients lost': { weight: 4, strike: ({ lease }, { front }) => answersLost(front, lease) },
  'clock set by 5 minutes': {
    weight: 6,
    async strike(stand, place, { random }) {
      const ahead = [-5 * minutes, 5 * minutes, 0][Math.floor(random() * 3)] ?? 0
      // Processes on one file are on one machine, which has one clock.
      const affected = stand.stage.kind === 'sqlite' ? stand.places : [place]
      for (const each of affected) {
        each.ahead = ahead
        await each.server.send({ clock: ahead }).catch(() => {})
      }
    },
  },
} satisfies Record<string, PlaceFault>

const commonFaults = {
  'bank killed': { weight: 3, strike: (stand: Stand) => stand.killBank() },
  'store killed': { weight: 2, strike: async (stand: Stand) => stand.stage.kill?.() },
  'store silent': { weight: 2, strike: (stand: Stand) => stand.stage.outage(2 * stand.lease) },
}

export type FaultName = keyof typeof placeFaults | keyof typeof commonFaults

export const killingFaults: readonly FaultName[] = [
  'server killed',
  'server killed, its connections to the store half-open',
  'bank killed',
  'store killed',
]

export interface NemesisOptions {
  readonly seed: number
  /** Default: all that there are for the store. */
  readonly faults?: readonly FaultName[] | undefined
  readonly sites: readonly string[]
  /** Servers die here, and nowhere else, and are started again; nothing else befalls them. */
  readonly diesAt?: string | undefined
}

/** Makes faults, at each server and in what they share, until it is told to stop. The same seed makes the same. */
export class Nemesis {
  /** How often each fault was made. */
  readonly faults: Partial<Record<FaultName, number>> = {}
  /** Where servers died of a crash point. */
  readonly crashes: string[] = []
  readonly #stand: Stand
  readonly #options: NemesisOptions
  readonly #over = new AbortController()
  readonly #ended: Promise<unknown>

  constructor(stand: Stand, options: NemesisOptions) {
    this.#stand = stand
    this.#options = options
    const { diesAt, seed } = options
    this.#ended = Promise.all([
      ...stand.places.map((place, at) => {
        const random = seeded(seed * 31 + at)
        return diesAt === undefined ? this.#rageAt(place, random) : this.#dieAt(place, diesAt, random)
      }),
      this.#rageAtAll(seeded(seed * 31 + 30)),
    ])
    // What failed is told to who ends it.
    this.#ended.catch(() => {})
  }

  get kills(): number {
    return killingFaults.reduce((sum, fault) => sum + (this.faults[fault] ?? 0), 0)
  }

  async end(): Promise<void> {
    this.#over.abort()
    await this.#ended
  }

  /** Kills the store, outside the turns of the rest. */
  async killStore(): Promise<void> {
    if (this.#stand.stage.kill === undefined) return
    this.#count('store killed')
    await this.#stand.stage.kill()
  }

  async #rageAt(place: Place, random: () => number): Promise<void> {
    const chosen = this.#chosen(placeFaults, this.#stand.stage.kind)
    while (!this.#over.signal.aborted && chosen.length > 0) {
      await pause(50 + random() * 200)
      const [name, { strike }] = place.server.ended
        ? (['server killed', placeFaults['server killed']] as const)
        : draw(chosen, random)
      this.#count(name)
      const died = (site: string | undefined): void => void (site !== undefined && this.crashes.push(site))
      await strike(this.#stand, place, { random, sites: this.#options.sites, died })
    }
  }

  async #dieAt(place: Place, site: string, random: () => number): Promise<void> {
    while (!this.#over.signal.aborted) {
      await Promise.race([place.server.exit, once(this.#over.signal, 'abort')])
      if (!place.server.ended) return
      this.#count('server killed')
      await this.#stand.restart(place, `${site}:${1 + Math.floor(random() * 3)}`)
    }
  }

  async #rageAtAll(random: () => number): Promise<void> {
    const chosen = this.#chosen(commonFaults, this.#stand.stage.kind)
    while (!this.#over.signal.aborted && chosen.length > 0) {
      await pause(1000 + random() * 4000, undefined, { signal: this.#over.signal }).catch(() => {})
      if (this.#over.signal.aborted) return
      const [name, { strike }] = draw(chosen, random)
      this.#count(name)
      await strike(this.#stand)
    }
  }

  #chosen<Fault extends { readonly weight: number; readonly stores?: readonly StoreKind[] }>(
    all: Readonly<Record<string, Fault>>,
    kind: StoreKind,
  ): [FaultName, Fault][] {
    const { faults } = this.#options
    return names(all)
      .map((name): [FaultName, Fault] => [name as FaultName, all[name] as Fault])
      .filter(([name, { stores }]) => (faults?.includes(name) ?? true) && (stores?.includes(kind) ?? true))
      .filter(([name]) => name !== 'store killed' || this.#stand.stage.kill !== undefined)
  }

  #count(fault: FaultName): void {
    this.faults[fault] = (this.faults[fault] ?? 0) + 1
  }
}

async function partitioned(link: TcpProxy | undefined, ms: number): Promise<void> {
  link?.refuse()
  link?.reset()
  await pause(ms)
  await link?.heal()
}

async function answersLost(link: TcpProxy | undefined, ms: number): Promise<void> {
  link?.blackHole({ direction: 'downstream' })
  await pause(ms)
  await link?.heal()
}

function draw<Fault extends { readonly weight: number }>(
  chosen: readonly [FaultName, Fault][],
  random: () => number,
): [FaultName, Fault] {
  let left = random() * chosen.reduce((sum, [, { weight }]) => sum + weight, 0)
  const found = chosen.find(([, { weight }]) => (left -= weight) < 0) ?? chosen[0]
  if (found === undefined) throw new Error('there is no fault to choose')
  return found
}

function names(all: object): string[] {
  return Object.keys(all)
}
