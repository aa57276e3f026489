import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import { createPool, Maglev } from '../../src/index.ts'

export interface FlapOutcome {
  readonly flips: number
  readonly changes: number
  readonly rebuilds: number
  /** The shortest time between two tables, in ms. */
  readonly closest: number
  /** Of the event loop, in ms, with the sampling interval of 1 ms in it. */
  readonly delayP99: number
  /** The same of a thread that does nothing meanwhile: what the machine adds. */
  readonly idleP99: number
  /** Whether the last table is the one of before. */
  readonly sameTable: boolean
}

/** A backend answers its probes with 200 and 503 in turns, changing ten times a second, for `seconds` of real time. */
export async function flap(seconds: number, backends: number, tableSize: number): Promise<FlapOutcome> {
  let up = true
  const server = createServer((_, response) => response.writeHead(up ? 200 : 503).end()).listen(
    0,
    '127.0.0.1',
  )
  await once(server, 'listening')
  const flapping = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const steady = Array.from({ length: backends - 1 }, (_, n) => ({ id: `steady-${n}`, address: flapping }))
  const maglev = new Maglev([flapping, ...steady], { tableSize })
  const fingerprint = maglev.fingerprint
  const pool = createPool(maglev, {
    active: {
      interval: '20ms',
      jitter: 0,
      healthyThreshold: 1,
      unhealthyThreshold: 1,
      probe: async ({ id }, signal) => {
        if (id !== flapping) return 'healthy'
        const { status } = await fetch(`http://${flapping}/`, { signal })
        if (status === 200) return 'healthy'
        throw new Error(`status ${status}`)
      },
    },
  })
  const tables: number[] = []
  let changes = 0
  pool.on('state', () => changes++)
  await pool.ready()
  const stop = pool.on('rebuild', () => tables.push(performance.now()))
  const idle = new Worker(idleThread, { eval: true, execArgv: [] })
  await once(idle, 'online')
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  let flips = 0
  const done = Promise.withResolvers<void>()
  const flip = setInterval(() => {
    if (flips === seconds * 10) done.resolve()
    else {
      flips++
      up = !up
    }
  }, 100)
  await done.promise
  clearInterval(flip)
  delay.disable()
  stop()
  idle.postMessage('end')
  const [idleP99]: unknown[] = await once(idle, 'message')
  await idle.terminate()
  up = true
  while (pool.states().get(flapping)?.state !== 'healthy') await once(server, 'request')
  await pool.settled()
  await pool[Symbol.asyncDispose]()
  server.closeAllConnections()
  await new Promise((closed) => server.close(closed))
  return {
    flips,
    changes,
    rebuilds: tables.length,
    closest: tables
      .slice(1)
      .reduce((least, at, before) => Math.min(least, at - (tables[before] ?? 0)), Number.POSITIVE_INFINITY),
    delayP99: delay.percentile(99) / 1e6,
    idleP99: Number(idleP99),
    sameTable: maglev.fingerprint === fingerprint,
  }
}

const idleThread = `
  const delay = require('node:perf_hooks').monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  require('node:worker_threads').parentPort.once('message', function end() {
    this.postMessage(delay.percentile(99) / 1e6)
  })
`
