import type { Port } from './client.ts'
import { completeScript } from './scripts.ts'

type Argument = string | Buffer

/** A completion of a record: its key in Redis, the parts of its holder, its id, and the answer. */
export interface Completion {
  readonly recordKey: string
  readonly parts: string
  readonly id: string
  readonly answer: Argument
}

interface Asked extends Completion {
  readonly done: PromiseWithResolvers<boolean>
}

// While a script runs Redis does nothing else.
const countMax = 64
const lengthMax = 65_536

/**
 * Completions of one turn of the event loop, which one call of the script makes: to call it costs Redis as much as what it
 * does for one of them. Each has its own outcome. In a cluster, where a script has the keys of one node, each has its own call.
 */
export class Completions {
  readonly #port: Port
  readonly #time: () => string
  readonly #channel: string
  #waiting: Asked[] = []
  #length = 0

  /** @param time as scripts take it */
  constructor(port: Port, time: () => string, channel: string) {
    this.#port = port
    this.#time = time
    this.#channel = channel
  }

  complete(completion: Completion): Promise<boolean> {
    const done = Promise.withResolvers<boolean>()
    if (this.#waiting.length === 0) process.nextTick(() => void this.#send())
    this.#waiting.push({ ...completion, done })
    this.#length += completion.answer.length
    const isOfCluster = this.#port.command === undefined
    if (isOfCluster || this.#waiting.length === countMax || this.#length > lengthMax) void this.#send()
    return done.promise
  }

  async #send(): Promise<void> {
    const sent = this.#waiting
    if (sent.length === 0) return
    this.#waiting = []
    this.#length = 0
    try {
      const args: Argument[] = [this.#time(), this.#channel]
      for (const { parts, id, answer } of sent) args.push(parts, id, answer)
      const keys = sent.map(({ recordKey }) => recordKey)
      const answered = await this.#port.run(completeScript, keys, args)
      for (const [at, { done }] of sent.entries()) {
        const came: unknown = Array.isArray(answered) ? answered[at] : undefined
        if (typeof came === 'number') done.resolve(came === 1)
        else done.reject(new Error(String(came)))
      }
    } catch (error) {
      for (const { done } of sent) done.reject(error)
    }
  }
}
