import type { Breaker } from '../breaker.ts'
import { InvalidOptionError, shown } from '../errors.ts'
import { checkNames } from '../option-checks.ts'
import { Exchange } from './exchange.ts'
import { KeyedBreakers, type KeyedOptions, keyedOptionNames } from './keyed-breakers.ts'
import { isServerFailure } from './redis-failure.ts'
import { partOf, redisName } from './redis-name.ts'
import { type Method, replaceMethods } from './replaced-methods.ts'

export type { KeyedBreakerOptions, KeyedOptions } from './keyed-breakers.ts'
export { isServerFailure } from './redis-failure.ts'

export interface RedisBreakerOptions extends KeyedOptions {
  /** Of the breaker. Default: `redis://host:port/database` of the client, of a cluster `redis://host:port,…` of the nodes that it was given; `redis` where it has none. */
  readonly name?: string
}

/** A `Redis` or `Cluster` of ioredis, or what node-redis' `createClient` or `createCluster` gives. */
export interface GuardableClient {
  sendCommand(...args: never[]): unknown
  duplicate(...args: never[]): unknown
}

/**
 * Puts a breaker before the commands, pipelines and transactions of a client of ioredis or node-redis, 5 or 6. The function
 * that comes back takes it away.
 *
 * - A cluster (of node-redis only that of 6) has one breaker for all of its nodes, outside of the client's redirections and retries.
 * - Failed is what {@link isServerFailure} says, or `isFailure` of `options`: not what Redis answers to a wrong command. A
 *   pipeline, and a transaction, is one call; one error of that kind in it makes it fail.
 * - A refused command is rejected with ResilienceError `CIRCUIT_OPEN` (with `retryAfter`) or `BULKHEAD_FULL`, and does not
 *   come into the queue of a client that is offline.
 * - What a connection begins and ends with (AUTH, SELECT, CLIENT, INFO, CLUSTER, QUIT, …), subscriptions, and the commands of a
 *   transaction without a pipeline after its MULTI pass and do not count. Connections made by `duplicate` are not guarded.
 * - `timeout` is off unless it is given. Clients that are offline keep commands for long: ioredis has `commandTimeout` and
 *   `maxRetriesPerRequest`, node-redis `commandOptions.timeout`, and these count.
 *
 * With ioredis' `enableAutoPipelining` each pipeline that ioredis makes is one call. Commands that block are for a client
 * without a breaker.
 *
 * @throws InvalidOptionError naming the option, or where the client is none of these.
 */
export function guardRedis(client: GuardableClient, options: RedisBreakerOptions = {}): () => void {
  checkNames('options', options, [...keyedOptionNames, 'name'])
  const { name = redisName(client), ...keyed } = options
  if (typeof name !== 'string') throw new InvalidOptionError(`name must be a text, not ${shown(name)}`)
  const breakers = new KeyedBreakers(keyed, { timeout: false, isFailure: isServerFailure })
  const target = targetOf(client)
  const [sends, send] = senderOf(target)
  const breakerOf = (): Breaker => breakers.of(name)
  return replaceMethods(target, {
    [sends]: (original: Method) => send(original, breakerOf),
    ...Object.fromEntries(
      ['pipeline', 'multi', 'MULTI'].map((method) => [
        method,
        (original: Method): Method =>
          function (this: unknown, ...args) {
            const chain: unknown = Reflect.apply(original, this, args)
            // A promise is a MULTI without a pipeline.
            if (isObject(chain) && 'exec' in chain) guardChain(chain, breakerOf)
            return chain
          },
      ]),
    ),
  })
}

/** In place of the method of a client that sends its commands. */
type Sender = (original: Method, breakerOf: () => Breaker) => Method

/** What node-redis gives is made of the client itself, which sends its own commands. @throws InvalidOptionError */
function targetOf(client: unknown): object {
  const own = partOf(client, '_self')
  if (isObject(own)) return own
  if (isObject(client)) return client
  throw new InvalidOptionError(`client must be one of ioredis or node-redis, not ${shown(client)}`)
}

