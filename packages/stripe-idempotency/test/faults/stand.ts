import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, eventually, startChild, type TcpProxy, tcpProxy } from '@loadbearing/harness/faults'
import type { BankEntry } from './checks.ts'
import type { BankSettings, ServerSettings } from './programs/settings.ts'
import type { Stage } from './stores/stage.ts'

/** What servers and bank are like. */
export interface StandOptions {
  readonly stage: Stage
  readonly seed: number
  readonly variant?: string
  /** Whether every server goes on with what others have abandoned. */
  readonly completes?: boolean
  readonly servers?: number
  /** Milliseconds. Default: {@link leaseByDefault}. */
  readonly lease?: number | undefined
  /** Where servers die for the first time. */
  readonly crashAt?: string | undefined
  readonly bank?: Partial<Pick<BankSettings, 'faults' | 'retention' | 'remembers' | 'late'>>
}

/** What a server is started with. */
type Links = Pick<Place, 'store' | 'bank' | 'port'>

/** How one server starts. */
export interface Start {
  readonly crashAt?: string
  /** Whether it tells which points it passes. */
  readonly recordPoints?: boolean
  /** Default: as the stand's. */
  readonly completes?: boolean
}

/** One server, with what lies between it and its clients, its store and its bank. */
export interface Place {
  server: Child
  readonly port: number
  /** Milliseconds by which its wall clock is ahead. */
  ahead: number
  readonly front: TcpProxy
  /** Undefined where the store is a file. */
  readonly store: TcpProxy | undefined
  readonly bank: TcpProxy
}

/** Milliseconds: for how long a holder may be silent. */
export const leaseByDefault = 1200
export const tenants = ['acct_a', 'acct_b']
export const openingBalance = 1_000_000

const program = (name: string): URL => new URL(`programs/${name}.ts`, import.meta.url)

/** Servers, a bank and a store, and the links between them. */
export class Stand implements AsyncDisposable {
  readonly stage: Stage
  readonly places: Place[] = []
  readonly lease: number
  readonly retention: number
  readonly #options: StandOptions
  readonly #folder: string
  #bank: Child | undefined
  #bankPort = 0
  #bankStarts = 0

  static async start(options: StandOptions): Promise<Stand> {
    const stand = new Stand(options, await mkdtemp(join(tmpdir(), 'idempotency-stand-')))
    try {
      await options.stage.prepare(Object.fromEntries(tenants.map((tenant) => [tenant, openingBalance])))
      await stand.#startBank()
      const first = options.crashAt === undefined ? {} : { crashAt: options.crashAt }
      await Promise.all(Array.from({ length: options.servers ?? 3 }, () => stand.open(first)))
      return stand
    } catch (error) {
      await stand[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(options: StandOptions, folder: string) {
    this.#options = options
    this.#folder = folder
    this.stage = options.stage
    this.lease = options.lease ?? leaseByDefault
    this.retention = options.bank?.retention ?? 1_800_000
  }

  /** What the bank has written down, in order. */
  get bankLog(): readonly BankEntry[] {
    if (!existsSync(this.#log)) return []
    return readFileSync(this.#log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): BankEntry => JSON.parse(line))
  }

  /** Starts one more server. */
  async open(start: Start = {}): Promise<Place> {
    const { stage } = this.#options
    const store = stage.kind === 'sqlite' ? undefined : await tcpProxy({ target: stage.url })
    const bank = await tcpProxy({ target: `http://127.0.0.1:${this.#bankPort}` })
    const links = { store, bank, port: 0 }
    const { server, port } = await this.#startListening(links, start)
    const front = await tcpProxy({ target: `http://127.0.0.1:${port}` })
    const place = { ...links, server, port, front, ahead: 0 }
    this.places.push(place)
    return place
  }

  /** Ends a server for good. */
  async close(place: Place): Promise<void> {
    const at = this.places.indexOf(place)
    if (at >= 0) this.places.splice(at, 1)
    await place.server.kill()
    await Promise.all([place.front.close(), place.store?.close(), place.bank.close()])
  }

  /** Ends the server of a place, if it has not ended, and starts another. */
  async restart(place: Place, crashAt?: string): Promise<string | undefined> {
    const { crashedAt } = await place.server.kill()
    // The clock of a machine stays as it was set.
    if (this.stage.kind !== 'sqlite') place.ahead = 0
    try {
      place.server = await this.#startServer(place, crashAt === undefined ? {} : { crashAt })
      if (place.ahead !== 0) await place.server.send({ clock: place.ahead })
    } catch {
      // It died before it was ready, or could not reach its store: it is started again later.
    }
    return crashedAt === undefined ? undefined : `${crashedAt.name}:${crashedAt.n}`
  }

  async killBank(): Promise<void> {
    await this.#bank?.kill()
    await this.#startBank()
  }

  /** All links whole, all clocks right, and all servers new. */
  async heal(): Promise<void> {
    for (const place of this.places) {
      place.ahead = 0
      await place.front.heal()
      await place.store?.heal()
      await place.bank.heal()
      await eventually(
        async () => {
          await this.restart(place)
          return !place.server.ended
        },
        { within: '30s', every: '200ms', what: 'a server starts' },
      )
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.places].map((place) => this.close(place)))
    await this.#bank?.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }

  get #log(): string {
    return join(this.#folder, 'bank.jsonl')
  }

  async #startBank(): Promise<void> {
    const settings: BankSettings = {
      faults: 0.3,
      remembers: true,
      late: 2 * this.lease,
      ...this.#options.bank,
      log: this.#log,
      seed: this.#options.seed * 1000 + this.#bankStarts++,
      retention: this.retention,
      port: this.#bankPort,
    }
    this.#bank = await startChild(program('bank'), {
      args: [JSON.stringify(settings)],
      env: this.#environment,
    })
    this.#bankPort = await portOf(this.#bank)
  }

  /** On a busy machine a store may take too long to answer the first time. */
  async #startListening(links: Links, start: Start): Promise<{ server: Child; port: number }> {
    for (let tries = 1; ; tries++) {
      const server = await this.#startServer(links, start)
      try {
        return { server, port: await portOf(server) }
      } catch (error) {
        await server.kill()
        if (tries === 5) throw error
      }
    }
  }

  #startServer(
    place: Links,
    { crashAt, recordPoints = false, completes = this.#options.completes ?? false }: Start,
  ): Promise<Child> {
    const { stage, variant = 'ours' } = this.#options
    const settings: ServerSettings = {
      store: stage.kind,
      url: place.store?.url ?? stage.url,
      bank: place.bank.url.replace(/\/$/, ''),
      lease: this.lease,
      retention: this.retention,
      completes,
      variant,
      port: place.port,
    }
    return startChild(program('server'), {
      args: [JSON.stringify(settings)],
      env: this.#environment,
      ...(place.port !== 0 && { ready: 'listening' }),
      recordPoints,
      ...(crashAt !== undefined && { crashAt }),
    })
  }

  /** Servers start often, and what they are made of does not change. */
  get #environment(): Record<string, string> {
    return { NODE_COMPILE_CACHE: join(this.#folder, 'compiled') }
  }
}

async function portOf(child: Child): Promise<number> {
  return Number((await child.line('listening')).split(' ')[1])
}
