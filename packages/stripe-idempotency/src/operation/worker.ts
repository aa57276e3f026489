import { channel } from 'node:diagnostics_channel'
import { IdempotencyError, shown } from '../errors.ts'
import { Completer, type CompleterOptions } from './completer.ts'
import { Drainer, type DrainerOptions } from './drainer.ts'
import { Loop } from './loop.ts'
import type { OperationParts } from './operation.ts'
import type { Job } from './outbox.ts'
import { Reaper, type ReaperOptions } from './reaper.ts'

/** What a worker is to do; at least one of them. */
export interface WorkerOptions {
  /** Goes on with operations that were abandoned, and settles uncertain ones that can be reconciled. */
  readonly complete?: boolean | CompleterOptions
  /** Deletes answers that have expired. */
  readonly reap?: boolean | ReaperOptions
  /** Delivers the jobs that phases have staged: each at least once, in rounds of at most a batch. */
  readonly drain?: ((jobs: readonly Job[]) => Promise<void>) | DrainerOptions
  /**
   * Told of what failed; it is tried again, after longer and longer pauses. Default: nobody; each is published on the
   * diagnostics channel `loadbearing:stripe-idempotency:worker-error` as well, as `{ task, error }`.
   */
  readonly onError?: (error: unknown, task: WorkerTask) => void
  /** Ends it, as disposal does. */
  readonly signal?: AbortSignal
}

export type WorkerTask = 'complete' | 'reap' | 'drain'

/** Work in the background. Ends once it is disposed of, when what it had begun has ended; it keeps no process alive. */
export interface Worker extends AsyncDisposable {}

const failures = channel('loadbearing:stripe-idempotency:worker-error')

/** @throws IdempotencyError `invalid_option` */
export function startWorker(parts: OperationParts, options: WorkerOptions): Worker {
  const { complete = false, reap = false, drain, onError, signal } = options
  const stop = new AbortController()
  const tell =
    (task: WorkerTask) =>
    (error: unknown): void => {
      failures.publish({ task, error })
      onError?.(error, task)
    }
  const chosen = <Options>(option: boolean | Options): Options | Partial<Options> | undefined =>
    option === false ? undefined : option === true ? {} : option
  const completing = chosen<CompleterOptions>(complete)
  const reaping = chosen<ReaperOptions>(reap)
  const draining = typeof drain === 'function' ? { deliver: drain } : drain
  if (completing === undefined && reaping === undefined && draining === undefined) {
    throw new IdempotencyError(
      'invalid_option',
      `a worker must complete, reap or drain, not nothing: ${shown(options)}`,
    )
  }
  const failed = tell('complete')
  const tasks = [
    completing && ([new Completer(parts, completing, stop.signal, failed), failed] as const),
    reaping && ([new Reaper(parts, reaping), tell('reap')] as const),
    draining && ([new Drainer(parts, draining), tell('drain')] as const),
  ].filter((each) => each !== undefined)
  const loops = tasks.map(([task, onFailure]) => new Loop(parts.clock, task, stop.signal, onFailure))
  const end = async (): Promise<void> => {
    signal?.removeEventListener('abort', endNow)
    stop.abort()
    await Promise.all(loops.map((loop) => loop.ended))
  }
  const endNow = (): void => void end()
  signal?.addEventListener('abort', endNow, { once: true })
  if (signal?.aborted === true) endNow()
  return { [Symbol.asyncDispose]: end }
}
