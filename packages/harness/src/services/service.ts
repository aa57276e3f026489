/** The servers that the harness knows. */
export type ServiceKind = 'postgres' | 'redis' | 'valkey' | 'nats' | 'kafka'

export interface ServiceOptions {
  /** Servers of different names run side by side. Default `'default'`. */
  name?: string
}

/**
 * A server for tests, which this process shares by kind and name: a second call finds it running, and it ends when
 * the last one that asked for it has stopped it, or with this process. Another process gets a server of its own,
 * unless it is handed this one's `url` in the service's environment variable.
 */
export interface Service extends AsyncDisposable {
  readonly kind: ServiceKind
  readonly name: string
  /** Where clients connect, credentials included. It stays the same over `kill`, `restart` and `reset`. */
  readonly url: string
  /** Whether the harness started the server. Where an environment variable gave it, only `stop` may be called. */
  readonly owned: boolean
  /** Process id of the server; undefined while it is killed and where it is not ours. */
  readonly pid: number | undefined
  /** The end of the server's log, at most 64 KiB. */
  readonly log: string
  /** SIGKILL to the server and its children, as a crash would. The data stays: see {@link Service.restart}. */
  kill(): Promise<void>
  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): Promise<void>
  /** SIGCONT. */
  resume(): Promise<void>
  /** Starts a killed server again, or stops a running one in good order first. Data, port and `url` stay. */
  restart(): Promise<void>
  /** Replaces all data by that of a new server. Connections are lost; port and `url` stay. */
  reset(): Promise<void>
  /** Lets go of the server. The last one who does ends its process and deletes its data. Again: nothing. */
  stop(): Promise<void>
}
