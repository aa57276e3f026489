import { HarnessError } from '../errors.ts'

/**
 * What a process has said and nobody has read yet. Reading goes forward only: an item is given out at most once, and
 * what came before it is gone. The oldest items are let go when their sizes exceed `limit`.
 */
export class Inbox<T> {
  readonly #limit: number
  readonly #sizeOf: (item: T) => number
  #unread: T[] = []
  #size = 0
  #waiting: Waiting<T> | undefined
  #ended: HarnessError | undefined

  constructor(limit: number, sizeOf: (item: T) => number) {
    this.#limit = limit
    this.#sizeOf = sizeOf
  }

  push(item: T): void {
    if (this.#waiting?.wanted(item)) {
      this.#unread = []
      this.#size = 0
      this.#settle()?.resolve(item)
      return
    }
    this.#unread.push(item)
    this.#size += this.#sizeOf(item)
    while (this.#size > this.#limit && this.#unread.length > 1) {
      const oldest = this.#unread.shift()
      if (oldest !== undefined) this.#size -= this.#sizeOf(oldest)
    }
  }

  /** The next item that is `wanted`; rejects after `withinMs`, or when no more can come. */
  async next(what: string, wanted: (item: T) => boolean, withinMs: number): Promise<T> {
    if (this.#waiting !== undefined) {
      throw new HarnessError('BAD_OPTION', `already waiting for ${this.#waiting.what}: await that first`)
    }
    const at = this.#unread.findIndex(wanted)
    const found = this.#unread[at]
    if (found !== undefined) {
      for (const item of this.#unread.splice(0, at + 1)) this.#size -= this.#sizeOf(item)
      return found
    }
    if (this.#ended !== undefined) throw this.#ended
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#settle()?.reject(new HarnessError('TIMED_OUT', `not said within ${withinMs} ms: ${what}`))
      }, withinMs)
      this.#waiting = { what, wanted, resolve, reject, timer }
    })
  }

  /** No more items come; who waits is rejected with `reason`. */
  end(reason: HarnessError): void {
    this.#ended = reason
    this.#settle()?.reject(reason)
  }

  #settle(): Waiting<T> | undefined {
    const waiting = this.#waiting
    this.#waiting = undefined
    clearTimeout(waiting?.timer)
    return waiting
  }
}

interface Waiting<T> {
  what: string
  wanted: (item: T) => boolean
  resolve: (item: T) => void
  reject: (reason: unknown) => void
  timer: NodeJS.Timeout
}
