import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Child, eventually, startChild, type TcpProxy, tcpProxy } from '@loadbearing/harness/faults'
import type { Service } from '@loadbearing/harness/services'
import { Pool } from 'pg'
import type { Asked, Credit, Entry, OpenRecord, Seen } from './checks.ts'
import type { Defect } from './programs/naive.ts'
import { seeded } from './seeded.ts'

/** Who carries transfers out: this package, the same on a table that a crash empties, or one of the defective ways. */
export type Variant = 'ours' | 'unlogged' | Defect

export interface CampaignOptions {
  readonly seed: number
  readonly variant: Variant
  /** For each of two tenants, which use the same keys. */
  readonly transfers: number
  /** PostgreSQL, which is killed on the way. */
  readonly database: Service
}

/** What a campaign did and saw. */
export interface Campaign {
  readonly seen: Seen
  /** How often each fault was made. */
  readonly faults: Readonly<Record<string, number>>
  /** Where servers died by a crash point. */
  readonly crashes: readonly string[]
}

const lease = 700
const tenants = ['acct_a', 'acct_b']
const clientsAtOnce = 8
/** Places where a server may be told to die. */
const places = [
  'claim.before',
  'claim.after',
  'transaction.before',
  'transaction.after',
  'debit',
  'advance.before',
  'advance.after',
  'bank.before',
  'bank.after',
  'done',
  'complete.before',
  'complete.after',
  'reply',
  'sent',
]

