import { Pool } from 'pg'

/** A pool whose connections may be lost, as where a server is killed, or ends before they are closed. */
export function openPool(connectionString: string, max: number): Pool {
  const pool = new Pool({ connectionString, max })
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}
