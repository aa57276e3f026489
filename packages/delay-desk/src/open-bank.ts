import type { BankNature } from './configuration.ts'
import { DeskError } from './errors.ts'
import type { BankStart } from './messages.ts'
import { type OpenService, openService } from './open-service.ts'

/** Deaths that no script has foreseen: more are of a bank that cannot stay alive. */
const MOST_DEATHS = 10

/** What a bank is started with. */
export interface BankParts extends Pick<BankStart, 'folder' | 'takesAway' | 'seed'> {
  readonly nature: BankNature
  /** It is dead, and will be started again. */
  readonly onDeath?: (pid: number) => void
}

/** The bank's process, and the one after it where it dies: on the same port and the same ledger. */
export class OpenBank implements OpenService {
  readonly url: string
  readonly #program: URL
  readonly #parts: BankParts
  readonly #failed = Promise.withResolvers<never>()
  #process: Awaited<ReturnType<typeof openService>>
  #life = 0
  #closed = false
  #disposed = false
  #restart: Promise<void> = Promise.resolve()

  private constructor(program: URL, parts: BankParts, process: Awaited<ReturnType<typeof openService>>) {
    this.#program = program
    this.#parts = parts
    this.#process = process
    this.url = process.url
    this.#failed.promise.catch(() => {})
    this.#watch()
  }

  /** Starts the bank and waits until it can be called. */
  static async open(program: URL, parts: BankParts): Promise<OpenBank> {
    return new OpenBank(program, parts, await begin(program, parts, { life: 0, port: 0, closed: false }))
  }

  get pid(): number {
    return this.#process.pid
  }

  /** How often it has died. */
  get deaths(): number {
    return this.#life
  }

  /** Rejects when it cannot be started again; never resolves. */
  get failed(): Promise<never> {
    return this.#failed.promise
  }

  /** The day is over: from now on its books can be searched. */
  closeDay(): void {
    this.#closed = true
    this.#process.tell({ kind: 'closing' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    await this.#restart
    await this.#process[Symbol.asyncDispose]()
  }

  #watch(): void {
    this.#process.failed.catch((error: unknown) => {
      if (!this.#disposed) this.#restart = this.#begin(error).catch(this.#failed.reject)
    })
  }

  async #begin(cause: unknown): Promise<void> {
    if (++this.#life > MOST_DEATHS + (this.#parts.nature.dies?.times ?? 0))
      throw new DeskError('SERVICE_FAILED', `the bank has died ${this.#life} times`, { cause })
    this.#parts.onDeath?.(this.#process.pid)
    const port = Number(new URL(this.url).port)
    const before = { life: this.#life, port, closed: this.#closed }
    this.#process = await begin(this.#program, this.#parts, before)
    if (this.#closed) this.#process.tell({ kind: 'closing' })
    this.#watch()
  }
}

function begin(
  program: URL,
  { folder, takesAway, seed, nature }: BankParts,
  before: Pick<BankStart, 'life' | 'port' | 'closed'>,
): ReturnType<typeof openService> {
  return openService('bank', program, { kind: 'bank', folder, takesAway, seed, nature, ...before })
}
