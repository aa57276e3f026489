import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { discoverDns } from '../adapters/dns.ts'
import { createHttpProxy } from '../adapters/http-proxy.ts'
import { createTcpProxy } from '../adapters/tcp-proxy.ts'
import { Maglev } from '../maglev.ts'
import { createPool, type Pool } from '../pool/pool.ts'
import { backendUsage, type Command, tableOptionsUsage } from './arguments.ts'
import { formatEvent, type LogEvent, logPool } from './event-log.ts'
import { watchPool } from './live-proxy.ts'
import { metricsServer } from './metrics-server.ts'
import { type ListenAddress, type ProxySettings, proxySettings } from './proxy-options.ts'

const usage = `Usage: maglev proxy --listen [HOST]:PORT --backend BACKEND... [options]

Sends each request, or with --tcp each connection, to the backend that its key belongs to. In a terminal it shows the backends
live, else it writes a line for each event. SIGTERM and SIGINT let open requests finish and then end it; a second one ends it at once.

  --listen ADDRESS        [HOST]:PORT; without a host on all addresses, port 0 takes a free one
  --backend BACKEND       once for each
  --dns NAME:PORT[,type=A|AAAA]
                          the addresses of a name are backends, kept up to date (default A; for both, give it twice)
  --srv NAME              the service records of a name are
  --http | --tcp          what is proxied (default --http)
  --hash KEY              header:NAME, cookie:NAME[,ttl=30m][,path=/], query:NAME or source (default); repeated ones combine
  --metrics ADDRESS       serve /metrics for Prometheus there
  --log plain|json        form of the lines (default plain)

Health:
  --health PATH|tcp       ask each backend by GET PATH, or only connect to it
  --health-interval TIME  default 5s                --health-timeout TIME   default 1s
  --no-outlier            do not take out backends whose requests fail
  --panic FRACTION        below this part of available backends use all (default 0.5; 0 never)

Load:
  --bounded-load FACTOR   no backend gets more than this times its share, such as 1.25
  --slow-start TIME       give backends that come back their share gradually
  --track TIME            keep keys on their backend for so long after their last request, whatever the table says
  --track-capacity N      keys kept at most (default 65536)

Connections:
  --retries N             further backends tried (default 2)
  --connect-timeout TIME  default 5s                --drain-timeout TIME    default 30s
  --accept-proxy-protocol all|CIDR                  who sends a PROXY protocol header first
  --send-proxy-protocol 1|2                         with --tcp: tell backends of the client
  --trust-forwarded all|CIDR                        with --http: whose X-Forwarded-... fields are believed

Table:
${tableOptionsUsage}  --secret env:NAME|file:PATH
                          32 hex digits there key the hash of keys, so that nobody can choose keys of one backend

${backendUsage}`

export const proxy: Command = {
  summary: 'run a TCP or HTTP load balancer',
  usage,
  async run(args) {
    const settings = proxySettings(args)
    const shutdown = new Shutdown()
    try {
      await serve(settings, shutdown.requested)
    } finally {
      shutdown.forget()
    }
    return ''
  },
}

async function serve(settings: ProxySettings, shutdown: Promise<string>): Promise<void> {
  const maglev = new Maglev(settings.backends, settings.table)
  await using pool = createPool(maglev, settings.pool)
  await using running =
    settings.proxy.type === 'tcp'
      ? createTcpProxy(pool, settings.proxy.options)
      : createHttpProxy(pool, settings.proxy.options)
  const metrics = settings.metrics && metricsServer(pool, running)
  const { host, port } = settings.listen
  const address = shownAddress(await running.listen({ port, ...(host !== undefined && { host }) }))
  try {
    const metricsAddress = metrics && settings.metrics && shownAddress(await open(metrics, settings.metrics))
    const title = `${settings.proxy.type} on ${address}`
    using output = process.stdout.isTTY ? watchPool(pool, running, title) : logLines(pool, settings.log)
    output.log({ event: 'listening', address, type: settings.proxy.type })
    if (metricsAddress !== undefined)
      output.log({ event: 'metrics', url: `http://${metricsAddress}/metrics` })
    await using discoveries = discover(pool, settings, output.log)
    discoveries.start()
    const signal = await shutdown
    output.log({ event: 'draining', signal, open: running.stats().open })
    await running.close()
    output.log({ event: 'stopped' })
  } finally {
    metrics?.closeAllConnections()
    metrics?.close()
  }
}

function logLines(pool: Pool, form: 'plain' | 'json'): Disposable & { log(event: LogEvent): void } {
  const log = (event: LogEvent): void => {
    process.stdout.write(`${formatEvent(form, event)}\n`)
  }
  logPool(pool, log)
  return { log, [Symbol.dispose]: () => {} }
}

function discover(
  pool: Pool,
  { discovery }: ProxySettings,
  log: (event: LogEvent) => void,
): AsyncDisposable & { start(): void } {
  const running: ReturnType<typeof discoverDns>[] = []
  return {
    start() {
      for (const query of discovery) {
        const each = discoverDns(pool, query)
        running.push(each)
        each.on('update', ({ added, removed }) =>
          log({ event: 'discovery', name: query.name, added: added.join(), removed: removed.join() }),
        )
        each.on('error', ({ error, retryIn }) =>
          log({ event: 'discovery-error', name: query.name, error: String(error), retryIn }),
        )
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(running.map((each) => each[Symbol.asyncDispose]()))
    },
  }
}

async function open(server: Server, { host, port }: ListenAddress): Promise<AddressInfo> {
  server.listen({ port, ...(host !== undefined && { host }) })
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string')
    throw new TypeError('A TCP server has an address and a port')
  return address
}

function shownAddress({ address, port, family }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`
}

/** The first SIGTERM or SIGINT asks for the end, the second one is it. */
class Shutdown {
  readonly requested: Promise<string>
  readonly #handlers: ReadonlyMap<NodeJS.Signals, () => void>

  constructor() {
    const { promise, resolve } = Promise.withResolvers<string>()
    this.requested = promise
    let asked = false
    this.#handlers = new Map(
      [...exitCodes].map(([signal, code]) => [
        signal,
        () => {
          if (asked) process.exit(code)
          asked = true
          resolve(signal)
        },
      ]),
    )
    for (const [signal, handler] of this.#handlers) process.on(signal, handler)
  }

  forget(): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler)
  }
}

/** 128 and the number of the signal, as shells have it. */
const exitCodes: ReadonlyMap<NodeJS.Signals, number> = new Map([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])
