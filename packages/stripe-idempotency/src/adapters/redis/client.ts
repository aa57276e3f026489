import { Buffer } from 'node:buffer'
import { IdempotencyError, shown } from '../../errors.ts'
import { IoredisBatch, type IoredisConnection } from './ioredis-batch.ts'

/** What is used of a client of ioredis: a `Redis` or a `Cluster`. */
export interface IoredisClient {
  callBuffer(command: string, args: (string | Buffer | number)[]): Promise<unknown>
  info(section: string): Promise<string>
  scan(
    cursor: string,
    match: 'MATCH',
    pattern: string,
    count: 'COUNT',
    many: number,
  ): Promise<[string, string[]]>
  duplicate(): IoredisSubscriber
  readonly options?: object
}

/** What is used of a connection of ioredis that listens. */
interface IoredisSubscriber {
  subscribe(channel: string): Promise<unknown>
  disconnect(): void
  on(event: 'message', listener: (channel: string, message: string) => void): unknown
  on(event: 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** What is used of a client of node-redis, of its `createClient`, connected. */
export interface NodeRedisClient {
  withTypeMapping(mapping: object): NodeRedisScripts
  sendCommand(words: (string | Buffer)[]): Promise<unknown>
  info(section: string): Promise<unknown>
  scan(
    cursor: string,
    options: { MATCH: string; COUNT: number },
  ): Promise<{ cursor: unknown; keys: unknown[] }>
  duplicate(): NodeRedisSubscriber
}

/** The same client, with another type of answers. */
interface NodeRedisScripts {
  evalSha(sha: string, options: { keys: string[]; arguments: (string | Buffer)[] }): Promise<unknown>
  eval(script: string, options: { keys: string[]; arguments: (string | Buffer)[] }): Promise<unknown>
  set(key: string, value: string, options: { condition: 'NX'; GET: true }): Promise<unknown>
}

/** What is used of a connection of node-redis that listens. */
interface NodeRedisSubscriber {
  connect(): Promise<unknown>
  subscribe(channel: string, listener: (message: string) => void): Promise<unknown>
  destroy(): void
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** What a store can be made of: a client of `ioredis` (a `Cluster` as well) or of `redis`, connected. */
export type RedisClient = IoredisClient | NodeRedisClient

/** A script of Redis and its hash. */
export interface Script {
  readonly text: string
  readonly sha: string
}

/** What a store asks of Redis, whichever the client is. Texts in answers are bytes. */
export interface Port {
  run(script: Script, keys: readonly string[], args: readonly (string | Buffer)[]): Promise<unknown>
  /** Puts a value where there is none: null; else what is there. Before Redis 7.0 that is a syntax error. */
  putNew(key: string, value: string): Promise<unknown>
  /**
   * Puts a value in the place of one that is equal to `old`, to expire at `expires` where that is given: `OK`; else null.
   * Before Redis 8.4 and Valkey 8.1 that is a syntax error.
   */
  putInPlaceOf(
    key: string,
    old: string,
    value: string | Buffer,
    expires: string | undefined,
  ): Promise<unknown>
  info(section: string): Promise<string>
  /** A command without a key, on the connection of the scripts. Undefined of a cluster, which has many. */
  command?(words: readonly string[]): Promise<unknown>
  /** Keys that match, some perhaps twice. */
  scan(pattern: string): AsyncIterable<string>
  listen(channel: string, listener: (message: string) => void, lost: () => void): Promise<() => Promise<void>>
}

/** @throws IdempotencyError `invalid_option` */
export function portOf(client: unknown): Port {
  if (isIoredis(client)) return ioredisPort(client)
  if (isNodeRedis(client)) return nodeRedisPort(client)
  throw new IdempotencyError(
    'invalid_option',
    `client must be a client of ioredis, or of redis, connected, not ${shown(client)}`,
  )
}

function ioredisPort(client: IoredisClient): Port {
  const keyPrefix: unknown = Reflect.get(Object(client.options), 'keyPrefix')
  if (typeof keyPrefix === 'string' && keyPrefix !== '') {
    throw new IdempotencyError(
      'invalid_option',
      `client must have no keyPrefix, which its scans do not know, not ${shown(keyPrefix)}; give the store a prefix`,
    )
  }
  const batch = isConnection(client) ? new IoredisBatch(client) : undefined
  const call = (command: string, args: (string | Buffer | number)[]): Promise<unknown> =>
    batch === undefined ? client.callBuffer(command, args) : batch.call(command, args)
  return {
    run: (script, keys, args) =>
      cached(
        () => call('EVALSHA', [script.sha, keys.length, ...keys, ...args]),
        () => call('EVAL', [script.text, keys.length, ...keys, ...args]),
      ),
    putNew: (key, value) => call('SET', [key, value, 'NX', 'GET']),
    putInPlaceOf: (...asked) => call('SET', inPlaceOf(...asked)),
    info: (section) => client.info(section),
    ...(has(client, 'nodes')
      ? {}
      : { command: ([name = '', ...args]: readonly string[]) => client.callBuffer(name, [...args]) }),
    async *scan(pattern) {
      const nodes = nodesOf(client)
      for (const node of nodes) {
        let cursor = '0'
        do {
          const [next, keys] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', scanned)
          cursor = next
          yield* keys
        } while (cursor !== '0')
      }
    },
    async listen(channel, listener, lost) {
      const subscriber = client.duplicate()
      const end = (): void => subscriber.disconnect()
      // Who asked is told by the command that failed.
      subscriber.on('error', () => {})
      subscriber.on('message', (_, message) => listener(message))
      subscriber.on('close', () => {
        end()
        lost()
      })
      try {
        await subscriber.subscribe(channel)
      } catch (error) {
        end()
        throw error
      }
      return async () => end()
    },
  }
}

function nodeRedisPort(client: NodeRedisClient): Port {
  const scripts = client.withTypeMapping({ [blobString]: Buffer })
  return {
    run: (script, keys, args) =>
      cached(
        () => scripts.evalSha(script.sha, { keys: [...keys], arguments: [...args] }),
        () => scripts.eval(script.text, { keys: [...keys], arguments: [...args] }),
      ),
    putNew: (key, value) => scripts.set(key, value, { condition: 'NX', GET: true }),
    putInPlaceOf: (...asked) => client.sendCommand(['SET', ...inPlaceOf(...asked)]),
    info: async (section) => String(await client.info(section)),
    command: (words) => client.sendCommand([...words]),
    async *scan(pattern) {
      let cursor = '0'
      do {
        const { cursor: next, keys } = await client.scan(cursor, { MATCH: pattern, COUNT: scanned })
        cursor = String(next)
        yield* keys.map(String)
      } while (cursor !== '0')
    },
    async listen(channel, listener, lost) {
      const subscriber = client.duplicate()
      const end = (): void => {
        try {
          subscriber.destroy()
        } catch {
          // It was not open, which is what is wanted.
        }
      }
      subscriber.on('error', () => {
        end()
        lost()
      })
      try {
        await subscriber.connect()
        await subscriber.subscribe(channel, listener)
      } catch (error) {
        end()
        throw error
      }
      return async () => end()
    },
  }
}

function inPlaceOf(
  key: string,
  old: string,
  value: string | Buffer,
  expires: string | undefined,
): (string | Buffer)[] {
  return [key, value, 'IFEQ', old, ...(expires === undefined ? [] : ['PXAT', expires])]
}

const scanned = 1000
/** What `RESP_TYPES.BLOB_STRING` of node-redis is: the `$` before such an answer. */
const blobString = 36

// By its hash, and in full where Redis does not know it (any more).
async function cached(byHash: () => Promise<unknown>, inFull: () => Promise<unknown>): Promise<unknown> {
  try {
    return await byHash()
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
    return await inFull()
  }
}

/** A cluster is scanned node by node. */
function nodesOf(client: IoredisClient): readonly IoredisClient[] {
  const nodes: unknown = has(client, 'nodes')
    ? Reflect.apply(Reflect.get(client, 'nodes'), client, ['master'])
    : undefined
  return Array.isArray(nodes) ? nodes.filter(isIoredis) : [client]
}

function isIoredis(client: unknown): client is IoredisClient {
  return has(client, 'callBuffer') && has(client, 'scan') && has(client, 'duplicate')
}

/** And no cluster, which has a connection to each of its nodes. */
function isConnection(client: IoredisClient): client is IoredisClient & IoredisConnection {
  return !has(client, 'nodes')
}

function isNodeRedis(client: unknown): client is NodeRedisClient {
  return has(client, 'withTypeMapping') && has(client, 'scan') && has(client, 'duplicate')
}

function has(client: unknown, method: string): boolean {
  return typeof client === 'object' && client !== null && typeof Reflect.get(client, method) === 'function'
}
