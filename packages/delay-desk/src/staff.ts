import { createPool, Maglev, type Pool } from '@loadbearing/maglev'
import type { Airports } from './airports.ts'
import type { BooksPlace } from './books.ts'
import { Child } from './child.ts'
import { DeskError } from './errors.ts'
import { isFromWorker } from './messages.ts'
import type { Policy } from './policy.ts'
import type { Roster } from './roster.ts'

/** What workers call. */
export interface Services {
  /** Base addresses. */
  readonly bank: string
  readonly records: string
  /** Whether the circuits before them open. */
  readonly breaker: boolean
  readonly policy: Policy
  readonly roster: Roster
  readonly books: BooksPlace
  /** Milliseconds for which the bank promises to know an idempotency key. */
  readonly retention: number
}

/** A worker process and where it is called. */
export interface Hired {
  readonly id: string
  readonly process: Child
  readonly address: string
}

/**
 * Puts the workers of a table behind a pool. From then on nobody is told how a worker fares: the pool finds out by probes, which
 * see those that hang too, and by calls that fail, which is faster.
 */
export function watch(table: Maglev): Pool {
  return createPool(table, {
    active: { type: 'http', path: '/health', interval: '100ms', timeout: '1s', unhealthyThreshold: 3 },
    outlier: { consecutive5xx: 5 },
    // A claim given to a dead worker is not settled by hoping.
    panicThreshold: 0,
  })
}

export function tableOf(workers: readonly Hired[]): Maglev {
  return new Maglev(workers.map(({ id, address }) => ({ id, address })))
}

/**
 * Starts the workers, `worker-1` on, and waits until all can be called.
 *
 * @throws DeskError `WORKER_FAILED` where one ends before it can be called
 */
export async function hire(
  count: number,
  { latitudes, longitudes }: Airports,
  services: Services,
  program: URL,
  hear: (worker: string, message: unknown) => void,
): Promise<Hired[]> {
  const processes: Child[] = []
  const start = async (id: string): Promise<Hired> => {
    const { promise: port, resolve } = Promise.withResolvers<number>()
    const child = new Child(program, (message) => {
      if (isFromWorker(message) && message.kind === 'ready') resolve(message.port)
      else hear(id, message)
    })
    processes.push(child)
    child.tell({ kind: 'start', worker: id, ...services, latitudes, longitudes })
    const failed = child.ended.then((end): never => {
      throw new DeskError('WORKER_FAILED', `${id} ended before it could be called (${end})`)
    })
    return { id, process: child, address: `127.0.0.1:${await Promise.race([port, failed])}` }
  }
  try {
    return await Promise.all(Array.from({ length: count }, (_, place) => start(`worker-${place + 1}`)))
  } catch (error) {
    await Promise.all(processes.map((child) => child[Symbol.asyncDispose]()))
    throw error
  }
}
