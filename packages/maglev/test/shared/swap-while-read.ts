import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { Maglev } from '@loadbearing/maglev'
import { evenDown, oddDown, tableOptions } from './tables.ts'

export interface Readings {
  readonly reads: number
  readonly torn: number
}

/** Swaps the table so many times while threads read it, and sums up what they saw. */
export async function swapWhileRead(swaps: number, threads: number): Promise<Readings> {
  const maglev = new Maglev(evenDown, { ...tableOptions, shared: true })
  const stop = new Int32Array(new SharedArrayBuffer(4))
  const workers = Array.from(
    { length: threads },
    () =>
      new Worker(new URL('./reader.ts', import.meta.url), { workerData: { handle: maglev.share(), stop } }),
  )
  const total = { reads: 0, torn: 0 }
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')))
    const health = [oddDown, evenDown].map((backends) =>
      Object.fromEntries(backends.map((each) => [each.id, each.health ?? 'healthy'])),
    )
    for (let swap = 0; swap < swaps; swap++) maglev.update({ health: health[swap % 2]! })
    Atomics.store(stop, 0, 1)
    for (const [{ reads, torn }] of await Promise.all(workers.map((worker) => once(worker, 'message')))) {
      total.reads += Number(reads)
      total.torn += Number(torn)
    }
  } finally {
    Atomics.store(stop, 0, 1)
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
  return total
}
