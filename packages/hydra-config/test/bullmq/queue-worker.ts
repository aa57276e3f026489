import { bullmqProcessor } from '@loadbearing/hydra-config/bullmq'
import { Worker } from 'bullmq'
import app from './queue-app.ts'

const [queue = 'default', port] = process.argv.slice(2)
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null }
const worker = new Worker(queue, bullmqProcessor(app), {
  connection,
  lockDuration: 4000,
  stalledInterval: 500,
})
await worker.waitUntilReady()
console.log('ready')
