import { parentPort, workerData } from 'node:worker_threads'
import { attach, Maglev, type SharedHandle } from '@loadbearing/maglev'
import { evenDown, keys, oddDown, tableOptions } from './tables.ts'

/** A reader thread: looks up without pause until told to stop, and counts the answers that no one table gives. */
const { handle, stop }: { handle: SharedHandle; stop: Int32Array<SharedArrayBuffer> } = workerData
const shared = attach(handle)
const expected = [evenDown, oddDown].map((backends) =>
  new Maglev(backends, tableOptions).lookupMany(keys).join(),
)

let reads = 0
let torn = 0
let early = true
while (Atomics.load(stop, 0) === 0) {
  const before = shared.version
  const answers = shared.lookupMany(keys).join()
  const after = shared.version
  reads += keys.length
  // The version tells which of the two tables it is: odd ones have the even backends down.
  const possible = before === after ? [expected[(before - 1) % 2]] : expected
  if (!possible.includes(answers)) torn += 1
  const single = shared.lookup(reads)
  if (single === undefined) torn += 1
  if (early) parentPort?.postMessage('reading')
  early = false
}
parentPort?.postMessage({ reads, torn })
