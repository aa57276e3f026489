import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ConnectionSource } from './connection-source.ts'
import type { ClientSide, Exchange } from './http-exchange.ts'

/** A request and its response, on the connection of a client. */
export interface Turn {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly tunnel: Exchange['tunnel']
  readonly client: ClientSide
}

/** What a client is to be told of bytes that are no HTTP. */
export type Fault = NonNullable<ClientSide['fault']>

/** Requests that a client may send on one connection ahead of their responses. */
const pipelinedMax = 32

/** The connection of a client. Its requests are carried one after the other: a later one may build on an earlier one. */
export class ClientConnection {
  who: ConnectionSource
  readonly #serve: (turn: Turn, who: ConnectionSource) => Promise<void>
  readonly #refuse: (fault: Fault) => void
  /** The one that is carried, and those that wait. */
  readonly #turns: Turn[] = []
  /** What came after the last of them. */
  #fault: Fault | undefined

  constructor(
    who: ConnectionSource,
    serve: (turn: Turn, who: ConnectionSource) => Promise<void>,
    refuse: (fault: Fault) => void,
  ) {
    this.who = who
    this.#serve = serve
    this.#refuse = refuse
  }

  /** Whether no request is without its whole response. */
  get isIdle(): boolean {
    return this.#turns.length === 0
  }

  /** Has a request carried when its turn comes; false where too many wait. */
  add(turn: Turn): boolean {
    if (this.#turns.length === pipelinedMax) return false
    this.#turns.push(turn)
    // At once where possible: a refusal has to be written before the parser stumbles over what follows.
    if (this.#turns.length === 1) void this.#carry()
    return true
  }

  /** Has bytes that are no HTTP answered when their turn comes; false where the response to them has already begun. */
  stumble(fault: Fault): boolean {
    const last = this.#turns.at(-1)
    if (last === undefined) this.#refuse(fault)
    else if (last.request.complete) this.#fault ??= fault
    else if (last.response.headersSent) return false
    else if (last.client.fault === undefined) {
      last.client.fault = fault
      last.client.giveUp?.()
    }
    return true
  }

  async #carry(): Promise<void> {
    let over = false
    for (let turn = this.#turns[0]; turn !== undefined; turn = this.#turns[0]) {
      const { socket } = turn.request
      // What comes after a response that says it is the last one is not a request any more.
      over ||= socket.destroyed
      if (!over) await this.#serve(turn, this.who)
      over ||= socket.destroyed || !turn.response.shouldKeepAlive
      this.#turns.shift()
    }
    if (!over && this.#fault !== undefined) this.#refuse(this.#fault)
  }
}
