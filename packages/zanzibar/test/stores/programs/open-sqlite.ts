import { parentPort, workerData } from 'node:worker_threads'
import { sqliteStore } from '@loadbearing/zanzibar/sqlite'

// Opens stores in new files, each at the same moment as the other parties do.

const { paths, barrier, parties }: { paths: string[]; barrier: Int32Array; parties: number } = workerData
const failures: string[] = []
for (const [round, path] of paths.entries()) {
  Atomics.add(barrier, 0, 1)
  while (Atomics.load(barrier, 0) < (round + 1) * parties);
  try {
    await using _ = sqliteStore({ path })
  } catch (error) {
    failures.push(String(error))
  }
}
parentPort?.postMessage(failures)
