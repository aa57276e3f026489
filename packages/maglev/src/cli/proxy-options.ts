import { parseArgs } from 'node:util'
import type { DnsQuery } from '../adapters/dns.ts'
import type { HttpProxyOptions } from '../adapters/http-proxy.ts'
import { secretFrom } from '../adapters/secret-source.ts'
import type { TcpProxyOptions } from '../adapters/tcp-proxy.ts'
import type { Backend } from '../backend.ts'
import type { MaglevOptions } from '../options.ts'
import { addressOf } from '../pool/address.ts'
import type { PoolOptions } from '../pool/pool-options.ts'
import type { HashPolicy } from '../route/hash-policy.ts'
import { backendOf, countOf, numberOf, tableOptions, tableOptionsOf, UsageError } from './arguments.ts'

/** A command line of `maglev proxy`, read. */
export interface ProxySettings {
  readonly listen: ListenAddress
  readonly metrics: ListenAddress | undefined
  readonly backends: readonly Backend[]
  readonly discovery: readonly DnsQuery[]
  readonly table: MaglevOptions
  readonly pool: PoolOptions
  readonly proxy:
    | { readonly type: 'http'; readonly options: HttpProxyOptions }
    | { readonly type: 'tcp'; readonly options: TcpProxyOptions }
  readonly log: 'plain' | 'json'
}

export interface ListenAddress {
  /** Undefined: all addresses of the machine. */
  readonly host: string | undefined
  readonly port: number
}

const options = {
  ...tableOptions,
  listen: { type: 'string' },
  backend: { type: 'string', multiple: true },
  dns: { type: 'string', multiple: true },
  srv: { type: 'string', multiple: true },
  http: { type: 'boolean' },
  tcp: { type: 'boolean' },
  hash: { type: 'string', multiple: true },
  health: { type: 'string' },
  'health-interval': { type: 'string' },
  'health-timeout': { type: 'string' },
  'no-outlier': { type: 'boolean' },
  panic: { type: 'string' },
  'bounded-load': { type: 'string' },
  'slow-start': { type: 'string' },
  track: { type: 'string' },
  'track-capacity': { type: 'string' },
  secret: { type: 'string' },
  retries: { type: 'string' },
  'connect-timeout': { type: 'string' },
  'drain-timeout': { type: 'string' },
  'accept-proxy-protocol': { type: 'string', multiple: true },
  'send-proxy-protocol': { type: 'string' },
  'trust-forwarded': { type: 'string', multiple: true },
  metrics: { type: 'string' },
  log: { type: 'string' },
} as const

type Values = ReturnType<typeof parse>['values']

function parse(args: string[]) {
  return parseArgs({ args, allowPositionals: true, options })
}

export function proxySettings(args: string[]): ProxySettings {
  const { values, positionals } = parse(args)
  if (positionals.length > 0) throw new UsageError(`name backends with --backend: ${positionals.join(' ')}`)
  if (values.listen === undefined) throw new UsageError('--listen [HOST]:PORT is missing')
  if (values.http && values.tcp) throw new UsageError('--http and --tcp exclude each other')
  const discovery = [
    ...(values.dns ?? []).map((word) => addressQuery(word)),
    ...(values.srv ?? []).map((name): DnsQuery => ({ name, type: 'SRV' })),
  ]
  if (values.backend === undefined && discovery.length === 0) {
    throw new UsageError('name at least one --backend, or where to find them: --dns NAME:PORT, --srv NAME')
  }
  const log = values.log ?? 'plain'
  if (log !== 'plain' && log !== 'json') throw new UsageError(`--log must be plain or json, not ${log}`)
  return {
    listen: listenAddress('--listen', values.listen),
    metrics: values.metrics === undefined ? undefined : listenAddress('--metrics', values.metrics),
    backends: (values.backend ?? []).map(reachable),
    discovery,
    table: {
      ...tableOptionsOf(values),
      ...(values.secret !== undefined && { secret: secretFrom(values.secret) }),
    },
    pool: poolOptions(values),
    proxy: values.tcp
      ? { type: 'tcp', options: tcpOptions(values) }
      : { type: 'http', options: httpOptions(values) },
    log,
  }
}

function reachable(word: string): Backend {
  const backend = backendOf(word)
  addressOf(backend)
  return backend
}

