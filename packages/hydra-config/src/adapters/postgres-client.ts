import { HydraConfigError } from '../errors.ts'

/** What is used of a Pool of pg. */
export interface PgPool {
  readonly idleCount: number
  query(text: string, params: string[]): Promise<{ readonly rows: readonly unknown[] }>
  connect(): Promise<PgClient & { release(destroy?: boolean): void }>
}

/** What is used of a connected Client of pg. */
export interface PgClient {
  query(text: string, params?: string[]): Promise<{ readonly rows: readonly unknown[] }>
  on(event: 'notification', listener: (message: PgNotification) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'end', listener: () => void): unknown
  off(event: 'notification', listener: (message: PgNotification) => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'end', listener: () => void): unknown
}

/** What pg says of a NOTIFY. */
export interface PgNotification {
  readonly channel: string
  readonly payload?: string | undefined
}

/** What is used of the function that postgres gives. It listens on a connection of its own and renews it itself. */
export interface PostgresJs {
  unsafe(text: string, params: string[]): PromiseLike<readonly unknown[]>
  listen(
    channel: string,
    listener: (payload: string) => void,
    onListen: () => void,
  ): Promise<{ unlisten(): Promise<void> }>
}

export type PostgresClient = PgPool | PgClient | PostgresJs

/** The two things asked of PostgreSQL, whichever the client is. */
export interface PostgresPort {
  /** The first row. */
  query(text: string, params: readonly string[]): Promise<Record<string, unknown> | undefined>
  listen(channel: string, listener: (payload: string) => void, fate: ListenFate): Promise<Listening>
}

interface ListenFate {
  /** It listens again, and may have missed something. */
  tell(): void
  fail(error: unknown): void
}

interface Listening {
  close(): void
}

/** @throws {HydraConfigError} `INVALID_OPTION` */
export function postgresPort(client: PostgresClient): PostgresPort {
  if (isPostgresJs(client)) {
    return {
      query: async (text, params) => firstRow(await client.unsafe(text, [...params])),
      async listen(channel, listener, fate) {
        const { unlisten } = await client.listen(channel, listener, () => fate.tell())
        return { close: () => void unlisten().catch(() => {}) }
      },
    }
  }
  if (!isPg(client)) {
    throw new HydraConfigError(
      'INVALID_OPTION',
      'client must be a Pool or a Client of pg, or the function that postgres gives',
    )
  }
  return {
    query: async (text, params) => firstRow((await client.query(text, [...params])).rows),
    listen: (channel, listener, fate) => listenOnPg(client, channel, listener, fate),
  }
}

async function listenOnPg(
  client: PgPool | PgClient,
  channel: string,
  listener: (payload: string) => void,
  { fail }: Pick<ListenFate, 'fail'>,
): Promise<Listening> {
  const pooled = isPool(client) ? await client.connect() : undefined
  const connection: PgClient = pooled ?? ownClient(client)
  const onNotification = ({ channel: of, payload = '' }: PgNotification): void => {
    if (of === channel) listener(payload)
  }
  const onError = (error: Error): void => fail(error)
  const onEnd = (): void => fail(new Error('the connection that listens has ended'))
  const close = (broken: boolean): void => {
    connection.off('notification', onNotification)
    connection.off('end', onEnd)
    // Of a pooled connection that goes away, what comes late would be heard by nobody.
    if (pooled === undefined) connection.off('error', onError)
    pooled?.release(broken)
  }
  connection.on('notification', onNotification)
  connection.on('error', onError)
  connection.on('end', onEnd)
  try {
    await connection.query(`LISTEN "${channel}"`)
  } catch (error) {
    close(true)
    throw error
  }
  return {
    close: () => {
      if (pooled === undefined) connection.query(`UNLISTEN "${channel}"`).catch(() => {})
      // A connection that listens is not given back: it would listen for whoever has it next.
      close(true)
    },
  }
}

function ownClient(client: PgPool | PgClient): PgClient {
  if (isPool(client)) throw new TypeError('a pool is no connection')
  return client
}

function isPool(client: PgPool | PgClient): client is PgPool {
  return 'idleCount' in client
}

function isPg(client: unknown): client is PgPool | PgClient {
  return (
    typeof client === 'object' &&
    client !== null &&
    'query' in client &&
    typeof client.query === 'function' &&
    ('idleCount' in client || 'on' in client)
  )
}

function isPostgresJs(client: unknown): client is PostgresJs {
  return typeof client === 'function' && 'unsafe' in client && 'listen' in client
}

function firstRow(rows: readonly unknown[]): Record<string, unknown> | undefined {
  const [row] = rows
  return typeof row === 'object' && row !== null ? { ...row } : undefined
}
