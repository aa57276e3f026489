import { monitorEventLoopDelay } from 'node:perf_hooks'
import { createHttpProxy } from '../../../src/adapters/http-proxy.ts'
import { createTcpProxy } from '../../../src/adapters/tcp-proxy.ts'
import { createPool, Maglev } from '../../../src/index.ts'

// A proxy before a pool, a process of its own: `proxy.ts tcp|http <backend>…`. Tells each change of a backend's state as a message,
// and, when asked for `stats`, what it counted.

const [kind, ...ids] = process.argv.slice(2)
const pool = createPool(new Maglev(ids), {
  active: { type: 'tcp', interval: '200ms', timeout: '500ms', unhealthyThreshold: 3 },
  outlier: { consecutive5xx: 5, baseEjectionTime: '30s' },
})
const proxy = kind === 'http' ? createHttpProxy(pool) : createTcpProxy(pool)
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()

pool.on('state', ({ id, to }) => process.send?.({ id, to, at: Date.now() }))
process.on('message', () => {
  const { rebuilds, probes, active } = pool.stats()
  const { rss } = process.memoryUsage()
  process.send?.({ stats: { rebuilds, probes, active, rss, delayP99: delay.percentile(99) / 1e6 } })
})
const { port } = await proxy.listen({ port: 0, host: '127.0.0.1' })
await pool.ready()
console.log(`listening ${port}`)