function poolOptions(values: Values): PoolOptions {
  const { health, panic, track } = values
  const capacity = values['track-capacity']
  const slowStart = values['slow-start']
  const boundedLoad = values['bounded-load']
  const interval = values['health-interval']
  const timeout = values['health-timeout']
  if (health === undefined && (interval ?? timeout) !== undefined) {
    throw new UsageError('--health-interval and --health-timeout go with --health PATH or --health tcp')
  }
  if (track === undefined && capacity !== undefined)
    throw new UsageError('--track-capacity goes with --track')
  const timing = { ...(interval !== undefined && { interval }), ...(timeout !== undefined && { timeout }) }
  return {
    outlier: !values['no-outlier'],
    ...(health !== undefined && {
      active:
        health === 'tcp'
          ? { type: 'tcp' as const, ...timing }
          : { type: 'http' as const, path: health, ...timing },
    }),
    ...(panic !== undefined && { panicThreshold: numberOf('--panic', panic) }),
    ...(boundedLoad !== undefined && { boundedLoad: numberOf('--bounded-load', boundedLoad) }),
    ...(slowStart !== undefined && { slowStart }),
    ...(track !== undefined && {
      tracking: {
        ttl: track,
        ...(capacity !== undefined && { capacity: countOf('--track-capacity', capacity, 1, 999_999_999) }),
      },
    }),
  }
}

function httpOptions(values: Values): HttpProxyOptions {
  if (values['send-proxy-protocol'] !== undefined)
    throw new UsageError('--send-proxy-protocol goes with --tcp')
  const trusted = values['trust-forwarded']
  return {
    ...commonOptions(values),
    key: (values.hash ?? ['source']).map(hashPolicy),
    ...(trusted !== undefined && { trustForwarded: sources(trusted) }),
  }
}

function tcpOptions(values: Values): TcpProxyOptions {
  const other = values.hash?.find((word) => word !== 'source')
  if (other !== undefined)
    throw new UsageError(`--hash ${other}: with --tcp there is nothing but the source address to hash`)
  if (values['trust-forwarded'] !== undefined) throw new UsageError('--trust-forwarded goes with --http')
  const version = values['send-proxy-protocol']
  return {
    ...commonOptions(values),
    ...(version !== undefined && {
      sendProxyProtocol: countOf('--send-proxy-protocol', version, 1, 2) === 1 ? 1 : 2,
    }),
  }
}

function commonOptions(
  values: Values,
): Pick<
  TcpProxyOptions & HttpProxyOptions,
  'acceptProxyProtocol' | 'connectTimeout' | 'drainTimeout' | 'retries'
> {
  const accepted = values['accept-proxy-protocol']
  const connectTimeout = values['connect-timeout']
  const drainTimeout = values['drain-timeout']
  return {
    ...(accepted !== undefined && { acceptProxyProtocol: sources(accepted) }),
    ...(connectTimeout !== undefined && { connectTimeout }),
    ...(drainTimeout !== undefined && { drainTimeout }),
    ...(values.retries !== undefined && { retries: countOf('--retries', values.retries, 0, 100) }),
  }
}

function sources(words: readonly string[]): true | string[] {
  return words.includes('all') ? true : [...words]
}

/** `header:NAME`, `cookie:NAME[,ttl=DURATION][,path=PATH]`, `query:NAME` or `source`. */
function hashPolicy(word: string): HashPolicy {
  if (word === 'source') return { sourceAddress: true }
  const [, kind, name = '', rest = ''] = /^(header|cookie|query):([^,]+)(.*)$/.exec(word) ?? []
  if (kind === 'header' && rest === '') return { header: name }
  if (kind === 'query' && rest === '') return { queryParameter: name }
  const [matched, ttl, path] = /^(?:,ttl=([^,]+))?(?:,path=([^,]+))?$/.exec(rest) ?? []
  if (kind === 'cookie' && matched !== undefined) {
    return { cookie: name, ...(ttl !== undefined && { ttl }), ...(path !== undefined && { path }) }
  }
  throw new UsageError(
    `--hash must be header:NAME, cookie:NAME[,ttl=30m][,path=/], query:NAME or source, not ${word}`,
  )
}

function listenAddress(option: string, word: string): ListenAddress {
  const [, v6, name, digits] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(word) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65_535)
    throw new UsageError(`${option} must be [HOST]:PORT, not ${word}`)
  return { host: v6 ?? (name || undefined), port }
}

function addressQuery(word: string): DnsQuery {
  const [, name, digits, type = 'A'] = /^([^,]+):(\d{1,5})(?:,type=(A|AAAA))?$/.exec(word) ?? []
  if (name === undefined || digits === undefined) {
    throw new UsageError(`--dns must be NAME:PORT[,type=A|AAAA], not ${word}`)
  }
  return { name, type: type === 'AAAA' ? 'AAAA' : 'A', port: Number(digits) }
}
