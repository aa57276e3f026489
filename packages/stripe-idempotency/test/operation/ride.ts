import { DatabaseSync } from 'node:sqlite'
import {
  applied,
  createIdempotency,
  type Idempotency,
  type IdempotencyStore,
  isIdempotencyError,
  memoryOutbox,
  memoryStore,
  notApplied,
  type Operation,
  unknown,
  type Verdict,
  type WorkerOptions,
} from '@loadbearing/stripe-idempotency'
import { sqliteOutbox, sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { VirtualClock } from '../virtual-clock.ts'
import { type Fate, Process } from './process.ts'

export const minute = 60_000
export const hour = 60 * minute
/** For how long the bank knows a key. */
const retention = 2 * hour

/** What becomes of one call of the bank. */
export type BankFault =
  | 'answers'
  /** It takes effect, and the answer is lost. */
  | 'loses its answer'
  | 'does not hear'
  /** It takes effect after so long, when nobody waits any longer. */
  | { readonly late: number }

/** How the operation finds out what became of a call. */
export type Reconcile = 'asks' | 'cannot tell' | 'has no way'

export interface Charge {
  readonly charge: string
}

/** What an attempt came to. */
export type Came = { readonly outcome: 'value'; readonly value: unknown } | { readonly outcome: string }

/** A database, a bank, and processes that carry out one ride. */
export class World implements AsyncDisposable {
  readonly clock = new VirtualClock()
  readonly database = new DatabaseSync(':memory:')
  readonly store: IdempotencyStore
  readonly #transactional: boolean
  readonly #reconcile: Reconcile
  readonly #outbox
  readonly #bank = new Map<string, { readonly at: number; readonly charge: string }>()
  /** What the bank did, by the key it was asked with. */
  readonly applications: string[] = []
  readonly #noted: string[] = []

  constructor(kind: 'sqlite' | 'memory', reconcile: Reconcile) {
    this.#reconcile = reconcile
    this.#transactional = kind === 'sqlite'
    this.database.exec('CREATE TABLE ledger (entry TEXT NOT NULL)')
    const { clock, database } = this
    this.store = this.#transactional ? sqliteStore({ database, clock }) : memoryStore({ clock })
    this.#outbox = this.#transactional ? sqliteOutbox({ database, clock }) : memoryOutbox()
  }

  /** What local phases wrote and was committed. */
  get ledger(): readonly string[] {
    const rows = this.database.prepare('SELECT entry FROM ledger').all()
    return [...rows.map(({ entry }) => String(entry)), ...this.#noted]
  }

  async jobs(): Promise<readonly string[]> {
    const names: string[] = []
    while (await this.#outbox.drain(10, async (jobs) => void names.push(...jobs.map(({ name }) => name)))) {
      // Until there are none.
    }
    return names
  }

  /** One process that carries the ride out, at once. */
  begin(fate: Fate, faults: readonly BankFault[] = []): { process: Process; came: () => Came | undefined } {
    const process = new Process(this.clock, fate)
    const { ride } = this.operation(process, faults)
    let came: Came | undefined
    void ride.execute({ scope: 'acct_1', key: 'ride', input: { fare: 5 } }).then(
      ({ value }) => (came = { outcome: 'value', value }),
      (error: unknown) => (came = { outcome: isIdempotencyError(error) ? error.code : String(error) }),
    )
    return { process, came: () => came }
  }

  /** As a process has it. */
  operation(
    process: Process,
    faults: readonly BankFault[] = [],
  ): {
    ride: Pick<Operation<unknown, { fare: number }, unknown, unknown, Charge>, 'execute'>
    idempotency: Pick<Idempotency, 'worker'>
  } {
    const store = process.reaching(this.store)
    const idempotency = createIdempotency({
      store,
      outbox: this.#outbox,
      clock: process.clock,
      lease: '60s',
      ttl: '30d',
    })
    let calls = 0
    const ask = async (): Promise<Verdict<Charge>> => {
      await process.pass()
      if (this.#reconcile === 'cannot tell') return unknown()
      const [charge] = this.applications
      return charge === undefined ? notApplied() : applied({ charge })
    }
    const ride = idempotency
      .operation<{ fare: number }>('ride.create')
      .tx('ride_created', async (_, { input }) => {
        await this.#write(process, `ride ${input.fare}`)
        return { ride: 1 }
      })
      .call('charge_created', {
        retention,
        run: async ({ foreignKey }): Promise<Charge> => {
          await process.pass()
          const charge = await this.#charge(foreignKey, faults[calls++] ?? 'answers')
          await process.pass()
          return { charge }
        },
        ...(this.#reconcile === 'has no way' ? {} : { reconcile: ask }),
      })
      .tx('done', async (_, { prev, outputs, stage }) => {
        await this.#write(process, `paid ${prev.charge} for ${outputs.ride_created.ride}`)
        stage('receipt', prev)
        return prev
      })
    return { ride, idempotency }
  }

  /** The process that clears up. */
  async heal(
    options: WorkerOptions = { complete: { pickUpAfter: '1s', againAfter: '1s', every: '60s' } },
  ): Promise<void> {
    const process = new Process(this.clock, {})
    const { idempotency } = this.operation(process)
    const worker = idempotency.worker(options)
    await this.wait(10 * minute)
    await worker[Symbol.asyncDispose]()
  }

  async wait(ms: number): Promise<void> {
    let over = false
    this.clock.setTimeout(() => (over = true), ms)
    await this.clock.run(() => over)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.database.close()
  }

  async #write(process: Process, entry: string): Promise<void> {
    await process.pass()
    if (this.#transactional) this.database.prepare('INSERT INTO ledger VALUES (?)').run(entry)
    else this.#noted.push(entry)
    await process.pass()
  }

  async #charge(key: string, fault: BankFault): Promise<string> {
    if (fault === 'does not hear') throw connectionLost()
    if (typeof fault === 'object') {
      this.clock.setTimeout(() => this.#apply(key), fault.late)
      throw connectionLost()
    }
    const charge = this.#apply(key)
    if (fault === 'loses its answer') throw connectionLost()
    return charge
  }

  /** The bank keeps its side of the contract, for as long as it says. */
  #apply(key: string): string {
    const known = this.#bank.get(key)
    if (known !== undefined && known.at + retention > this.clock.now()) return known.charge
    this.applications.push(key)
    this.#bank.set(key, { at: this.clock.now(), charge: key })
    return key
  }
}

function connectionLost(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
}
