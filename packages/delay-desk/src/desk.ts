import { isMaglevError, type Lease, type Pool, type PoolStats } from '@loadbearing/maglev'
import type { Airports } from './airports.ts'
import { Assignment, byPlace, keyOf, type Move, nobodyLeft } from './assignment.ts'
import type { Child } from './child.ts'
import type { Configuration } from './configuration.ts'
import type { Decisions } from './decisions.ts'
import { DeskError } from './errors.ts'
import type { Flights } from './flights.ts'
import {
  type Batch,
  type CallTallies,
  type HaltPoint,
  isFromWorker,
  noCalls,
  noPayments,
  type PaymentTally,
  type Report,
  sumOfCalls,
  sumOfPayments,
} from './messages.ts'
import { type Hired, hire, type Services, tableOf, watch } from './staff.ts'
import { WorkerLine } from './worker-line.ts'

const BATCH_CLAIMS = 250
/** Batches that a worker holds at once: one in work and one waiting. */
const WINDOW = 2
/** Until a worker that failed a call is called again. */
const RETRY_MS = 20
/** How long the desk waits for any worker to be well again before it gives up. */
const PATIENCE_MS = 2_000

/** The pool has found that a worker is not there. */
export interface Finding {
  readonly worker: string
  readonly by: 'outlier detection' | 'probes'
  /** Since the desk struck it; undefined where somebody else did. */
  readonly afterMs: number | undefined
}

/** What the desk tells while it works. */
export interface DeskEvents {
  /** Claims were decided and their payments reported. */
  onSettled(claims: number, payments: number): void
  /** A worker is about to be killed or stopped in the middle of a batch. */
  onStrike(worker: string, pid: number, batch: number, batches: number): void
  onFound(finding: Finding): void
  /** A new table is in force. */
  onMoved(move: Move, unsettled: number): void
}

interface Post {
  readonly id: string
  readonly process: Child
  readonly line: WorkerLine
  /** Claims to hand out, in parts: its own, then those of lost workers. */
  backlog: Uint32Array[]
  /** The claims of each call under way, by what aborts it. */
  readonly calls: Map<AbortController, Uint32Array>
  handedOut: number
  resting: boolean
  /** By its last report. */
  tallies: CallTallies
  payments: PaymentTally
}

/** Hands the claims out to the workers that own them, and again when an owner is lost, until all are settled. */
export class Desk implements AsyncDisposable {
  readonly assignment: Assignment
  /** Claims of the worker that owned the fewest at the start, and of the one with the most. */
  readonly shares: readonly [least: number, most: number]
  /** Euros by claim, as the workers reported them. */
  readonly books: Uint16Array
  /** Who was let do what, as the workers reported it. */
  readonly decisions: Decisions[] = []
  /** Claims of which nobody could tell whether the bank had paid them. */
  readonly uncertain: Set<number> = new Set()
  readonly #settled: Uint8Array
  readonly #flights: Flights
  readonly #events: DeskEvents
  readonly #pool: Pool
  readonly #posts: readonly Post[]
  readonly #kill: Configuration['desk']['kill']
  readonly #victim: { readonly post: Post; readonly batch: number; readonly batches: number } | undefined
  readonly #done = Promise.withResolvers<void>()
  #struckAt: number | undefined
  #asleep = false
  #open: number
  #closed = false
  #patience: NodeJS.Timeout | undefined

