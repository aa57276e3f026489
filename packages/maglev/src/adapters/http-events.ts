import { channel } from 'node:diagnostics_channel'
import type { Channels } from '../emitter.ts'
import type { Outcome } from './http-exchange.ts'
import type { HttpProxy } from './http-proxy.ts'
import type { Endpoint } from './proxy-protocol.ts'

/** A request goes to the next backend. */
export interface HttpRetryEvent {
  readonly proxy: HttpProxy
  /** The one that failed. */
  readonly backend: string
  /** 0 for the first backend tried. */
  readonly attempt: number
  readonly error: Error
}

/** A request, or the WebSocket that it became, is over. */
export interface HttpEndEvent {
  readonly proxy: HttpProxy
  readonly method: string
  readonly path: string
  readonly source: Endpoint
  /** What the client was told; undefined where it got nothing. */
  readonly status: number | undefined
  /**
   * `refused`: the request was wrong or asked for what is not served here, no backend saw the whole of it; `unreachable`: 502; `timed-out`:
   * 504; `no-backend`: 503; `backend-abort`: the response broke off, and the client's connection with it.
   */
  readonly outcome: Outcome
  /** The last one asked. */
  readonly backend: string | undefined
  readonly milliseconds: number
  readonly error: Error | undefined
}

/** Also published to the channels `loadbearing:maglev:http-retry` and `:http-end` of `node:diagnostics_channel`. */
export interface HttpProxyEvents {
  retry: HttpRetryEvent
  end: HttpEndEvent
}

/** Counts since the proxy was made; `open`, `active` and `tunnels` are now. */
export interface HttpProxyStats {
  /** Connections of clients. */
  readonly open: number
  readonly accepted: number
  /** Closed on arrival because of `maxConnections`. */
  readonly dropped: number
  /** Requests. */
  readonly active: number
  /** WebSockets. */
  readonly tunnels: number
  readonly retries: number
  /** Bytes from clients. */
  readonly received: number
  /** Bytes to clients. */
  readonly sent: number
  /** Requests ended, by outcome. */
  readonly ended: Readonly<Record<HttpEndEvent['outcome'], number>>
  /** Requests ended, by status. */
  readonly statuses: ReadonlyMap<number, number>
}

export const httpChannels: Channels<HttpProxyEvents> = {
  retry: channel('loadbearing:maglev:http-retry'),
  end: channel('loadbearing:maglev:http-end'),
}
