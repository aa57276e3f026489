import { Waiters } from '../../store/waiters.ts'
import { type PostgresConnection, type PostgresPool, rowsOf } from './client.ts'

/** The channel on which every write says the id of its store. */
export const channel = 'zanzibar_write'

/**
 * Wakes those who wait for writes, from one connection that listens while the store is open. A hint only: it may be lost, so
 * who waits also looks from time to time.
 */
export class Listener {
  readonly #pool: PostgresPool
  readonly #waiters = new Map<string, Waiters>()
  #connection: PostgresConnection | undefined
  #isConnecting = false
  #isClosed = false

  constructor(pool: PostgresPool) {
    this.#pool = pool
  }

  async wait(storeId: string, signal: AbortSignal): Promise<void> {
    let waiters = this.#waiters.get(storeId)
    if (waiters === undefined) {
      waiters = new Waiters()
      this.#waiters.set(storeId, waiters)
    }
    await waiters.wait(signal)
  }

  wake(storeId: string): void {
    const waiters = this.#waiters.get(storeId)
    this.#waiters.delete(storeId)
    waiters?.wake()
  }

  /** Listens, where it does not yet and the pool has a connection to spare. */
  async listen(): Promise<void> {
    const { max } = this.#pool.options
    if (this.#connection || this.#isConnecting || this.#isClosed || (max !== undefined && max < 2)) return
    this.#isConnecting = true
    try {
      const connection = await this.#pool.connect()
      connection.on('notification', ({ payload }) => this.wake(payload ?? ''))
      const lose = (): void => {
        if (this.#connection !== connection) return
        this.#connection = undefined
        connection.release(true)
      }
      connection.on('error', lose)
      connection.on('end', lose)
      this.#connection = connection
      await rowsOf(connection, { text: `LISTEN ${channel}` })
      if (this.#isClosed) lose()
      // What was written while nobody listened.
      this.#wakeAll()
    } catch {
      // Who waits looks from time to time anyway, and asks for this again.
      const connection = this.#connection
      this.#connection = undefined
      connection?.release(true)
    } finally {
      this.#isConnecting = false
    }
  }

  close(): void {
    this.#isClosed = true
    this.#wakeAll()
    const connection = this.#connection
    this.#connection = undefined
    connection?.removeAllListeners('notification')
    connection?.release(true)
  }

  #wakeAll(): void {
    for (const storeId of Array.from(this.#waiters.keys())) this.wake(storeId)
  }
}
