// The server that is compared with OpenFGA, in a process of its own: node server.ts memory|postgres://…|<file of SQLite>

import { memoryStore } from '@loadbearing/zanzibar'
import { openPostgresStore } from '@loadbearing/zanzibar/postgres'
import { zanzibarServer } from '@loadbearing/zanzibar/server'
import { sqliteStore } from '@loadbearing/zanzibar/sqlite'
import { Pool } from 'pg'

const [path = 'memory'] = process.argv.slice(2)
const store =
  path === 'memory'
    ? memoryStore()
    : path.startsWith('postgres:')
      ? await openPostgresStore({ pool: new Pool({ connectionString: path }) })
      : sqliteStore({ path })
const server = zanzibarServer({
  store,
  limits: { resolveNodeLimit: 50 },
})
console.log(await server.listen({ port: 0 }))
// Ends with who started it.
process.once('disconnect', () => process.exit())
