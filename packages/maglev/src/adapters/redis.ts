import { callbackify } from 'node:util'
import {
  type Callback,
  type ChainableCommander,
  Command,
  Redis,
  type RedisCommander,
  type RedisOptions,
} from 'ioredis'
import type { ConfiguredBackend } from '../backend.ts'
import { MaglevError, shown } from '../errors.ts'
import { wantMaglev, wantObject } from '../given.ts'
import type { Maglev } from '../maglev.ts'
import { addressOf } from '../pool/address.ts'

export interface RedisRouterOptions<T = unknown> {
  /** For every client; see ioredis. `maxRetriesPerRequest` is 1 unless given: a node that is gone must not hold its callers up. */
  readonly redis?: Omit<RedisOptions, 'host' | 'port' | 'replyMapping'>
  /** Makes the client of a node. Default: `new Redis` at the backend's address, with `redis`. */
  readonly connect?: (backend: ConfiguredBackend<T>) => Redis
  /**
   * `reroute`, the default, is for caches: a node whose connection is lost counts as unhealthy, so that its keys, and no others,
   * go to other nodes until it is back. `fail` is for data: keys stay where they are, and their commands fail meanwhile.
   */
  readonly onDisconnect?: 'reroute' | 'fail'
}

/** What a router has beside the commands of Redis. */
export interface RedisRouterControl extends AsyncDisposable {
  /** The client of the node that owns `key`, for everything that is not a command with keys: SUBSCRIBE, SCAN, transactions with WATCH, … */
  nodeOf(key: string | Buffer): Redis
  /** The client of a node by the id of its backend. */
  node(id: string): Redis
  /**
   * Commands for any nodes: each node gets its part as one pipeline, and `exec()` answers in the order of the commands.
   */
  pipeline(): ChainableCommander
  /** A transaction; its keys must all belong to one node. */
  multi(): ChainableCommander
}

export type RedisRouter = Omit<RedisCommander, keyof RedisRouterControl> & RedisRouterControl

/**
 * Spreads keys over independent Redis nodes by Maglev: a command goes to the node that owns its keys, found as ioredis finds
 * them. As in Redis Cluster only what stands between the first `{` and the next `}` is hashed, so that `{user:1}:a` and
 * `{user:1}:b` share a node. The methods are those of ioredis and answer as its do.
 *
 * ```ts
 * await using redis = routeRedis(new Maglev(['10.0.0.1:6379', '10.0.0.2:6379']))
 * await redis.set('user:1', 'Ada')
 * ```
 *
 * Errors of a method, thrown as rejections: `CROSS_BACKEND` when the keys of one command belong to several nodes, `NO_KEY` for a
 * command without keys, `NO_BACKEND` when no node is available.
 *
 * @throws MaglevError `INVALID_OPTION`, `INVALID_BACKEND` for a backend without an address.
 */
export function routeRedis<T>(maglev: Maglev<T>, options: RedisRouterOptions<T> = {}): RedisRouter {
  const nodes = new Nodes(maglev, options)
  const control: RedisRouterControl = {
    nodeOf: (key) => nodes.client(nodes.owner(key)),
    node: (id) => nodes.client(id),
    pipeline: () => pipeline(nodes, false),
    multi: () => pipeline(nodes, true),
    [Symbol.asyncDispose]: () => nodes[Symbol.asyncDispose](),
  }
  const send = async (method: string, args: readonly unknown[]): Promise<unknown> =>
    invoke(nodes.client(nodes.ownerOf(method, args)), method, args)
  // Exactly the methods that ioredis generates for the interface.
  return commands(control, (method, args, callback) => {
    const answer = send(method, args)
    if (callback) callbackify(() => answer)(callback)
    return answer
  }) as RedisRouter
}

class Nodes<T> implements AsyncDisposable {
  readonly #maglev: Maglev<T>
  readonly #options: RedisRouterOptions<T>
  readonly #clients: Map<string, Redis> = new Map()
  /** Nodes that this router has marked, so that it gives back what it took and nothing else. */
  readonly #lost: Set<string> = new Set()
  readonly #stopListening: () => void
  #closed = false

