import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHydra } from '@loadbearing/hydra-config'
import { fromDir } from '@loadbearing/hydra-config/node'

const changes = 100

/** How long after a file was written a watched configuration shows it, in ms: the 95th percentile. */
export async function reloadLatency(folder: string): Promise<{ p95: number; changes: number }> {
  const hydra = createHydra({ sources: [fromDir(folder)] })
  await using live = await hydra.watch({ config: 'db_conf' })
  const reloads = live[Symbol.asyncIterator]()
  const times: number[] = []
  for (let port = 1; port <= changes; port++) {
    const next = reloads.next()
    writeFileSync(join(folder, 'db', 'mysql.yaml'), `driver: mysql\nport: ${port}\n`)
    const start = performance.now()
    const { value } = await next
    times.push(performance.now() - start)
    if (Object(value).value.db.port !== port) throw new Error(`change ${port} was not shown`)
  }
  times.sort((a, b) => a - b)
  return { p95: times[Math.ceil(changes * 0.95) - 1] ?? Number.NaN, changes }
}
