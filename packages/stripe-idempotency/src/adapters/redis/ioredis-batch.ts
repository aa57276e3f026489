type Arguments = (string | Buffer | number)[]

/** What is used of a client of ioredis to have many commands leave in few writes. */
export interface IoredisConnection {
  callBuffer(command: string, args: Arguments): Promise<unknown>
  /** Another one after each loss of the connection; none before the first. */
  readonly stream?: Corkable
}

interface Corkable {
  cork(): void
  uncork(): void
  /** Bytes that are not sent yet. */
  readonly writableLength: number
}

/** So many bytes go before the turn is over: the server is at work on them while the rest is made. */
const lengthMax = 8192

/**
 * Commands of one client, of which those that are given in one turn of the event loop go to the server in few writes. Each by
 * itself is a call of the operating system here and there, which takes longer than what it asks for. No command waits for
 * another one's turn, and each has its own answer. A pipeline of ioredis would do the same, but what comes with it is kept in
 * memory until long after, which takes the garbage collector longer than all the rest.
 */
export class IoredisBatch {
  readonly #client: IoredisConnection
  #corked: Corkable | undefined

  constructor(client: IoredisConnection) {
    this.#client = client
  }

  call(command: string, args: Arguments): Promise<unknown> {
    if (this.#corked === undefined) this.#cork()
    const answered = this.#client.callBuffer(command, args)
    if (this.#corked !== undefined && this.#corked.writableLength >= lengthMax) {
      this.#corked.uncork()
      this.#corked.cork()
    }
    return answered
  }

  #cork(): void {
    const { stream } = this.#client
    if (stream === undefined) return
    this.#corked = stream
    stream.cork()
    // Behind all that goes on with the answers that came with this turn.
    process.nextTick(() => {
      this.#corked = undefined
      stream.uncork()
    })
  }
}
