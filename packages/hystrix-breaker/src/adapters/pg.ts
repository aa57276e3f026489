import type { Client } from 'pg'
import { InvalidOptionError, shown } from '../errors.ts'
import { checkFunction, checkNames } from '../option-checks.ts'
import { KeyedBreakers, type KeyedOptions, keyedOptionNames } from './keyed-breakers.ts'
import { isSubmittable, submit, type ToldQuery } from './pg-submittable.ts'

export type { KeyedBreakerOptions, KeyedOptions } from './keyed-breakers.ts'

export interface PgBreakerOptions extends KeyedOptions {
  /** The name of the breaker of a client; undefined for one that goes unguarded. Default: `postgres://host:port/database`. */
  readonly keyOf?: (client: Client) => string | undefined
}

/**
 * The `Client` of pg 8 with a breaker before each database, for connecting and for queries, as promises and with
 * callbacks. A pool that is given it as its `Client` is guarded, and so is what works on that pool.
 *
 * - Failed is what {@link isDatabaseFailure} says, or `isFailure` of `options`. What PostgreSQL answers to a wrong or
 *   conflicting statement counts neither way.
 * - In a transaction, and of statements sent together with its BEGIN, all pass and none counts: who refused a COMMIT or a
 *   ROLLBACK would leave the connection in it. A transaction is admitted with its BEGIN.
 * - Cursors and streams of rows (`Submittable`) have succeeded with their first row, or with an end without one; time
 *   limits end there too. What breaks later is not counted.
 * - `timeout` is off unless it is given: pg has `connectionTimeoutMillis` and `query_timeout`, and PostgreSQL
 *   `statement_timeout`, which count. Where it is given its caller is answered, and the connection stays busy.
 *
 * ```ts
 * const pool = new Pool({ connectionString, Client: breakerClient(Client, { registry }) })
 * ```
 *
 * @throws InvalidOptionError naming the option.
 */
export function breakerClient(Base: typeof Client, options: PgBreakerOptions = {}): typeof Client {
  if (typeof Base !== 'function')
    throw new InvalidOptionError(`Client must be that of pg, not ${shown(Base)}`)
  checkNames('options', options, [...keyedOptionNames, 'keyOf'])
  const { keyOf = databaseOf, ...keyed } = options
  checkFunction('keyOf', keyOf)
  const breakers = new KeyedBreakers(keyed, { timeout: false, isFailure: isDatabaseFailure })

  return class GuardedClient extends Base {
    /** BEGINs that have been sent and are not answered. */
    #beginning = 0

    // Of all forms of it; what it returns is what the form returns that was called.
    override connect(...args: unknown[]): never {
      const connect = (): unknown => Reflect.apply(super.connect, this, [])
      return this.#guard(connect, args[0]) as never
    }

    override query(...args: unknown[]): never {
      const send = (sent: readonly unknown[]): unknown => Reflect.apply(super.query, this, sent)
      const [query] = args
      // What is no query pg refuses itself.
      if (this.#isInTransaction() || !isQuery(query)) return send(args) as never
      if (typeof query === 'object' && isSubmittable(query)) return this.#submit(query, args, send) as never
      const call = readCall(query, args)
      const begins = beginPattern.test(call.text)
      const work = async (): Promise<unknown> => {
        if (begins) this.#beginning++
        try {
          return await send(call.args)
        } finally {
          if (begins) this.#beginning--
        }
      }
      return this.#guard(work, call.callback) as never
    }

    #submit(
      query: ToldQuery,
      args: readonly unknown[],
      send: (args: readonly unknown[]) => unknown,
    ): ToldQuery {
      const key = keyOf(this)
      // As pg does, which may not come to it.
      query.callback ??= callbackAmong(args.slice(1))
      if (key === undefined) send([query])
      else submit(query, breakers.of(key), Reflect.get(this, 'connection'), () => send([query]))
      return query
    }

    #isInTransaction(): boolean {
      const status = this.getTransactionStatus()
      return this.#beginning > 0 || status === 'T' || status === 'E'
    }

    #guard(work: () => unknown, callback: unknown): unknown {
      const key = keyOf(this)
      const answer = key === undefined ? Promise.resolve(work()) : breakers.of(key).execute(work)
      if (typeof callback !== 'function') return answer
      // Not in the promise: what it throws is to be uncaught, as it is in pg.
      answer.then(
        (value) => process.nextTick(() => callback(null, value)),
        (error: unknown) => process.nextTick(() => callback(error)),
      )
      return undefined
    }
  }
}

/** Classes of SQLSTATE that tell of the server (PostgreSQL's documentation, appendix A). */
const failedClasses: ReadonlySet<string> = new Set([
  '08', // connection exception
  '53', // insufficient resources
  '57', // operator intervention: shutdowns, and statements that took too long
  '58', // system error
  'F0', // configuration file error
  'XX', // internal error
])

/** Errors of pg about what its caller did. */
const ourMessages: ReadonlySet<string> = new Set([
  'Connection terminated',
  'Client was closed and is not queryable',
])

/**
 * Whether an error of pg tells of the database and not of the statement: what breaks on the connection or takes too long,
 * and SQLSTATE classes 08, 53, 57, 58, F0 and XX.
 */
export function isDatabaseFailure(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof TypeError) return false
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  if ('severity' in error && code.length === 5) return failedClasses.has(code.slice(0, 2))
  return !ourMessages.has(error.message)
}

const beginPattern = /^\s*(?:begin|start\s+transaction)\b/i

interface QueryCall {
  readonly text: string
  readonly args: readonly unknown[]
  readonly callback: unknown
}

/** What a query was called with, without its callback. */
function readCall(query: string | object, args: readonly unknown[]): QueryCall {
  const rest = args.slice(1)
  const values = rest.filter((each) => typeof each !== 'function')
  const callback = callbackAmong(rest)
  if (typeof query === 'string') return { text: query, args: [query, ...values], callback }
  const text = 'text' in query && typeof query.text === 'string' ? query.text : ''
  if (!('callback' in query)) return { text, args: [query, ...values], callback }
  const config = Object.create(query, { callback: { value: undefined, writable: true } })
  return { text, args: [config, ...values], callback: callback ?? query.callback }
}

function callbackAmong(args: readonly unknown[]): unknown {
  return args.find((each) => typeof each === 'function')
}

function isQuery(query: unknown): query is string | object {
  return typeof query === 'string' || (typeof query === 'object' && query !== null)
}

function databaseOf({ host, port, database = '' }: Client): string {
  return `postgres://${host}:${port}/${database}`
}
