import { createHttpProxy } from '../../../src/adapters/http-proxy.ts'
import { createTcpProxy } from '../../../src/adapters/tcp-proxy.ts'
import { createPool, Maglev } from '../../../src/index.ts'

/** A proxy of its own process: `proxy.ts tcp|http backend`. Tells its memory when asked, and ends by itself once closed. */
const [kind, backend = ''] = process.argv.slice(2)
const pool = createPool(new Maglev([backend]), { active: { type: 'tcp', interval: '1s' }, outlier: true })
const proxy = kind === 'tcp' ? createTcpProxy(pool) : createHttpProxy(pool)
const { port } = await proxy.listen({ port: 0, host: '127.0.0.1' })
process.on('message', (message) => {
  if (message === 'memory') process.send?.(process.memoryUsage().rss)
  else void close()
})
console.log(`listening ${port}`)

async function close(): Promise<void> {
  await proxy.close()
  await pool[Symbol.asyncDispose]()
  console.log(JSON.stringify({ active: pool.stats().active }))
  process.disconnect?.()
}
