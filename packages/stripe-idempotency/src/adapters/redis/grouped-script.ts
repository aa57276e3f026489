import type { Port, Script } from './client.ts'

type Argument = string | Buffer

interface Asked {
  readonly recordKey: string
  readonly args: readonly Argument[]
  readonly done: PromiseWithResolvers<boolean>
}

// While a script runs Redis does nothing else, and the next ones are made. More of them take no less for each.
const countMax = 32
const lengthMax = 65_536

/**
 * A script of one key each, for which those that are asked in one turn of the event loop make one call: to call it costs
 * Redis as much as what it does for one of them. Each has its own outcome. In a cluster, where a script has the keys of one
 * node, each has its own call.
 */
export class GroupedScript {
  readonly #port: Port
  readonly #script: Script
  readonly #leading: () => readonly Argument[]
  #waiting: Asked[] = []
  #length = 0

  /** @param leading the arguments before those of the keys, when they are sent */
  constructor(port: Port, script: Script, leading: () => readonly Argument[]) {
    this.#port = port
    this.#script = script
    this.#leading = leading
  }

  /** Whether the script made the change. */
  ask(recordKey: string, args: readonly Argument[]): Promise<boolean> {
    const done = Promise.withResolvers<boolean>()
    if (this.#waiting.length === 0) process.nextTick(() => void this.#send())
    this.#waiting.push({ recordKey, args, done })
    for (const { length } of args) this.#length += length
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
      const args = [...this.#leading()]
      for (const { args: own } of sent) args.push(...own)
      const keys = sent.map(({ recordKey }) => recordKey)
      const answered = await this.#port.run(this.#script, keys, args)
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
