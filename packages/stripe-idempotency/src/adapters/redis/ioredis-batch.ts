type Arguments = (string | Buffer | number)[]

/** What is used of a client of ioredis that takes many commands at once. */
export interface IoredisPipelines {
  callBuffer(command: string, args: Arguments): Promise<unknown>
  pipeline(): {
    callBuffer(command: string, args: Arguments): unknown
    exec(): Promise<readonly (readonly [error: Error | null, result?: unknown])[] | null>
  }
}

interface Asked {
  readonly command: string
  readonly args: Arguments
  readonly answered: PromiseWithResolvers<unknown>
}

/** So many commands go together at most. */
const batchMax = 256

/**
 * Commands of one client, of which those that are given in one turn of the event loop go to the server in one write. Each by
 * itself is a call of the operating system here and there, which takes longer than what it asks for. No command waits for
 * another one's turn, and each has its own answer.
 */
export class IoredisBatch {
  readonly #client: IoredisPipelines
  #waiting: Asked[] = []

  constructor(client: IoredisPipelines) {
    this.#client = client
  }

  call(command: string, args: Arguments): Promise<unknown> {
    const answered = Promise.withResolvers<unknown>()
    // Behind all that goes on with the answers that came with this turn.
    if (this.#waiting.length === 0) process.nextTick(() => void this.#send())
    this.#waiting.push({ command, args, answered })
    if (this.#waiting.length === batchMax) void this.#send()
    return answered.promise
  }

  async #send(): Promise<void> {
    const sent = this.#waiting
    this.#waiting = []
    try {
      const [first] = sent
      if (first !== undefined && sent.length === 1) {
        first.answered.resolve(this.#client.callBuffer(first.command, first.args))
        return
      }
      const pipeline = this.#client.pipeline()
      for (const { command, args } of sent) pipeline.callBuffer(command, args)
      const results = await pipeline.exec()
      for (const [at, { answered }] of sent.entries()) {
        const [error, result] = results?.[at] ?? [new Error('ioredis gave no answer to a command')]
        if (error === null) answered.resolve(result)
        else answered.reject(error)
      }
    } catch (error) {
      for (const { answered } of sent) answered.reject(error)
    }
  }
}
