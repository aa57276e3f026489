import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, freePort } from '@loadbearing/harness/faults'
import { Redis } from 'ioredis'

// A Redis Cluster of two nodes, each with half of the slots. The folder is the starter's to delete.
const [folder = mkdtempSync(join(tmpdir(), 'cluster-'))] = process.argv.slice(2)
const ports = [await freePort(), await freePort()]
const busPorts = [await freePort(), await freePort()]

const nodes = ports.map((port, index) => {
  const data = join(folder, String(index))
  mkdirSync(data)
  const own = ['--cluster-port', String(busPorts[index]), '--cluster-enabled', 'yes']
  const common = [
    '--bind',
    '127.0.0.1',
    '--port',
    String(port),
    '--dir',
    data,
    '--save',
    '',
    '--appendonly',
    'no',
  ]
  spawn('redis-server', [...common, ...own], { stdio: 'ignore' })
  return new Redis(port, '127.0.0.1', { retryStrategy: () => 20, maxRetriesPerRequest: null })
})
for (const node of nodes) node.on('error', () => {})

const [first, second] = nodes
await first?.call('CLUSTER', 'ADDSLOTSRANGE', '0', '8191')
await second?.call('CLUSTER', 'ADDSLOTSRANGE', '8192', '16383')
await second?.call('CLUSTER', 'SET-CONFIG-EPOCH', '2')
await first?.call('CLUSTER', 'MEET', '127.0.0.1', String(ports[1]), String(busPorts[1]))
await eventually(async () => {
  const states = await Promise.all(nodes.map((node) => node.call('CLUSTER', 'INFO')))
  return states.every((info) => {
    const text = String(info)
    return text.includes('cluster_state:ok') && text.includes('cluster_known_nodes:2')
  })
})
for (const node of nodes) node.disconnect()
console.log(`cluster at ${ports.join(' ')}`)
// The nodes end with this process.
setInterval(() => {}, 1 << 30)
