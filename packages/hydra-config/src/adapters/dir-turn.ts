import { setImmediate } from 'node:timers/promises'
import { throwIfAborted } from '../aborted.ts'

/**
 * A config folder is small and in the system's cache, where a synchronous call costs a tenth of a trip to the thread
 * pool. In a large one all others get their turn every 256 files.
 */
export async function turn(done: number, signal: AbortSignal | undefined): Promise<void> {
  if (done % 256 !== 0) return
  await setImmediate()
  throwIfAborted(signal)
}
