import { watch } from '../consistency/watch.ts'
import type { Space } from './open-space.ts'

/** Tells every change of a store from the position `after` on, as it is committed, until `signal` is aborted. */
export async function tellChanges(
  { store, storeId }: Pick<Space, 'store' | 'storeId'>,
  after: number,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for await (const { position, operation, tuple, timestamp } of watch(store, storeId, { after, signal })) {
    say(JSON.stringify({ position, operation, tuple, timestamp: new Date(timestamp).toISOString() }))
  }
}
