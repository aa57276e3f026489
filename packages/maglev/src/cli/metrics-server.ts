import { createServer, type Server } from 'node:http'
import { prometheusContentType, prometheusText } from '../adapters/prometheus.ts'
import type { Pool } from '../pool/pool.ts'
import { realClock } from '../ports.ts'
import type { RunningProxy } from './running-proxy.ts'

/** Answers `GET /metrics` for Prometheus. */
export function metricsServer(pool: Pool, proxy: RunningProxy): Server {
  const started = realClock.now()
  return createServer((request, response) => {
    const path = request.url?.split('?', 1)[0]
    if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('There is only GET /metrics\n')
      return
    }
    response.writeHead(200, { 'content-type': prometheusContentType })
    response.end(prometheusText({ proxy: pool }) + proxyText(proxy) + startText(started))
  })
}

function proxyText(proxy: RunningProxy): string {
  const { open, accepted, dropped, retries, received, sent, ended, statuses } = proxy.stats()
  return [
    family('open_connections', 'gauge', 'Connections of clients now', [['', open]]),
    family('connections_total', 'counter', 'Connections of clients', [['', accepted]]),
    family('dropped_connections_total', 'counter', 'Connections over the limit', [['', dropped]]),
    family('retries_total', 'counter', 'Further backends tried', [['', retries]]),
    family('received_bytes_total', 'counter', 'Bytes from clients', [['', received]]),
    family('sent_bytes_total', 'counter', 'Bytes to clients', [['', sent]]),
    family(
      'ended_total',
      'counter',
      'Requests (HTTP) or connections (TCP) ended',
      labelled('outcome', Object.entries(ended)),
    ),
    family('responses_total', 'counter', 'Requests by status', labelled('status', statuses ?? [])),
  ].join('')
}

function startText(started: number): string {
  return family('start_time_seconds', 'gauge', 'When the proxy started, since 1970-01-01 UTC', [
    ['', started / 1000],
  ])
}

function labelled(label: string, values: Iterable<readonly [string | number, number]>): [string, number][] {
  return [...values].map(([name, value]) => [`{${label}="${name}"}`, value])
}

function family(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  samples: readonly [string, number][],
): string {
  if (samples.length === 0) return ''
  const lines = samples.map(([labels, value]) => `maglev_proxy_${name}${labels} ${value}\n`)
  return `# HELP maglev_proxy_${name} ${help}\n# TYPE maglev_proxy_${name} ${type}\n${lines.join('')}`
}
