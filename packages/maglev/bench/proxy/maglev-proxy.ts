import { createPool, Maglev } from '@loadbearing/maglev'
import { createHttpProxy } from '@loadbearing/maglev/http'
import { createTcpProxy } from '@loadbearing/maglev/tcp'

// Ours, as the others are set up: `maglev-proxy.ts tcp|http source|any <host:port>…`. Keys: the client's address, or what spreads the
// load of one client, its port or the path.

const [kind, by, ...ids] = process.argv.slice(2)
const pool = createPool(new Maglev(ids), {
  active: { type: 'tcp', interval: '200ms', unhealthyThreshold: 3 },
  outlier: true,
})
const proxy =
  kind === 'http'
    ? createHttpProxy(pool, by === 'any' ? { key: ({ path }) => path } : {})
    : createTcpProxy(pool, by === 'any' ? { key: ({ source }) => `${source.address}:${source.port}` } : {})
const { port } = await proxy.listen({ port: 0, host: '127.0.0.1' })
await pool.ready()
console.log(`listening ${port}`)
