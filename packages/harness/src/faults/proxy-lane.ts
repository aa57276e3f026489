import type { Socket } from 'node:net'

/** What one direction of a proxy does to the bytes that pass. Shared by all its connections, changed while they live. */
export interface LaneFaults {
  latencyMs: number
  jitterMs: number
  /** Infinity: no limit. 0: nothing passes, nothing is lost. */
  bytesPerSecond: number
  blackHole: boolean
  halfOpen: boolean
}

export interface LaneTotals {
  /** Bytes that the proxy has read. */
  received: number
  /** Bytes that the proxy has written to the other side. */
  delivered: number
  /** Bytes that a black hole or a vanished side has taken. */
  lost: number
}

/** Bytes held for one direction of one connection before the sender is made to wait. */
const laneLimit = 1_048_576

// How far a lane may fall behind its bandwidth (late timers) and make up for it, and how finely it is metered.
const burstMs = 50
const sliceMs = 10

// Beyond it Node's timers fire at once.
const longestTimerMs = 2 ** 31 - 1

type Item = { due: number } & ({ data: Buffer } | { end: 'close' | 'reset' })

/** One direction of one connection: what `from` sends is held, slowed or lost, and handed to `to` in order. */
export class ProxyLane {
  readonly #from: Socket
  readonly #to: Socket
  readonly #faults: LaneFaults
  readonly #totals: LaneTotals
  readonly #random: () => number
  #queue: Item[] = []
  #held = 0
  #sendableAt = 0
  #timer: NodeJS.Timeout | undefined
  #stopped = false
  // A reset may follow an orderly end: that of a side which closed and is still being sent to.
  #lastEnd: 'close' | 'reset' | undefined
  /** Whether bytes or an end were lost, so that what follows would be a stream with a gap. */
  gap = false

  constructor(from: Socket, to: Socket, faults: LaneFaults, totals: LaneTotals, random: () => number) {
    this.#from = from
    this.#to = to
    this.#faults = faults
    this.#totals = totals
    this.#random = random
    from.on('data', (data: Buffer) => this.#receive(data))
    from.on('end', () => this.#enqueueEnd('close'))
    from.on('error', () => this.#enqueueEnd('reset'))
    from.on('close', () => {
      if (this.#lastEnd === undefined) this.#enqueueEnd('reset')
    })
    to.on('drain', () => this.pump())
  }

  /** Bytes read and not yet taken by the operating system. */
  get buffered(): number {
    return this.#held + this.#to.writableLength
  }

  /** To be called when the faults have changed: loses what a black hole takes, sends what is no longer held back. */
  changed(): void {
    if (this.#faults.blackHole) {
      this.gap ||= this.#queue.length > 0
      this.#lose(this.#held)
      this.#queue = []
      this.#held = 0
      this.#from.resume()
    }
    this.#sendableAt = 0
    this.pump()
  }

  /** Takes away the delay of what is on its way. */
  hurry(): void {
    for (const item of this.#queue) item.due = 0
    this.pump()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#queue = []
    this.#held = 0
  }

  /** Sends all that is due, as far as bandwidth and the receiver allow, and sets a timer for the rest. */
  pump(): void {
    clearTimeout(this.#timer)
    for (let item = this.#queue[0]; item !== undefined && !this.#stopped; item = this.#queue[0]) {
      const now = performance.now()
      const wait = Math.max(item.due, this.#sendableAt) - now
      if (wait > 0) {
        this.#timer = setTimeout(() => this.pump(), Math.min(Math.ceil(wait), longestTimerMs))
        return
      }
      if ('end' in item) {
        if (this.#faults.halfOpen) return
        this.#queue.shift()
        this.#deliverEnd(item.end)
      } else if (!this.#send(item, now)) {
        return
      }
    }
  }

  #receive(data: Buffer): void {
    this.#totals.received += data.length
    if (this.#stopped || this.#faults.blackHole) {
      this.#lose(data.length)
      this.gap = true
      return
    }
    const { latencyMs, jitterMs } = this.#faults
    const delay = Math.max(0, latencyMs + (jitterMs === 0 ? 0 : (2 * this.#random() - 1) * jitterMs))
    this.#queue.push({ due: delay === 0 ? 0 : performance.now() + delay, data })
    this.#held += data.length
    if (this.#held >= laneLimit) this.#from.pause()
    // The head alone decides when something moves: with more in front, a pump is already waited for.
    if (this.#queue.length === 1) this.pump()
  }

  #enqueueEnd(end: 'close' | 'reset'): void {
    if (this.#stopped || this.#lastEnd === 'reset' || this.#lastEnd === end) return
    this.#lastEnd = end
    if (this.#faults.blackHole) {
      this.gap = true
      return
    }
    this.#queue.push({
      due: this.#faults.latencyMs === 0 ? 0 : performance.now() + this.#faults.latencyMs,
      end,
    })
    this.pump()
  }

  #deliverEnd(end: 'close' | 'reset'): void {
    if (end === 'close') this.#to.end()
    else resetSocket(this.#to)
  }

  /** Hands over the head of the queue or a slice of it; false when the lane has to wait for `drain` or `changed`. */
  #send(item: { data: Buffer }, now: number): boolean {
    if (this.#to.destroyed || this.#to.writableEnded) {
      this.#lose(item.data.length)
      this.#release(item, item.data.length)
      return true
    }
    if (this.#to.writableNeedDrain) return false
    const { bytesPerSecond } = this.#faults
    if (bytesPerSecond === 0) return false
    let slice = item.data
    if (bytesPerSecond !== Number.POSITIVE_INFINITY) {
      slice = slice.subarray(0, Math.max(1, Math.floor((bytesPerSecond * sliceMs) / 1_000)))
      this.#sendableAt = Math.max(this.#sendableAt, now - burstMs) + (slice.length / bytesPerSecond) * 1_000
    }
    this.#totals.delivered += slice.length
    this.#to.write(slice)
    this.#release(item, slice.length)
    return true
  }

  #release(item: { data: Buffer }, bytes: number): void {
    item.data = item.data.subarray(bytes)
    if (item.data.length === 0) this.#queue.shift()
    this.#held -= bytes
    if (this.#held < laneLimit / 2 && this.#from.isPaused()) this.#from.resume()
  }

  #lose(bytes: number): void {
    this.#totals.lost += bytes
  }
}

/** Ends `socket` with an RST, or quietly where there is no connection yet or any more. */
export function resetSocket(socket: Socket): void {
  if (socket.connecting) socket.destroy()
  else if (!socket.destroyed) socket.resetAndDestroy()
}