  private constructor(
    flights: Flights,
    workers: readonly Hired[],
    { desk: { kill }, seed }: Pick<Configuration, 'desk' | 'seed'>,
    events: DeskEvents,
  ) {
    this.#flights = flights
    this.#events = events
    this.#kill = kill
    this.#open = flights.count
    this.books = new Uint16Array(flights.count)
    this.#settled = new Uint8Array(flights.count)
    // Who waits for `settle` hears of a failure; before that nobody may.
    this.#done.promise.catch(() => {})
    const table = tableOf(workers)
    // First the claims of all flights, which take a while, then the pool, whose first probes decide alone.
    this.assignment = new Assignment(table, flights.count)
    const claims = this.assignment.byOwner()
    const counts = claims.map(({ length }) => length)
    this.shares = [Math.min(...counts), Math.max(...counts)]
    this.#posts = workers.map(({ id, address, process }, place) => ({
      id,
      process,
      line: new WorkerLine(id, address),
      backlog: [claims[place] ?? new Uint32Array()],
      calls: new Map(),
      handedOut: 0,
      resting: false,
      tallies: { records: noCalls, bank: noCalls },
      payments: noPayments,
    }))
    this.#victim = kill === 'nobody' ? undefined : this.#choose(seed)
    this.#pool = watch(table)
  }

  /** Starts the workers and the pool that they are behind; nothing is handed out before `settle`. */
  static async open(
    flights: Flights,
    airports: Airports,
    services: Services,
    configuration: Pick<Configuration, 'desk' | 'seed'>,
    workerProgram: URL,
    events: DeskEvents,
  ): Promise<Desk> {
    let hear = (_worker: string, _message: unknown): void => {}
    const workers = await hire(
      configuration.desk.workers,
      airports,
      services,
      workerProgram,
      (worker, message) => hear(worker, message),
    )
    const desk = new Desk(flights, workers, configuration, events)
    hear = (worker, message) => desk.#guard(() => desk.#hear(worker, message))
    return desk
  }

  get pids(): number[] {
    return this.#posts.filter(({ process }) => process.lives).map(({ process }) => process.pid)
  }

  get tableSize(): number {
    return this.#pool.maglev.tableSize
  }

  /** What the workers' calls to the services came to, as far as they have reported it. */
  get calls(): CallTallies {
    return {
      records: sumOfCalls(this.#posts.map(({ tallies }) => tallies.records)),
      bank: sumOfCalls(this.#posts.map(({ tallies }) => tallies.bank)),
    }
  }

  /** What became of the payments, as far as the workers have reported it. */
  get payments(): PaymentTally {
    return sumOfPayments(this.#posts.map(({ payments }) => payments))
  }

  stats(): PoolStats {
    return this.#pool.stats()
  }

  /** Resolves when every claim is settled. Rejects where a worker cannot go on or none is left. */
  settle(): Promise<void> {
    this.#pool.on('state', ({ id, to }) => this.#guard(() => this.#learn(id, to)))
    this.#pool.on('rebuild', () => this.#guard(() => this.#reassign()))
    this.#guard(() => this.#handOutAll())
    return this.#done.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    clearTimeout(this.#patience)
    for (const { calls, line } of this.#posts) {
      for (const call of calls.keys()) call.abort()
      line[Symbol.dispose]()
    }
    await this.#pool[Symbol.asyncDispose]()
    await Promise.all(this.#posts.map(({ process }) => process[Symbol.asyncDispose]()))
  }

  /** The seed's worker among those with claims, and the middle one of its batches. */
  #choose(seed: number): { post: Post; batch: number; batches: number } | undefined {
    const busy = this.#posts.filter((post) => (post.backlog[0]?.length ?? 0) > 0)
    const post = busy[seed % busy.length]
    if (post === undefined) return undefined
    const batches = Math.ceil((post.backlog[0]?.length ?? 0) / BATCH_CLAIMS)
    return { post, batch: Math.floor(batches / 2), batches }
  }

  #handOutAll(): void {
    for (const post of this.#posts) this.#handOut(post)
  }

  #handOut(post: Post): void {
    while (!this.#closed && !post.resting && post.calls.size < WINDOW) {
      const claims = nextOf(post.backlog)
      if (claims === undefined) return
      const lease = this.#lease(claims)
      if (lease?.id !== post.id) {
        // The pool knows of a loss that the table does not show yet: the rebuild under way gives them to their new owner.
        lease?.[Symbol.dispose]()
        post.backlog.unshift(claims)
        return
      }
      void this.#call(post, claims, lease)
    }
  }

  #lease(claims: Uint32Array): Lease | undefined {
    try {
      const lease = this.#pool.acquire(keyOf(claims[0] ?? 0))
      clearTimeout(this.#patience)
      this.#patience = undefined
      return lease
    } catch (error) {
      if (!isMaglevError(error) || error.code !== 'NO_BACKEND') throw error
      this.#patience ??= setTimeout(() => this.#done.reject(nobodyLeft()), PATIENCE_MS)
      return undefined
    }
  }

  async #call(post: Post, claims: Uint32Array, lease: Lease): Promise<void> {
    using held = lease
    const call = new AbortController()
    post.calls.set(call, claims)
    let failed = false
    try {
      const report = await post.line.settle(this.#batch(post, claims), call.signal)
      held.report('ok')
      this.#book(post, claims, report)
    } catch (error) {
      if (error instanceof DeskError) {
        this.#done.reject(error)
        return
      }
      failed = true
      if (!call.signal.aborted) held.report('gateway-failure')
    } finally {
      post.calls.delete(call)
    }
    this.#guard(() => {
      if (failed) this.#takeBack(post, claims)
      else this.#handOut(post)
    })
  }

  #batch(post: Post, claims: Uint32Array): Batch {
    const { delays, origins, destinations } = this.#flights
    const strikes = post === this.#victim?.post && post.handedOut++ === this.#victim.batch
    const halt = strikes ? haltPoint(this.#kill) : undefined
    return {
      claims,
      delays: Int32Array.from(claims, (claim) => delays[claim] ?? 0),
      origins: Uint16Array.from(claims, (claim) => origins[claim] ?? 0),
      destinations: Uint16Array.from(claims, (claim) => destinations[claim] ?? 0),
      ...(halt === undefined ? {} : { halt }),
    }
  }

  #hear(worker: string, message: unknown): void {
    if (!isFromWorker(message))
      throw new DeskError('WORKER_FAILED', `${worker} sent a message that cannot be read`)
    if (message.kind === 'halted' && this.#victim !== undefined) {
      const { post, batch, batches } = this.#victim
      this.#events.onStrike(post.id, post.process.pid, batch, batches)
      this.#struckAt = performance.now()
      this.#asleep = this.#kill === 'hang'
      if (this.#asleep) post.process.pause()
      else post.process.kill()
    }
    if (message.kind === 'caught-up' && this.#victim !== undefined) {
      this.#victim.post.payments = message.payments
      this.#asleep = false
      this.#finish()
    }
  }

  /** Hears from the pool that a worker is there or not. */
  #learn(id: string, state: string): void {
    const post = this.#posts.find((each) => each.id === id)
    if (state === 'ejected' || state === 'unhealthy') {
      const struck = this.#victim?.post === post ? this.#struckAt : undefined
      this.#events.onFound({
        worker: id,
        by: state === 'ejected' ? 'outlier detection' : 'probes',
        afterMs: struck === undefined ? undefined : performance.now() - struck,
      })
      for (const call of post?.calls.keys() ?? []) call.abort()
    }
    this.#handOutAll()
  }

  /** Gives what is not handed out to those who own it by the new table. */
  #reassign(): void {
    const move = this.assignment.refresh()
    if (move.lost.length + move.back.length === 0) return
    const pending = this.#posts
      .filter(({ id }) => move.lost.includes(id))
      .flatMap(({ backlog, calls }) => [...backlog, ...calls.values()])
    this.#events.onMoved(
      move,
      pending.reduce((sum, { length }) => sum + length, 0),
    )
    const backlogs = this.#posts.map((post) => post.backlog.splice(0))
    for (const claims of backlogs.flat()) this.#give(claims)
    if (this.#asleep && move.lost.includes(this.#victim?.post.id ?? '')) this.#wake()
    this.#handOutAll()
  }

  /** Claims whose call failed: nobody knows whether they are paid, so their owner of now is asked again, after a rest. */
  #takeBack(post: Post, claims: Uint32Array): void {
    this.#give(claims)
    if (!post.resting) {
      post.resting = true
      setTimeout(() => {
        post.resting = false
        this.#guard(() => this.#handOut(post))
      }, RETRY_MS)
    }
    this.#handOutAll()
  }

  #give(claims: Uint32Array): void {
    const parts = byPlace(this.#posts.length, claims, (claim) => this.assignment.ownerOf(claim))
    for (const [place, part] of parts.entries()) if (part.length > 0) this.#posts[place]?.backlog.push(part)
  }

  /** Lets the worker that hung go on: what it pays now comes late. */
  #wake(): void {
    const worker = this.#victim?.post.process
    worker?.resume()
    worker?.tell({ kind: 'resume' })
  }

  #book(post: Post, claims: Uint32Array, report: Report): void {
    const { awards, uncertain } = report
    post.tallies = report.calls
    post.payments = report.payments
    this.decisions.push(report.decisions)
    for (const claim of uncertain) this.uncertain.add(claim)
    let payments = 0
    for (const [at, claim] of claims.entries()) {
      if (this.#settled[claim] !== 0)
        throw new DeskError('WORKER_FAILED', `${post.id} settled claim ${claim} again`)
      this.#settled[claim] = 1
      const amount = awards[at] ?? 0
      this.books[claim] = amount
      if (amount > 0) payments++
    }
    this.#open -= claims.length
    this.#events.onSettled(claims.length, payments)
    this.#finish()
  }

  /** A worker that was woken pays late; the run waits for that, to show that it does no harm. */
  #finish(): void {
    if (this.#open === 0 && !this.#asleep) this.#done.resolve()
  }

  #guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#done.reject(error)
    }
  }
}

/** Takes the next batch off a backlog. */
function nextOf(backlog: Uint32Array[]): Uint32Array | undefined {
  const first = backlog.shift()
  if (first === undefined || first.length === 0) return first === undefined ? undefined : nextOf(backlog)
  if (first.length > BATCH_CLAIMS) backlog.unshift(first.subarray(BATCH_CLAIMS))
  return first.subarray(0, BATCH_CLAIMS)
}

/** A worker that hangs does so with its batch unpaid: it pays it when it wakes. */
function haltPoint(kill: Configuration['desk']['kill']): HaltPoint | undefined {
  return kill === 'nobody' ? undefined : kill === 'hang' ? 'taken' : kill
}
