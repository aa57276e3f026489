import { randomBytes } from 'node:crypto'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HarnessError } from '../errors.ts'
import { eventually } from '../faults/eventually.ts'
import { freePort, isFree } from '../faults/loopback-port.ts'
import { continueTree, killTree, signal, stopTree } from '../faults/process-tree.ts'
import { spawnTethered, type Tethered } from '../faults/tether.ts'
import { FolderGuard } from './folder-guard.ts'
import type { Recipe, ServerCommand, ServerHome } from './recipe.ts'

const readyWithinMs = 60_000
const stopWithinMs = 10_000
const portAttempts = 3
const logTail = 65_536

/** A server of ours: its process, its folder, its port. It dies with this process, however that ends. */
export class Server {
  readonly #recipe: Recipe
  readonly #home: ServerHome
  readonly #logFile: string
  readonly #guard: FolderGuard
  #running: Tethered | undefined
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(recipe: Recipe, home: ServerHome) {
    this.#recipe = recipe
    this.#home = home
    this.#logFile = join(home.folder, 'log')
    this.#guard = new FolderGuard(home.folder)
  }

  /** Makes a folder and data, starts the server and waits until it answers. */
  static async start(recipe: Recipe): Promise<Server> {
    // The real path, because servers that are killed are found again by it.
    const folder = await mkdtemp(join(await realpath(tmpdir()), `loadbearing-${recipe.kind}-`))
    const password = randomBytes(12).toString('hex')
    const home = { folder, data: join(folder, 'data'), port: await freePort(), password }
    const server = new Server(recipe, home)
    try {
      await server.#prepare()
      await server.#launchOnFreePort()
      return server
    } catch (error) {
      await server.stop()
      throw error
    }
  }

  get url(): string {
    return this.#recipe.url(this.#home)
  }

  get pid(): number | undefined {
    const running = this.#running
    return running === undefined || hasEnded(running) ? undefined : running.process.pid
  }

  get log(): string {
    return readTail(this.#logFile)
  }

  kill(): Promise<void> {
    return this.#inTurn(() => this.#kill())
  }

  pause(): Promise<void> {
    return this.#inTurn(async () => {
      await stopTree(this.#runningPid())
    })
  }

  resume(): void {
    continueTree(this.#runningPid())
  }

  restart(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#shutDown()
      await this.#launch()
    })
  }

  reset(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#kill()
      await this.#renew()
      await this.#launch()
    })
  }

  stop(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#shutDown()
      this.#recipe.sweep?.(this.#home)
      this.#guard[Symbol.dispose]()
      await rm(this.#home.folder, { recursive: true, force: true, maxRetries: 5 })
    })
  }

  /** One after the other, however many ask: two restarts at a time would start two servers. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }

  async #kill(): Promise<void> {
    const { pid } = this
    if (pid !== undefined) await killTree(pid)
    await untilGone(this.#running)
  }

  async #prepare(): Promise<void> {
    await mkdir(this.#home.data, { mode: 0o700 })
    await this.#recipe.prepare(this.#home, async (command) => {
      const running = this.#spawn(command)
      await untilGone(running)
      if (running.process.exitCode !== 0) throw this.#failed(`${command.program} failed`)
    })
  }

  async #renew(): Promise<void> {
    this.#recipe.sweep?.(this.#home)
    await rm(this.#home.data, { recursive: true, force: true })
    await this.#prepare()
  }

  // Between the choice of a port and its use another process may take it.
  async #launchOnFreePort(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#launch()
      } catch (error) {
        if (attempt === portAttempts || (await isFree(this.#home.port))) throw error
        this.#home.port = await freePort()
        await this.#renew()
      }
    }
  }

  async #launch(): Promise<void> {
    // Another server of the same kind there would answer in place of ours.
    if (!(await isFree(this.#home.port)))
      throw this.#failed(`port ${this.#home.port} is taken by another process`)
    const running = this.#spawn(this.#recipe.command(this.#home))
    this.#running = running
    const isReady = async (): Promise<boolean> =>
      hasEnded(running) || this.#recipe.answers('127.0.0.1', this.#home.port)
    try {
      await eventually(isReady, { within: readyWithinMs, every: 20 })
    } catch (cause) {
      await this.#kill()
      throw this.#failed(`did not answer within ${readyWithinMs / 1_000} s`, cause)
    }
    if (hasEnded(running)) throw this.#failed('ended before it was ready')
  }

  #spawn({ program, args, env = {}, user }: ServerCommand): Tethered {
    const log = openSync(this.#logFile, 'a')
    try {
      const running = spawnTethered(program, args, {
        cwd: '/',
        env: { PATH: process.env['PATH'], HOME: this.#home.folder, LC_ALL: 'C', TZ: 'UTC', ...env },
        stdio: { standard: ['ignore', log, log] },
        lastSignal: this.#recipe.abortSignal,
        leftover: this.#home.folder,
        ref: false,
        ...(user === undefined ? {} : { user }),
      })
      running.process.on('error', () => {})
      void this.#markInUse(running)
      return running
    } finally {
      closeSync(log)
    }
  }

  async #markInUse(running: Tethered): Promise<void> {
    this.#guard.inUse = true
    await running.gone
    this.#guard.inUse = false
  }

  async #shutDown(): Promise<void> {
    const { pid } = this
    if (pid === undefined) return untilGone(this.#running)
    signal(pid, this.#recipe.stopSignal)
    // A paused process acts on no signal before it goes on.
    continueTree(pid)
    const timer = setTimeout(() => void this.#kill(), stopWithinMs)
    try {
      await untilGone(this.#running)
    } finally {
      clearTimeout(timer)
    }
  }

  #runningPid(): number {
    if (this.pid === undefined) {
      throw new HarnessError('SERVICE_STOPPED', `${this.#recipe.kind} is not running: restart() it first`)
    }
    return this.pid
  }

  #failed(what: string, cause?: unknown): HarnessError {
    const log = this.log.slice(-2_000)
    return new HarnessError('SERVICE_FAILED', `${this.#recipe.kind}: ${what}; its log ends with\n${log}`, {
      cause,
    })
  }
}

function hasEnded({ process: { pid, exitCode, signalCode } }: Tethered): boolean {
  return pid === undefined || exitCode !== null || signalCode !== null
}

/** A server keeps nobody alive, but who waits for its end does wait. */
async function untilGone(running: Tethered | undefined): Promise<void> {
  running?.process.ref()
  await running?.gone
}

function readTail(file: string): string {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = fstatSync(descriptor)
    const buffer = Buffer.alloc(Math.min(size, logTail))
    readSync(descriptor, buffer, 0, buffer.length, size - buffer.length)
    return buffer.toString('utf8')
  } finally {
    closeSync(descriptor)
  }
}
