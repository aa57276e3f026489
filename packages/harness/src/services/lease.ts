import { HarnessError } from '../errors.ts'
import type { Recipe } from './recipe.ts'
import { Server } from './server.ts'
import type { Service, ServiceKind, ServiceOptions } from './service.ts'

interface Shared {
  server: Promise<Server>
  leases: number
}

// On the global object, because a test runner may load this module more than once in a process.
const registryKey = Symbol.for('@loadbearing/harness/services')
const globals = globalThis as typeof globalThis & { [registryKey]?: Map<string, Shared> }
const running = (globals[registryKey] ??= new Map<string, Shared>())

/** The service of this kind and name: at the address that the environment gives, else started, else found running. */
export async function lease(recipe: Recipe, { name = 'default' }: ServiceOptions = {}): Promise<Service> {
  if (!/^[\w-]{1,32}$/.test(name)) {
    throw new HarnessError(
      'BAD_OPTION',
      `name must be 1 to 32 letters, digits, - and _, got ${JSON.stringify(name)}`,
    )
  }
  const given = process.env[recipe.variable]
  if (given !== undefined && given !== '') return GivenService.at(recipe, name, given)

  const key = `${recipe.kind}.${name}`
  const shared = running.get(key) ?? start(recipe, key)
  shared.leases++
  return new OwnService(recipe.kind, name, await shared.server, () => release(key, shared))
}

function start(recipe: Recipe, key: string): Shared {
  const search = recipe.find()
  if (!search.found) {
    throw new HarnessError('SERVICE_NOT_FOUND', `${search.reason}, and ${recipe.variable} is not set`)
  }
  const shared = { server: Server.start(recipe), leases: 0 }
  running.set(key, shared)
  shared.server.catch(() => running.delete(key))
  return shared
}

async function release(key: string, shared: Shared): Promise<void> {
  shared.leases--
  if (shared.leases > 0) return
  running.delete(key)
  await (await shared.server).stop()
}

class OwnService implements Service {
  readonly owned = true
  readonly kind: ServiceKind
  readonly name: string
  readonly #server: Server
  readonly #onStop: () => Promise<void>
  #stopped: Promise<void> | undefined

  constructor(kind: ServiceKind, name: string, server: Server, onStop: () => Promise<void>) {
    this.kind = kind
    this.name = name
    this.#server = server
    this.#onStop = onStop
  }

  get url(): string {
    return this.#server.url
  }

  get pid(): number | undefined {
    return this.#server.pid
  }

  get log(): string {
    return this.#server.log
  }

  async kill(): Promise<void> {
    await this.#held.kill()
  }

  async pause(): Promise<void> {
    await this.#held.pause()
  }

  async resume(): Promise<void> {
    this.#held.resume()
  }

  async restart(): Promise<void> {
    await this.#held.restart()
  }

  async reset(): Promise<void> {
    await this.#held.reset()
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#onStop()
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  get #held(): Server {
    if (this.#stopped !== undefined) {
      throw new HarnessError('SERVICE_STOPPED', `this ${this.kind} was stopped: call ${this.kind}() again`)
    }
    return this.#server
  }
}

/** A server of someone else, at an address from the environment. */
class GivenService implements Service {
  readonly owned = false
  readonly pid = undefined
  readonly log = ''
  readonly kind: ServiceKind
  readonly name: string
  readonly url: string
  readonly #variable: string

  private constructor({ kind, variable }: Recipe, name: string, url: string) {
    this.kind = kind
    this.name = name
    this.url = url
    this.#variable = variable
  }

  static async at(recipe: Recipe, name: string, url: string): Promise<GivenService> {
    const { host, port } = parseAddress(recipe, url)
    if (!(await recipe.answers(host, port))) {
      // The whole address may hold a password.
      throw new HarnessError(
        'SERVICE_UNREACHABLE',
        `${recipe.variable}: no ${recipe.kind} answers at ${host}:${port}; start it, or unset the variable`,
      )
    }
    return new GivenService(recipe, name, url)
  }

  kill(): Promise<void> {
    return this.#refuse('kill')
  }

  pause(): Promise<void> {
    return this.#refuse('pause')
  }

  resume(): Promise<void> {
    return this.#refuse('resume')
  }

  restart(): Promise<void> {
    return this.#refuse('restart')
  }

  reset(): Promise<void> {
    return this.#refuse('reset')
  }

  async stop(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #refuse(verb: string): Promise<void> {
    return Promise.reject(
      new HarnessError(
        'SERVICE_NOT_OWNED',
        `${verb}: the ${this.kind} given by ${this.#variable} is not ours; unset it to have one started`,
      ),
    )
  }
}

function parseAddress({ variable, schemes }: Recipe, address: string): { host: string; port: number } {
  // A list of servers stands for one: the first is asked.
  const first = address.split(',')[0] ?? ''
  const url = URL.parse(first.includes('://') ? first : `tcp://${first}`)
  const scheme = first.includes('://') ? (url?.protocol.slice(0, -1) ?? '') : ''
  const defaultPort = Object.hasOwn(schemes, scheme) ? schemes[scheme] : undefined
  if (url === null || url.hostname === '' || defaultPort === undefined) {
    const names = Object.keys(schemes).map((name) => (name === '' ? 'host:port' : `${name}://`))
    throw new HarnessError('BAD_OPTION', `${variable} must be an address with ${names.join(' or ')}`)
  }
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? defaultPort : Number(url.port),
  }
}
