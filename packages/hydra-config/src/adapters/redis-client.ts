import { unlessAborted } from '../aborted.ts'
import { HydraConfigError } from '../errors.ts'

/** What is used of a client of ioredis: a `Redis` or a `Cluster`. */
export interface IoredisClient {
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>
  hget(key: string, field: string): Promise<unknown>
  duplicate(): IoredisSubscriber
}

/** What is used of a connection of ioredis that listens. */
export interface IoredisSubscriber {
  subscribe(channel: string): Promise<unknown>
  disconnect(): void
  on(event: 'message', listener: (channel: string, message: string) => void): unknown
  on(event: 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** What is used of a client of node-redis, of its `createClient`, connected. */
export interface NodeRedisClient {
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  hGet(key: string, field: string): Promise<unknown>
  duplicate(): NodeRedisSubscriber
}

/** What is used of a connection of node-redis that listens. */
export interface NodeRedisSubscriber {
  connect(): Promise<unknown>
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  destroy(): void
  on(event: 'error', listener: (error: Error) => void): unknown
}

export type RedisClient = IoredisClient | NodeRedisClient

/** What is asked of Redis, whichever the client is. */
export interface RedisPort {
  field(key: string, field: string): Promise<unknown>
  run(script: string, key: string, argument: string): Promise<unknown>
  /** On a connection of its own, which is given up when it breaks. */
  subscribe(channel: string, fate: SubscriptionFate, signal: AbortSignal): Promise<Subscription>
}

interface Subscription {
  close(): void
}

interface SubscriptionFate {
  tell(): void
  fail(error: unknown): void
}

/** @throws {HydraConfigError} `INVALID_OPTION` */
export function redisPort(client: RedisClient): RedisPort {
  if (isIoredis(client)) {
    return {
      field: (key, field) => client.hget(key, field),
      run: (script, key, argument) => client.eval(script, 1, key, argument),
      subscribe: (channel, fate, signal) => subscribeIoredis(client.duplicate(), channel, fate, signal),
    }
  }
  if (isNodeRedis(client)) {
    return {
      field: (key, field) => client.hGet(key, field),
      run: (script, key, argument) => client.eval(script, { keys: [key], arguments: [argument] }),
      subscribe: (channel, fate, signal) => subscribeNodeRedis(client.duplicate(), channel, fate, signal),
    }
  }
  throw new HydraConfigError(
    'INVALID_OPTION',
    'client must be a client of ioredis or node-redis, with eval, hget or hGet, and duplicate',
  )
}

async function subscribeIoredis(
  subscriber: IoredisSubscriber,
  channel: string,
  { tell, fail }: SubscriptionFate,
  signal: AbortSignal,
): Promise<Subscription> {
  const close = (): void => subscriber.disconnect()
  let reason: unknown = new Error('the connection that listens has ended')
  const { promise: broken, reject } = Promise.withResolvers<never>()
  broken.catch(fail)
  subscriber.on('error', (error) => {
    reason = error
  })
  subscriber.on('close', () => {
    // Whoever watches starts anew; a client that comes back by itself would be a second one.
    close()
    reject(reason)
  })
  subscriber.on('message', (of) => {
    if (of === channel) tell()
  })
  return await standing(subscriber.subscribe(channel), broken, close, signal)
}

async function subscribeNodeRedis(
  subscriber: NodeRedisSubscriber,
  channel: string,
  { tell, fail }: SubscriptionFate,
  signal: AbortSignal,
): Promise<Subscription> {
  const close = (): void => {
    try {
      subscriber.destroy()
    } catch {
      // It is closed already.
    }
  }
  const { promise: broken, reject } = Promise.withResolvers<never>()
  broken.catch(fail)
  // Without a listener for them errors would end the process; after one the client connects anew by itself.
  subscriber.on('error', reject)
  const subscribing = subscriber.connect().then(() => subscriber.subscribe(channel, () => tell()))
  return await standing(subscribing, broken, close, signal)
}

async function standing(
  subscribing: Promise<unknown>,
  broken: Promise<never>,
  close: () => void,
  signal: AbortSignal,
): Promise<Subscription> {
  try {
    await unlessAborted(Promise.race([subscribing, broken]), signal)
    return { close }
  } catch (error) {
    close()
    throw error
  }
}

function isIoredis(client: unknown): client is IoredisClient {
  return hasMethods(client, ['eval', 'hget', 'duplicate'])
}

function isNodeRedis(client: unknown): client is NodeRedisClient {
  return hasMethods(client, ['eval', 'hGet', 'duplicate'])
}

function hasMethods(client: unknown, names: readonly string[]): boolean {
  return (
    typeof client === 'object' &&
    client !== null &&
    names.every((name) => typeof Reflect.get(client, name) === 'function')
  )
}
