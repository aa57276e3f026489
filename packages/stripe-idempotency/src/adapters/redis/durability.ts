import { type Duration, parsePositiveDuration } from '../../duration.ts'
import { IdempotencyError, shown } from '../../errors.ts'
import type { Port } from './client.ts'
import { infoOf } from './info.ts'

/** What must have a write before it counts. */
export interface DurabilityOptions {
  /**
   * Replicas that must have each write before it counts (`WAIT`). A write that fewer have in time counts as one whose answer
   * was lost: nothing is executed on such a claim, and an answer is true and sent all the same, after the lease at the latest.
   * Every write takes a second turn on the connection, in which nothing else moves there: give the store a client of its own.
   * It makes a failover that loses writes rarer, not impossible. Default: 0.
   */
  readonly waitReplicas?: number
  /**
   * Whether each write must be on disk before it counts, in the append-only file of the server and of so many replicas
   * (`WAITAOF`, Redis 7.2 or later with `appendonly yes`). With `appendfsync always` that takes about a millisecond, with
   * `everysec` a second for each write, with `no` it never comes. Default: false.
   */
  readonly waitAof?: boolean
  /** How long to wait for them. Default: `1s`, and `3s` with `waitAof`. */
  readonly waitTimeout?: Duration
}

/** The same, checked; times in milliseconds. */
export interface Durability {
  readonly replicas: number
  readonly aof: boolean
  readonly timeout: number
}

/**
 * Undefined where nothing is waited for.
 *
 * @throws IdempotencyError `invalid_option`
 */
export function durabilityOf(options: DurabilityOptions): Durability | undefined {
  const { waitReplicas: replicas = 0, waitAof: aof = false } = options
  if (!Number.isSafeInteger(replicas) || replicas < 0 || replicas > 1000) {
    throw new IdempotencyError(
      'invalid_option',
      `waitReplicas must be a whole number from 0 to 1,000, not ${shown(replicas)}`,
    )
  }
  const timeout = Math.ceil(parsePositiveDuration('waitTimeout', options.waitTimeout ?? (aof ? '3s' : '1s')))
  return replicas === 0 && !aof ? undefined : { replicas, aof, timeout }
}

/** @throws IdempotencyError `invalid_option` where this Redis cannot do it; `store_unavailable` */
export async function requireDurability(port: Port, { aof }: Durability): Promise<void> {
  if (port.command === undefined) {
    throw new IdempotencyError(
      'invalid_option',
      'waitReplicas and waitAof are for a client of one server: a Cluster asks any of its nodes',
    )
  }
  if (!aof) return
  const version = (await infoOf(port, 'server')).get('redis_version') ?? ''
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < 7 || (major === 7 && minor < 2)) {
    throw new IdempotencyError(
      'invalid_option',
      `waitAof needs Redis 7.2 or later, for WAITAOF, and this one is ${version}; set appendfsync to always there instead`,
    )
  }
  if ((await infoOf(port, 'persistence')).get('aof_enabled') === '0') {
    throw new IdempotencyError('invalid_option', 'waitAof needs appendonly, which is off in this Redis')
  }
}

/**
 * Until what was written before on the connection is where it must be.
 *
 * @throws IdempotencyError `store_unavailable` where it is not, in time
 */
export async function awaitDurability(port: Port, { replicas, aof, timeout }: Durability): Promise<void> {
  const answered = await port.command?.(
    aof ? ['WAITAOF', '1', String(replicas), String(timeout)] : ['WAIT', String(replicas), String(timeout)],
  )
  const [files, copies] = aof && Array.isArray(answered) ? answered.map(Number) : [1, Number(answered)]
  if ((files ?? 0) >= 1 && (copies ?? 0) >= replicas) return
  throw new IdempotencyError(
    'store_unavailable',
    (files ?? 0) < 1
      ? `what was written was not on disk in ${timeout} ms`
      : `${copies ?? 0} replicas had what was written in ${timeout} ms, and waitReplicas is ${replicas}`,
  )
}
