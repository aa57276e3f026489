import { IdempotencyError, shown } from '../../errors.ts'
import { PgBatch, takesBatch } from './pg-batch.ts'

/** Whatever runs one statement on one connection: a `Client` of `pg`, or a few lines around any other driver. */
export interface PostgresQuerier {
  query(text: string, params: unknown[]): Promise<unknown>
}

/** What is used of a `Pool` of `pg`. */
interface PgPool extends PostgresQuerier {
  connect(): Promise<PgPoolClient>
  readonly options: { readonly max: number }
}

/** What is used of a connection of `pg`. */
interface PgConnection extends PostgresQuerier {
  on(event: 'notification', listener: (message: { readonly payload?: string | undefined }) => void): unknown
  on(event: 'error' | 'end', listener: () => void): unknown
  removeListener(
    event: 'notification',
    listener: (message: { readonly payload?: string | undefined }) => void,
  ): unknown
  removeListener(event: 'error' | 'end', listener: () => void): unknown
}

/** What is used of a connection out of a pool. */
interface PgPoolClient extends PgConnection {
  release(error?: boolean): void
}

/** What is used of the `sql` of `postgres`, and of the one in `sql.begin(…)`. */
interface PostgresJs {
  unsafe(text: string, params?: never[], options?: { readonly prepare: boolean }): PromiseLike<unknown>
}

/** What is used of the `sql` of `postgres` besides. */
interface PostgresJsRoot extends PostgresJs {
  reserve(): Promise<PostgresJsReserved>
  listen(channel: string, listener: (payload: string) => void): Promise<{ unlisten(): Promise<void> }>
}

/** A connection of `postgres`. */
interface PostgresJsReserved extends PostgresJs {
  release(): void
}

/** What a store can be made of: a `Pool` or a connected `Client` of `pg`, or the `sql` of `postgres`. */
export type PostgresClient = PgPool | PgConnection | PostgresJsRoot

export type Row = Readonly<Record<string, unknown>>

/** Of one text, and of no other. */
export interface Statement {
  readonly name: string
  readonly text: string
}

/** A statement and its parameters. */
export type Step = readonly [statement: Statement, params: readonly unknown[]]

/** What several statements came to: the rows of all, without the names of their columns, and the tag of the last. */
export interface Answered {
  readonly rows: readonly (readonly unknown[])[]
  readonly tag: string
}

/** One connection, or any of several. */
export interface Querier {
  query(statement: Statement, params: readonly unknown[]): Promise<readonly Row[]>
  /**
   * One after the other on one connection, in one round trip where its driver lets them. Where one fails those behind it are
   * not carried out, or come to nothing with their transaction. Columns must be texts, or null.
   */
  together(steps: readonly Step[]): Promise<Answered>
  /** Several statements, or one that cannot be prepared; the tag of the last. */
  run(text: string): Promise<string>
}

/** What a store asks of its server. */
export interface Port extends Querier {
  /** A connection of one's own; `broken` where it may be in the middle of something. */
  connect(): Promise<{ readonly connection: unknown; release(broken: boolean): void }>
  /** Calls `listener` for each notification on the channel, and `lost` when there will be no more, until it is ended. */
  listen?(
    channel: string,
    listener: (payload: string) => void,
    lost: () => void,
  ): Promise<() => Promise<void>>
}

/**
 * @param prepare whether statements are prepared once for each connection
 * @throws IdempotencyError `invalid_option`
 */
export function portOf(client: unknown, prepare: boolean): Port {
  if (isPostgresJs(client) && has(client, 'reserve') && has(client, 'listen')) {
    return postgresJsPort(client, prepare)
  }
  if (isQuerier(client)) return pgPort(client, prepare)
  throw new IdempotencyError(
    'invalid_option',
    `pool must be a Pool or Client of pg, or the sql of postgres, not ${shown(client)}`,
  )
}

/**
 * Statements on one connection, such as that of an open transaction.
 *
 * @throws IdempotencyError `invalid_option`
 */
export function querierOf(connection: unknown, prepare: boolean): Querier {
  if (isPostgresJs(connection)) {
    return {
      query: async ({ text }, params) =>
        // The driver's types ask for the types of the parameters, which the server knows.
        rowsOf(await connection.unsafe(text, [...params] as never[], { prepare })),
      // It sends each without waiting for the answer to the one before.
      together: async (steps) =>
        answeredOf(
          await Promise.all(
            steps.map(([{ text }, params]) => connection.unsafe(text, [...params] as never[], { prepare })),
          ),
        ),
      run: async (text) => tagOf(await connection.unsafe(text)),
    }
  }
  if (!isQuerier(connection)) {
    throw new IdempotencyError(
      'invalid_option',
      `a transaction must have query(text, params), or be that of postgres, not ${shown(connection)}`,
    )
  }
  return queriesOf(connection, prepare && has(connection, 'escapeIdentifier'))
}

/** @param named whether the client takes statements by name, as those of pg do */
function queriesOf(client: PostgresQuerier, named: boolean): Querier {
  const ask = (...given: unknown[]): Promise<unknown> => Reflect.apply(client.query, client, given)
  const askFor = ([{ name, text }, params]: Step): Promise<unknown> =>
    named ? ask({ name, text, values: [...params] }) : client.query(text, [...params])
  return {
    query: async (statement, params) => rowsOf(await askFor([statement, params])),
    together: async (steps) => {
      if (named && takesBatch(client, steps)) {
        const batch = new PgBatch(steps)
        client.query(batch)
        return await batch.answered
      }
      const results: unknown[] = []
      for (const step of steps) results.push(await askFor(step))
      return answeredOf(results)
    },
    // With a list, though it is empty: who wraps another driver is promised one.
    run: async (text) => tagOf(await ask(text, [])),
  }
}

