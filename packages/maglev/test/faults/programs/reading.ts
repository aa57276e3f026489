import { parentPort, workerData } from 'node:worker_threads'
import { attach } from '../../../src/index.ts'

// A worker that does nothing but look up in a shared table, until it is killed.

const table = attach(workerData)
parentPort?.postMessage('reading')
for (let key = 0; ; key++) table.lookup(key)
