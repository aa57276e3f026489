import { InvalidOptionError, shown } from '../errors.ts'
import { exchangeScript, exchangeScriptSha } from './redis-script.ts'

/** What is used of a client of ioredis: a `Redis` or a `Cluster`. */
export interface IoredisClient {
  evalsha(sha: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
  duplicate(): IoredisSubscriber
}

/** What is used of a connection of ioredis that listens. */
export interface IoredisSubscriber {
  readonly options?: object
  subscribe(channel: string): Promise<unknown>
  disconnect(): void
  on(event: 'message', listener: (channel: string, message: string) => void): unknown
  on(event: 'ready' | 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** What is used of a client of node-redis, of its `createClient`, connected. */
export interface NodeRedisClient {
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  duplicate(): NodeRedisSubscriber
}

/** What is used of a connection of node-redis that listens. */
export interface NodeRedisSubscriber {
  connect(): Promise<unknown>
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  destroy(): void
  on(event: 'ready', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

export type SharedRedisClient = IoredisClient | NodeRedisClient

/** The two things asked of Redis, whichever the client is. */
export interface RedisPort {
  /** Runs the script. */
  exchange(keys: string[], args: string[]): Promise<unknown>
  /** A connection of its own; `ready` is told each time that it stands, after which messages come again. */
  listen(channel: string, listener: MessageListener): Subscription
}

interface MessageListener {
  message(message: string): void
  ready(): void
}

export interface Subscription {
  /** Subscribes unless that is done. Rejects where it cannot be done now: try again. */
  ensure(): Promise<void>
  close(): void
}

/** @throws InvalidOptionError */
export function redisPort(client: unknown): RedisPort {
  if (isIoredis(client)) return ioredisPort(client)
  if (isNodeRedis(client)) return nodeRedisPort(client)
  throw new InvalidOptionError(
    `client must be a client of ioredis or node-redis, with eval, evalsha or evalSha, and duplicate, not ${shown(client)}`,
  )
}

function ioredisPort(client: IoredisClient): RedisPort {
  return {
    exchange: (keys, args) =>
      cached(
        () => client.evalsha(exchangeScriptSha, keys.length, ...keys, ...args),
        () => client.eval(exchangeScript, keys.length, ...keys, ...args),
      ),
    listen(channel, { message, ready }) {
      const subscriber = client.duplicate()
      // Commands say what went wrong to who sent them.
      subscriber.on('error', () => {})
      subscriber.on('message', (from, text) => {
        if (from === channel) message(text)
      })
      // Where ioredis subscribes again by itself, nobody hears that it failed, and the process ends of that.
      if (subscriber.options !== undefined) Reflect.set(subscriber.options, 'autoResubscribe', false)
      const subscribe = (): (() => Promise<void>) => once(() => subscriber.subscribe(channel))
      let ensure = subscribe()
      subscriber.on('close', () => {
        ensure = subscribe()
      })
      subscriber.on('ready', () => {
        ensure().then(ready, () => {})
      })
      return { ensure: () => ensure(), close: () => subscriber.disconnect() }
    },
  }
}

function nodeRedisPort(client: NodeRedisClient): RedisPort {
  return {
    exchange: (keys, args) =>
      cached(
        () => client.evalSha(exchangeScriptSha, { keys, arguments: args }),
        () => client.eval(exchangeScript, { keys, arguments: args }),
      ),
    listen(channel, { message, ready }) {
      const subscriber = client.duplicate()
      subscriber.on('error', () => {})
      subscriber.on('ready', ready)
      const connect = once(() => subscriber.connect())
      const subscribe = once(() => subscriber.subscribe(channel, message))
      const close = (): void => {
        try {
          subscriber.destroy()
        } catch {
          // It was not open, which is what is wanted.
        }
      }
      return { ensure: () => connect().then(subscribe), close }
    },
  }
}

// By its hash, and in full where Redis does not know it (any more).
async function cached(byHash: () => Promise<unknown>, inFull: () => Promise<unknown>): Promise<unknown> {
  try {
    return await byHash()
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
    return await inFull()
  }
}

// Again only after it has failed.
function once(action: () => Promise<unknown>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= (async () => {
      try {
        await action()
      } catch (error) {
        done = undefined
        throw error
      }
    })()
    return done
  }
}

function isIoredis(client: unknown): client is IoredisClient {
  return has(client, 'evalsha') && has(client, 'eval') && has(client, 'duplicate')
}

function isNodeRedis(client: unknown): client is NodeRedisClient {
  return has(client, 'evalSha') && has(client, 'eval') && has(client, 'duplicate')
}

function has(client: unknown, method: string): boolean {
  return typeof client === 'object' && client !== null && typeof Reflect.get(client, method) === 'function'
}
