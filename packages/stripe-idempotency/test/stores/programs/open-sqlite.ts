import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'

// Opens stores in new files, each at the same moment as the other parties do.

const { files, barrier, parties }: { files: string[]; barrier: Int32Array; parties: number } = workerData
const failures: string[] = []
for (const [round, file] of files.entries()) {
  const database = new DatabaseSync(file)
  Atomics.add(barrier, 0, 1)
  while (Atomics.load(barrier, 0) < (round + 1) * parties);
  try {
    sqliteStore({ database })
  } catch (error) {
    failures.push(String(error))
  }
  database.close()
}
parentPort?.postMessage(failures)