  constructor(maglev: Maglev<T>, options: RedisRouterOptions<T>) {
    wantMaglev('The table of the nodes', maglev)
    wantObject('options', options)
    const { onDisconnect = 'reroute', connect, redis = {} } = options
    wantObject('redis', redis)
    if (connect !== undefined && typeof connect !== 'function') {
      throw new MaglevError(
        'INVALID_OPTION',
        `connect must be a function of the backend, not ${shown(connect)}`,
      )
    }
    if (onDisconnect !== 'reroute' && onDisconnect !== 'fail') {
      throw new MaglevError(
        'INVALID_OPTION',
        `onDisconnect must be reroute or fail, not ${shown(onDisconnect)}`,
      )
    }
    if (connect === undefined) for (const backend of maglev.backends) addressOf(backend)
    this.#maglev = maglev
    this.#options = options
    this.#stopListening = maglev.on('rebuild', () => {
      this.#dropRemoved()
    })
  }

  owner(key: string | Buffer): string {
    return this.#maglev.pick(hashTag(key)).id
  }

  /** The node of all keys of a command. */
  ownerOf(method: string, args: readonly unknown[]): string {
    const keys = keysOf(method, args)
    const [first, ...others] = keys.map((key) => this.owner(key))
    if (first === undefined) {
      throw new MaglevError(
        'NO_KEY',
        `${method} has no key that would say where it belongs: send it to node(id) or nodeOf(key)`,
      )
    }
    const other = others.find((id) => id !== first)
    if (other !== undefined) {
      throw new MaglevError(
        'CROSS_BACKEND',
        `${method}: its keys belong to ${shown(first)} and ${shown(other)}; share a {hash tag} among them or send one command a node`,
      )
    }
    return first
  }

  client(id: string): Redis {
    if (this.#closed) throw new MaglevError('POOL_CLOSED', 'This Redis router is disposed of')
    const known = this.#clients.get(id)
    if (known !== undefined) return known
    const backend = this.#maglev.backends.find((each) => each.id === id)
    if (backend === undefined) throw new MaglevError('UNKNOWN_BACKEND', `There is no backend ${shown(id)}`)
    const client = (this.#options.connect ?? ((node) => this.#connect(node)))(backend)
    this.#clients.set(id, client)
    client.on('close', () => {
      this.#mark(id, 'unhealthy')
    })
    client.on('ready', () => {
      this.#mark(id, 'healthy')
    })
    // Commands say what went wrong to their callers; without a listener ioredis prints it as well.
    client.on('error', () => {})
    return client
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#stopListening()
    await Promise.all([...this.#clients.values()].map(quit))
    this.#clients.clear()
  }

  #connect(backend: ConfiguredBackend<T>): Redis {
    const { host, port } = addressOf(backend)
    return new Redis(port, host, { maxRetriesPerRequest: 1, ...this.#options.redis })
  }

  #mark(id: string, health: 'healthy' | 'unhealthy'): void {
    const backend = this.#maglev.backends.find((each) => each.id === id)
    if (this.#closed || this.#options.onDisconnect === 'fail' || backend === undefined) return
    if (health === 'unhealthy' && backend.health === 'healthy') {
      this.#lost.add(id)
      this.#maglev.setHealth(id, health)
    } else if (health === 'healthy' && this.#lost.delete(id) && backend.health === 'unhealthy') {
      this.#maglev.setHealth(id, health)
    }
  }

  #dropRemoved(): void {
    const ids = new Set(this.#maglev.backends.map(({ id }) => id))
    for (const [id, client] of this.#clients) {
      if (ids.has(id)) continue
      this.#clients.delete(id)
      this.#lost.delete(id)
      void quit(client)
    }
  }
}

/** Lets what was sent finish; a node that does not answer is cut off. */
async function quit(client: Redis): Promise<void> {
  if (client.status === 'ready') await client.quit().catch(() => {})
  client.disconnect()
}

type Answers = [error: Error | null, result: unknown][]

interface Queued {
  readonly method: string
  readonly args: readonly unknown[]
  readonly id: string
}

function pipeline<T>(nodes: Nodes<T>, transaction: boolean): ChainableCommander {
  const queue: Queued[] = []
  const control = {
    get length(): number {
      return queue.length
    },
    exec: () => execute(nodes, queue.splice(0), transaction),
  }
  const chain: object = commands(control, (method, args, callback) => {
    if (callback)
      throw new MaglevError(
        'INVALID_OPTION',
        `${method}: exec() of a routed pipeline has the answers; leave the callback out`,
      )

    const id = nodes.ownerOf(method, args)
    const first = queue[0]
    if (transaction && first !== undefined && first.id !== id) {
      throw new MaglevError(
        'CROSS_BACKEND',
        `multi: ${first.method} belongs to ${shown(first.id)} and ${method} to ${shown(id)}; share a {hash tag} among their keys`,
      )
    }
    queue.push({ method, args, id })
    return chain
  })
  return chain as ChainableCommander
}

async function execute<T>(
  nodes: Nodes<T>,
  queue: readonly Queued[],
  transaction: boolean,
): Promise<Answers | null> {
  const answers: Answers = []
  let aborted = false
  const byNode = Map.groupBy(queue.keys(), (index) => queue[index]?.id ?? '')
  await Promise.all(
    [...byNode].map(async ([id, indexes]) => {
      const commandsOfNode = indexes.flatMap((index) => queue[index] ?? [])
      const results = await executeOn(nodes, id, commandsOfNode, transaction)
      aborted ||= results === null
      for (const [at, index] of indexes.entries()) answers[index] = results?.[at] ?? [null, undefined]
    }),
  )
  return aborted ? null : answers
}

/** A node that is gone answers its own part of a pipeline with errors, and no other's. */
async function executeOn<T>(
  nodes: Nodes<T>,
  id: string,
  queue: readonly Queued[],
  transaction: boolean,
): Promise<Answers | null> {
  try {
    const client = nodes.client(id)
    const batch = transaction ? client.multi() : client.pipeline()
    for (const { method, args } of queue) invoke(batch, method, args)
    return await batch.exec()
  } catch (error) {
    if (transaction || !(error instanceof Error)) throw error
    return queue.map(() => [error, undefined])
  }
}

/** What is hashed of a key: the text between the first `{` and the next `}`, unless that is empty (Redis Cluster specification). */
function hashTag(key: string | Buffer): string | Buffer {
  if (typeof key !== 'string' && !Buffer.isBuffer(key)) {
    throw new MaglevError('INVALID_KEY', `A key of Redis is text or a Buffer, not ${shown(key)}`)
  }
  const open = key.indexOf('{')
  const close = open === -1 ? -1 : key.indexOf('}', open + 1)
  if (close <= open + 1) return key
  return typeof key === 'string' ? key.slice(open + 1, close) : key.subarray(open + 1, close)
}

const methods: ReadonlySet<string> = new Set(
  [...Redis.prototype.getBuiltinCommands(), 'call'].flatMap((name) => [name, `${name}Buffer`]),
)

type Send = (method: string, args: readonly unknown[], callback: Callback<unknown> | undefined) => unknown

/** `control` and, beside what it has itself, a method for each command of Redis. */
function commands<Control extends object>(control: Control, send: Send): Control {
  return new Proxy(control, {
    get(target, name) {
      if (name in target || typeof name !== 'string' || !methods.has(name)) return Reflect.get(target, name)
      return (...args: unknown[]): unknown => {
        const last = args.at(-1)
        return isCallback(last) ? send(name, args.slice(0, -1), last) : send(name, args, undefined)
      }
    },
  })
}

function isCallback(value: unknown): value is Callback<unknown> {
  return typeof value === 'function'
}

function invoke(client: Redis | ChainableCommander, method: string, args: readonly unknown[]): unknown {
  const call: unknown = Reflect.get(client, method)
  if (typeof call !== 'function') throw new MaglevError('NO_KEY', `This client has no command ${method}`)
  return Reflect.apply(call, client, args)
}

function keysOf(method: string, args: readonly unknown[]): (string | Buffer)[] {
  const bare = method.replace(/Buffer$/, '')
  const [name, rest] = bare === 'call' ? [args[0], args.slice(1)] : [bare, args]
  if (typeof name !== 'string')
    throw new MaglevError('INVALID_OPTION', `call needs the name of a command, not ${shown(name)}`)
  // Its constructor also lays objects, as mset takes them, out flat.
  let command: Command
  try {
    // ioredis 5 knows the keys of names in lower case alone.
    command = new Command(name.toLowerCase(), rest as string[])
  } catch (cause) {
    throw new MaglevError('INVALID_KEY', `${method}: an argument is neither text, number nor bytes`, {
      cause,
    })
  }
  // Nobody sends this one; what it has to say about its arguments the one that is sent says as well.
  command.promise.catch(() => {})
  const keys: unknown[] = command.getKeys()
  return keys.filter((key) => typeof key === 'string' || Buffer.isBuffer(key))
}