/** The method through which all commands of a client go, and what comes in its place. @throws InvalidOptionError */
function senderOf(client: object): readonly [method: string, Sender] {
  if ('sendCommand' in client && 'pipeline' in client && 'status' in client)
    return ['sendCommand', ioredisSender(client)]
  if ('MULTI' in client && '_executeWithPolicies' in client)
    return ['_executeWithPolicies', nodeRedisSender((parser) => partOf(parser, 'redisArgs'))]
  if ('sendCommand' in client && 'MULTI' in client && 'isPubSubActive' in client)
    return ['sendCommand', nodeRedisSender((words) => words)]
  throw new InvalidOptionError(
    `client must be a Redis or Cluster of ioredis, or of node-redis' createClient or createCluster, not ${shown(client)}`,
  )
}

/** Of a connection, or of a transaction that has begun. */
const passing: ReadonlySet<string> = new Set(
  (
    'asking auth client cluster discard exec hello info monitor psubscribe punsubscribe quit readonly readwrite reset select ' +
    'ssubscribe subscribe sunsubscribe unsubscribe unwatch'
  ).split(' '),
)

/** What is used of a command of ioredis: whatever sends it, its caller waits for its promise. */
interface IoredisCommand {
  readonly name: string
  readonly promise: Promise<unknown>
  reject(error: unknown): void
}

function ioredisSender(client: object): Sender {
  return (original, breakerOf) => {
    // A client that was offline sends them again.
    const known = new WeakSet<object>()
    let inTransaction = false
    return (...args) => {
      const [command, pipeline] = args
      const send = (): unknown => Reflect.apply(original, client, args)
      if (!isIoredisCommand(command) || pipeline !== undefined || known.has(command)) return send()
      if (command.name === 'exec' || command.name === 'discard') inTransaction = false
      if (inTransaction || passing.has(command.name)) return send()
      known.add(command)
      const answer = breakerOf().execute(() => {
        if (command.name === 'multi') inTransaction = true
        send()
        return command.promise
      })
      answer.catch((error: unknown) => command.reject(error))
      return command.promise
    }
  }
}

/** `wordsOf`: what is sent, of the first argument. */
function nodeRedisSender(wordsOf: (argument: unknown) => unknown): Sender {
  return (original, breakerOf) =>
    function (this: unknown, ...args) {
      const send = (): unknown => Reflect.apply(original, this, args)
      const words = wordsOf(args[0])
      const name = Array.isArray(words) ? String(words[0]).toLowerCase() : ''
      return passing.has(name) ? send() : breakerOf().execute(send)
    }
}

/** A pipeline or a transaction: what it is executed with. */
function guardChain(chain: object, breakerOf: () => Breaker): void {
  let running = false
  const guarded =
    (original: Method): Method =>
    (...args) => {
      const callback = args.find((each) => typeof each === 'function')
      const run = (): unknown =>
        Reflect.apply(
          original,
          chain,
          args.filter((each) => each !== callback),
        )
      // Clients execute a chain again where its server has moved.
      if (running) return run()
      running = true
      const answer = execute(breakerOf(), run).finally(() => {
        running = false
      })
      if (callback === undefined) return answer
      answer.then(
        (value) => process.nextTick(() => callback(null, value)),
        (error: unknown) => process.nextTick(() => callback(error)),
      )
      return answer
    }
  replaceMethods(chain, { exec: guarded, EXEC: guarded, execAsPipeline: guarded })
}

/** The answer of `run`; errors among its results count too. */
function execute(breaker: Breaker, run: () => unknown): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers()
  const ended = (results: unknown): void => {
    const failed = errorsAmong(results).find((error) => breaker.settings.isFailure?.(error) !== false)
    if (failed === undefined) exchange.succeed()
    else exchange.fail(failed)
    resolve(results)
  }
  const failed = (error: unknown): void => {
    exchange.fail(error)
    reject(error)
  }
  const exchange = new Exchange(breaker, {
    begin: () => void Promise.resolve(run()).then(ended, failed),
    giveUp: reject,
  })
  exchange.start()
  return promise
}

/** Of ioredis' results, each an array that begins with its error or null; or the errors of node-redis between its results. */
function errorsAmong(results: unknown): unknown[] {
  if (!Array.isArray(results)) return []
  return results
    .map((each: unknown): unknown => (Array.isArray(each) ? each[0] : each))
    .filter((each) => each instanceof Error)
}

function isIoredisCommand(value: unknown): value is IoredisCommand {
  return (
    isObject(value) &&
    'name' in value &&
    typeof value.name === 'string' &&
    'promise' in value &&
    'reject' in value
  )
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