function pgPort(client: PostgresQuerier, prepare: boolean): Port {
  if (!isPool(client)) {
    return {
      ...inTurn(querierOf(client, prepare)),
      connect: () =>
        Promise.reject(
          new IdempotencyError(
            'invalid_option',
            'transactions of the store need connections of their own: give it a Pool',
          ),
        ),
      ...(isConnection(client)
        ? { listen: (channel, listener, lost) => listenOn(client, channel, listener, lost) }
        : {}),
    }
  }
  const connect = async (): Promise<{ connection: PgPoolClient; release: (broken: boolean) => void }> => {
    const connection = await client.connect()
    // A connection that is lost says so to who waits for its answer.
    const ignore = (): void => {}
    connection.on('error', ignore)
    return {
      connection,
      release: (broken) => {
        connection.removeListener('error', ignore)
        connection.release(broken)
      },
    }
  }
  const listen: Port['listen'] = async (channel, listener, lost) => {
    const { connection, release } = await connect()
    let released = false
    const releaseOnce = (broken: boolean): void => {
      if (!released) release(broken)
      released = true
    }
    const lose = (): void => {
      releaseOnce(true)
      lost()
    }
    try {
      const unlisten = await listenOn(connection, channel, listener, lose)
      return () =>
        unlisten().then(
          () => releaseOnce(false),
          () => releaseOnce(true),
        )
    } catch (error) {
      releaseOnce(true)
      throw error
    }
  }
  return { ...queriesOf(client, prepare), connect, ...(client.options.max > 1 ? { listen } : {}) }
}

/** One after the other, as pg asks of those who share a connection. */
function inTurn({ query, together, run }: Querier): Querier {
  let last: Promise<unknown> = Promise.resolve()
  const after = <Result>(next: () => Promise<Result>): Promise<Result> => {
    const before = last
    const result = (async () => {
      await before
      return await next()
    })()
    last = result.catch(() => {})
    return result
  }
  return {
    query: (statement, params) => after(() => query(statement, params)),
    together: (steps) => after(() => together(steps)),
    run: (text) => after(() => run(text)),
  }
}

async function listenOn(
  connection: PgConnection,
  channel: string,
  listener: (payload: string) => void,
  lost: () => void,
): Promise<() => Promise<void>> {
  const hear = ({ payload = '' }: { readonly payload?: string | undefined }): void => listener(payload)
  connection.on('notification', hear)
  connection.on('error', lost)
  connection.on('end', lost)
  const leave = (): void => {
    connection.removeListener('notification', hear)
    connection.removeListener('error', lost)
    connection.removeListener('end', lost)
  }
  try {
    await Reflect.apply(connection.query, connection, [`LISTEN ${channel}`])
  } catch (error) {
    leave()
    throw error
  }
  return async () => {
    leave()
    await Reflect.apply(connection.query, connection, [`UNLISTEN ${channel}`])
  }
}

function postgresJsPort(sql: PostgresJsRoot, prepare: boolean): Port {
  return {
    ...querierOf(sql, prepare),
    async connect() {
      const connection = await sql.reserve()
      return { connection, release: () => connection.release() }
    },
    // It listens on a connection of its own, and again by itself where that is lost.
    async listen(channel, listener) {
      const { unlisten } = await sql.listen(channel, listener)
      return unlisten
    },
  }
}

function rowsOf(result: unknown): readonly Row[] {
  const rows: unknown = Array.isArray(result)
    ? isCounted(result)
      ? result[0]
      : result
    : Reflect.get(Object(result), 'rows')
  return Array.isArray(rows) ? rows : []
}

function answeredOf(results: readonly unknown[]): Answered {
  return {
    rows: results.flatMap((result) => rowsOf(result).map((row) => Object.values(row))),
    tag: tagOf(results.at(-1)),
  }
}

/** Rows and the number of them, as TypeORM answers changes. */
function isCounted(result: readonly unknown[]): boolean {
  return result.length === 2 && Array.isArray(result[0]) && typeof result[1] === 'number'
}

function tagOf(result: unknown): string {
  const last: unknown = Array.isArray(result) && Array.isArray(result.at(-1)) ? result.at(-1) : result
  return String(Reflect.get(Object(last), 'command'))
}

function isPostgresJs(client: unknown): client is PostgresJsRoot {
  return has(client, 'unsafe')
}

function isQuerier(client: unknown): client is PostgresQuerier {
  return has(client, 'query')
}

function isPool(client: PostgresQuerier): client is PgPool {
  return has(client, 'connect') && Reflect.has(client, 'totalCount')
}

function isConnection(client: unknown): client is PgConnection {
  return has(client, 'query') && has(client, 'on') && has(client, 'removeListener')
}

function has(client: unknown, method: string): boolean {
  return (
    ((typeof client === 'object' && client !== null) || typeof client === 'function') &&
    typeof Reflect.get(client, method) === 'function'
  )
}
