import type { Airports } from './airports.ts'
import { Assignment, type Move } from './assignment.ts'
import { Child } from './child.ts'
import type { Configuration } from './configuration.ts'
import { DeskError } from './errors.ts'
import type { Flights } from './flights.ts'
import { type Batch, isFromWorker, type Report } from './messages.ts'

const BATCH_CLAIMS = 250
/** Batches that a worker holds at once: one in work and one waiting. */
const WINDOW = 2

/** What the desk tells while it works. */
export interface DeskEvents {
  /** Claims were decided and their payments reported. */
  onSettled(claims: number, payments: number): void
  /** A worker is about to be killed, with its batch paid or not. */
  onKill(worker: string, pid: number, batch: number, batches: number): void
  /** A worker is gone, killed or not, and its claims have new owners. */
  onLost(move: Move, end: string, pending: number): void
}

interface Post {
  readonly id: string
  readonly process: Child
  /** Claims to hand out, in parts: its own, then those of lost workers. */
  readonly backlog: Uint32Array[]
  readonly inFlight: Map<number, Uint32Array>
  ready: boolean
  handedOut: number
  lost: boolean
}

/** Hands the claims out to the workers that own them, and again when an owner is lost, until all are settled. */
export class Desk implements AsyncDisposable {
  readonly assignment: Assignment
  /** Euros by claim, as the workers reported them. */
  readonly books: Uint16Array
  readonly #settled: Uint8Array
  readonly #flights: Flights
  readonly #events: DeskEvents
  readonly #posts: readonly Post[]
  readonly #halt: { readonly post: Post; readonly batch: number; readonly batches: number } | undefined
  readonly #kill: Configuration['kill']
  readonly #done = Promise.withResolvers<void>()
  #open: number

  constructor(
    flights: Flights,
    airports: Airports,
    bank: string,
    configuration: Pick<Configuration, 'workers' | 'kill' | 'seed'>,
    workerProgram: URL,
    events: DeskEvents,
  ) {
    this.#flights = flights
    this.#events = events
    this.#kill = configuration.kill
    this.#open = flights.count
    this.books = new Uint16Array(flights.count)
    this.#settled = new Uint8Array(flights.count)
    // Who waits for `settle` hears of a failure; before that nobody may.
    this.#done.promise.catch(() => {})
    this.assignment = new Assignment(configuration.workers, flights.count)
    const claims = this.assignment.byOwner()
    this.#posts = this.assignment.workers.map((id, place) => {
      const post: Post = {
        id,
        process: new Child(workerProgram, [], (message) => this.#guard(() => this.#hear(post, message))),
        backlog: [claims[place] ?? new Uint32Array()],
        inFlight: new Map(),
        handedOut: 0,
        ready: false,
        lost: false,
      }
      const { latitudes, longitudes } = airports
      post.process.tell({ kind: 'start', worker: id, bank, latitudes, longitudes })
      void post.process.ended.then((end) => this.#guard(() => this.#lose(post, end)))
      return post
    })
    this.#halt = configuration.kill === 'off' ? undefined : this.#victim(configuration.seed)
  }

  get pids(): number[] {
    return this.#posts.filter((post) => !post.lost).map((post) => post.process.pid)
  }

  /** Resolves when every claim is settled. Rejects where a worker cannot go on or none is left. */
  settle(): Promise<void> {
    return this.#done.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      this.#posts.map((post) => {
        post.lost = true
        return post.process[Symbol.asyncDispose]()
      }),
    )
  }

  /** The seed's worker among those with claims, and the middle one of its batches. */
  #victim(seed: number): { post: Post; batch: number; batches: number } | undefined {
    const busy = this.#posts.filter((post) => (post.backlog[0]?.length ?? 0) > 0)
    const post = busy[seed % busy.length]
    if (post === undefined) return undefined
    const batches = Math.ceil((post.backlog[0]?.length ?? 0) / BATCH_CLAIMS)
    return { post, batch: Math.floor(batches / 2), batches }
  }

  /** Nobody gets work before all have started, so that they come to the middle of their claims at about the same time. */
  #handOutAll(): void {
    if (this.#posts.every((post) => post.ready || post.lost))
      for (const post of this.#posts) this.#handOut(post)
  }

  #handOut(post: Post): void {
    while (!post.lost && post.inFlight.size < WINDOW) {
      const claims = nextOf(post.backlog)
      if (claims === undefined) return
      const number = post.handedOut++
      post.inFlight.set(number, claims)
      post.process.tell(this.#batch(post, number, claims))
    }
  }

  #batch(post: Post, number: number, claims: Uint32Array): Batch {
    const { delays, origins, destinations } = this.#flights
    const halting = post === this.#halt?.post && number === this.#halt.batch && this.#kill !== 'off'
    return {
      kind: 'batch',
      number,
      claims,
      delays: Int32Array.from(claims, (claim) => delays[claim] ?? 0),
      origins: Uint16Array.from(claims, (claim) => origins[claim] ?? 0),
      destinations: Uint16Array.from(claims, (claim) => destinations[claim] ?? 0),
      ...(halting ? { halt: this.#kill } : {}),
    }
  }

  #hear(post: Post, message: unknown): void {
    if (!isFromWorker(message))
      throw new DeskError('WORKER_FAILED', `${post.id} sent a message that cannot be read`)
    switch (message.kind) {
      case 'ready':
        post.ready = true
        this.#handOutAll()
        break
      case 'report':
        this.#book(post, message)
        this.#handOut(post)
        break
      case 'halted':
        this.#events.onKill(post.id, post.process.pid, this.#halt?.batch ?? 0, this.#halt?.batches ?? 0)
        post.process.kill()
        break
      case 'failed':
        throw new DeskError('WORKER_FAILED', `${post.id} cannot go on: ${message.reason}`)
    }
  }

  #book(post: Post, { number, awards }: Report): void {
    const claims = post.inFlight.get(number)
    if (claims === undefined || awards.length !== claims.length) {
      throw new DeskError('WORKER_FAILED', `${post.id} reported batch ${number}, which it does not hold`)
    }
    post.inFlight.delete(number)
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
    if (this.#open === 0) this.#done.resolve()
  }

  /** Gives what the worker had not reported to the claims' new owners. */
  #lose(post: Post, end: string): void {
    if (post.lost) return
    post.lost = true
    const move = this.assignment.lose(post.id)
    const pending = [...post.inFlight.values(), ...post.backlog]
    const parts = new Map<Post, number[]>()
    for (const claims of pending) {
      for (const claim of claims) {
        const owner = this.#posts[this.assignment.ownerOf(claim)]
        if (owner === undefined) continue
        const part = parts.get(owner)
        if (part === undefined) parts.set(owner, [claim])
        else part.push(claim)
      }
    }
    this.#events.onLost(
      move,
      end,
      pending.reduce((sum, claims) => sum + claims.length, 0),
    )
    for (const [owner, claims] of parts) owner.backlog.push(Uint32Array.from(claims))
    this.#handOutAll()
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