/** Transfers money between accounts here and a bank, by clients that ask until they are answered, while everything breaks. */
export async function runCampaign(options: CampaignOptions): Promise<Campaign> {
  const folder = await mkdtemp(join(tmpdir(), 'idempotency-faults-'))
  try {
    await using stand = await Stand.start(options, join(folder, 'bank.jsonl'))
    return await stand.run()
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** One server, with what lies between it and its database and its bank. */
interface Place {
  server: Child
  port: number
  readonly database: TcpProxy
  readonly bank: TcpProxy
}

class Stand implements AsyncDisposable {
  readonly #options: CampaignOptions
  readonly #random: () => number
  readonly #log: string
  readonly #pool: Pool
  readonly #places: Place[] = []
  readonly #faults: Record<string, number> = {}
  readonly #crashes: string[] = []
  #bank: Child | undefined
  #bankPort = 0

  static async start(options: CampaignOptions, log: string): Promise<Stand> {
    const stand = new Stand(options, log)
    try {
      await stand.#prepare()
      return stand
    } catch (error) {
      await stand[Symbol.asyncDispose]()
      throw error
    }
  }

  private constructor(options: CampaignOptions, log: string) {
    this.#options = options
    this.#log = log
    this.#random = seeded(options.seed)
    this.#pool = new Pool({ connectionString: options.database.url, max: 4 })
    this.#pool.on('error', () => {})
  }

  async run(): Promise<Campaign> {
    const asked: (Asked & { answers: string[] })[] = []
    for (let n = 0; n < this.#options.transfers; n++) {
      for (const [at, tenant] of tenants.entries())
        asked.push({ tenant, key: `key-${n}`, amount: 1 + ((n * 7 + at * 3) % 50), answers: [] })
    }
    const over = new AbortController()
    const nemesis = this.#rage(over.signal)
    const queue = asked.values()
    const client = async (): Promise<void> => {
      for (const each of queue) {
        // The same twice at the same time, and once more afterwards.
        await Promise.all([this.#ask(each), this.#ask(each)])
        await this.#ask(each)
      }
    }
    await Promise.all(Array.from({ length: clientsAtOnce }, client))
    over.abort()
    await nemesis
    // What was answered before must be known after it.
    await this.#killDatabase()
    await this.#heal()
    if (this.#options.variant === 'ours') await this.#rest()
    // Whoever asks when all is well again is answered as before.
    await Promise.all(asked.map((each) => this.#ask(each, 3)))
    return { seen: await this.#look(asked), faults: this.#faults, crashes: this.#crashes }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#places.map(async ({ server, database, bank }) => {
        await server.kill()
        await database.close()
        await bank.close()
      }),
    )
    await this.#bank?.kill()
    await this.#pool.end()
  }

  async #prepare(): Promise<void> {
    await this.#pool.query(
      `DROP TABLE IF EXISTS account, ledger, naive, idempotency_record;
       CREATE TABLE account (tenant text PRIMARY KEY, balance bigint NOT NULL);
       CREATE TABLE ledger (tenant text, key text, kind text, amount bigint, fence bigint);
       INSERT INTO account VALUES ('acct_a', 1000000), ('acct_b', 1000000)`,
    )
    await this.#startBank()
    for (let n = 0; n < 3; n++) {
      const database = await tcpProxy({ target: this.#options.database.url })
      const bank = await tcpProxy({ target: `http://127.0.0.1:${this.#bankPort}` })
      const { server, port } = await this.#startServer(database, bank, undefined)
      this.#places.push({ server, port, database, bank })
    }
    if (this.#options.variant === 'unlogged') {
      await this.#pool.query('ALTER TABLE idempotency_record SET UNLOGGED')
    }
  }

  async #startBank(): Promise<void> {
    this.#bank = await startChild(new URL('programs/bank.ts', import.meta.url), {
      args: [this.#log, String(this.#options.seed), '600000', String(2 * lease)],
      env: { PORT: String(this.#bankPort) },
    })
    this.#bankPort = portOf(await this.#bank.line('listening'))
  }

  async #startServer(
    database: TcpProxy,
    bank: TcpProxy,
    crashAt: string | undefined,
  ): Promise<{ server: Child; port: number }> {
    const variant = this.#options.variant === 'unlogged' ? 'ours' : this.#options.variant
    const server = await startChild(new URL('programs/server.ts', import.meta.url), {
      args: [database.url, bank.url, String(lease), variant],
      ...(crashAt !== undefined && { crashAt }),
    })
    return { server, port: portOf(await server.line('listening')) }
  }

  /** Asks one server after the other until one answers, or so many times. */
  async #ask({ tenant, key, amount, answers }: Asked & { answers: string[] }, tries = 60): Promise<void> {
    for (let tried = 0; tried < tries; tried++) {
      const place = this.#places[Math.floor(this.#random() * this.#places.length)]
      try {
        const response = await fetch(`http://127.0.0.1:${place?.port}/`, {
          method: 'POST',
          headers: { connection: 'close' },
          body: JSON.stringify({ tenant, key, amount }),
          signal: AbortSignal.timeout(4000),
        })
        const text = await response.text()
        if (response.status === 200) {
          answers.push(text)
          return
        }
      } catch {
        // Nobody knows whether it was done: it is asked for again.
      }
      await pause(20 + this.#random() * 80)
    }
  }

  async #rage(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await pause(50 + this.#random() * 250)
      const place = this.#places[Math.floor(this.#random() * this.#places.length)]
      if (place !== undefined) await this.#strike(place, this.#random())
    }
  }

  async #strike(place: Place, dice: number): Promise<void> {
    if (place.server.ended || dice < 0.5) {
      this.#count('server killed')
      const at = places[Math.floor(this.#random() * places.length)]
      await this.#restart(
        place,
        this.#random() < 0.7 ? `${at}:${1 + Math.floor(this.#random() * 4)}` : undefined,
      )
    } else if (dice < 0.65) {
      this.#count('server stopped for 2.5 leases')
      await place.server.pause()
      await pause(2.5 * lease)
      if (!place.server.ended) place.server.resume()
    } else if (dice < 0.75) {
      this.#count('partition from the database')
      place.database.refuse()
      place.database.reset()
      await pause(lease)
      await place.database.heal()
    } else if (dice < 0.82) {
      this.#count('database answers lost')
      place.database.blackHole({ direction: 'downstream' })
      await pause(lease)
      await place.database.heal()
    } else if (dice < 0.88) {
      this.#count('half-open connections to the database')
      place.database.halfOpen({})
      await place.server.kill()
      await pause(lease / 2)
      await place.database.heal()
      await this.#restart(place, undefined)
    } else if (dice < 0.94) {
      this.#count('bank out of reach')
      place.bank.blackHole({})
      await pause(lease)
      await place.bank.heal()
    } else if (dice < 0.98) {
      this.#count('bank killed')
      await this.#bank?.kill()
      await this.#startBank()
    } else {
      await this.#killDatabase()
    }
  }

  async #killDatabase(): Promise<void> {
    this.#count('database killed')
    await this.#options.database.kill()
    await this.#options.database.restart()
  }

  async #restart(place: Place, crashAt: string | undefined): Promise<void> {
    const { crashedAt } = await place.server.kill()
    if (crashedAt !== undefined) this.#crashes.push(`${crashedAt.name}:${crashedAt.n}`)
    try {
      Object.assign(place, await this.#startServer(place.database, place.bank, crashAt))
    } catch {
      // It died before it was ready: the next strike, or healing, starts it anew.
    }
  }

  async #heal(): Promise<void> {
    for (const place of this.#places) {
      await place.database.heal()
      await place.bank.heal()
      await this.#restart(place, undefined)
      await eventually(() => !place.server.ended, { within: '10s' })
    }
  }

  /** Until nobody holds anything any longer: who waits for that is the completer. */
  async #rest(): Promise<void> {
    const claimed = async (): Promise<boolean> => {
      const { rows } = await this.#pool.query(
        `SELECT count(*)::int AS open FROM idempotency_record WHERE state <> 'completed'`,
      )
      return rows[0]?.open === 0
    }
    // What is left after that is a violation, and will be found as one.
    await eventually(claimed, { within: '40s' }).catch(() => {})
  }

  async #look(asked: readonly Asked[]): Promise<Seen> {
    const entries = await this.#pool.query<Entry>(
      'SELECT tenant, key, kind, amount::int AS amount, fence::int AS fence FROM ledger',
    )
    const accounts = await this.#pool.query('SELECT sum(balance)::int AS balance FROM account')
    const records =
      this.#options.variant === 'ours'
        ? await this.#pool.query<OpenRecord>(
            `SELECT scope AS tenant, state, why FROM idempotency_record WHERE state <> 'completed'`,
          )
        : undefined
    const credits = readFileSync(this.#log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): Credit => JSON.parse(line))
    return {
      asked,
      ledger: entries.rows,
      before: 2_000_000,
      after: Number(accounts.rows[0]?.balance),
      credits,
      open: records?.rows ?? [],
    }
  }

  #count(fault: string): void {
    this.#faults[fault] = (this.#faults[fault] ?? 0) + 1
  }
}

function portOf(line: string): number {
  return Number(line.split(' ')[1])
}
