import { isIP, SocketAddress } from 'node:net'
import { type Backend, configureBackend } from '../backend.ts'
import { MaglevError, shown } from '../errors.ts'
import { wantList, wantObject } from '../given.ts'
import type { MaglevOptions } from '../options.ts'

/** A service backend as Cilium knows it. */
export interface CiliumBackend {
  readonly ip: string
  readonly port: number
  /** Default TCP. */
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP'
  /** `internal` is hashed apart; default `external`. */
  readonly scope?: 'external' | 'internal'
  /** Default `active`; Cilium's tables hold active backends alone. */
  readonly state?: 'active' | 'terminating' | 'quarantined' | 'maintenance'
  /** 0 to 65,535; default 1. 0 is maintenance. */
  readonly weight?: number
}

/** The options of a {@link Maglev} that stand for Cilium's flags. */
export type CiliumOptions = Pick<MaglevOptions, 'tableSize'> & {
  readonly mode: 'cilium'
  readonly seed?: string
}

const scopeSuffix = '/i'
const tableSizeFlag = 'bpf-lb-maglev-table-size'
const hashSeedFlag = 'bpf-lb-maglev-hash-seed'

/**
 * The string that Cilium hashes for a backend, which is its id here: `[10.0.0.1:80/TCP,State:active]`,
 * `[[2001:db8::1]:80/TCP,State:active]`. It says active whatever the state is. Source: cilium/cilium, pkg/loadbalancer.
 *
 * @throws MaglevError `INVALID_BACKEND`
 */
export function ciliumId(backend: CiliumBackend): string {
  wantObject('A backend of Cilium', backend, 'INVALID_BACKEND')
  const { ip, port, protocol = 'TCP', scope = 'external' } = backend
  const version = typeof ip === 'string' && !ip.includes('%') ? isIP(ip) : 0
  if (version === 0) throw invalid(`ip must be an IP address, not ${shown(ip)}`)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw invalid(`port of ${ip} must be a whole number from 0 to 65535, not ${shown(port)}`)
  }
  if (!['TCP', 'UDP', 'SCTP'].includes(protocol)) {
    throw invalid(`protocol of ${ip} must be TCP, UDP or SCTP, not ${shown(protocol)}`)
  }
  const host = version === 6 ? `[${new SocketAddress({ address: ip, family: 'ipv6' }).address}]` : ip
  return `[${host}:${port}/${protocol}${scope === 'internal' ? scopeSuffix : ''},State:active]`
}

/** Backends for `new Maglev(backends, { mode: 'cilium' })`, with the same table as Cilium's of the same backends and flags. */
export function fromCiliumBackends(backends: Iterable<CiliumBackend>): Backend[] {
  wantList('The backends', backends, 'INVALID_BACKEND')
  return [...backends].map((backend) => {
    const id = ciliumId(backend)
    const { port, state = 'active', weight } = backend
    if (!['active', 'terminating', 'quarantined', 'maintenance'].includes(state)) {
      throw invalid(
        `state of ${id} must be active, terminating, quarantined or maintenance, not ${shown(state)}`,
      )
    }
    return {
      id,
      address: `${isIP(backend.ip) === 6 ? `[${backend.ip}]` : backend.ip}:${port}`,
      ...(weight !== undefined && { weight }),
      ...(healths[state] && { health: healths[state] }),
    }
  })
}

const healths = {
  active: undefined,
  terminating: 'draining',
  quarantined: 'unhealthy',
  maintenance: 'disabled',
} as const

const states = {
  healthy: 'active',
  degraded: 'active',
  draining: 'terminating',
  unhealthy: 'quarantined',
  ejected: 'quarantined',
  disabled: 'maintenance',
} as const

/** The way back; every id must be a string as `ciliumId` makes it. */
export function toCiliumBackends(backends: Iterable<Backend>): CiliumBackend[] {
  wantList('The backends', backends, 'INVALID_BACKEND')
  return [...backends].map((given) => {
    const { id, weight, health } = configureBackend(given)
    const [, v6, v4, digits, protocol, internal] =
      /^\[(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d{1,5})\/(TCP|UDP|SCTP)(\/i)?,State:active\]$/.exec(id) ?? []
    const backend: CiliumBackend = {
      ip: v6 ?? v4 ?? '',
      port: Number(digits),
      protocol: protocolOf(protocol),
      ...(internal && { scope: 'internal' }),
      ...(states[health] !== 'active' && { state: states[health] }),
      ...(weight !== 1 && { weight }),
    }
    if (protocol === undefined || ciliumId(backend) !== id) {
      throw invalid(`id ${shown(id)} is not Cilium's string for a backend: make it with ciliumId`)
    }
    return backend
  })
}

/**
 * Reads `--bpf-lb-maglev-table-size` and `--bpf-lb-maglev-hash-seed` from the arguments of cilium-agent, in both forms
 * (`--flag=value`, `--flag value`), or from the data of the ConfigMap `cilium-config`. Other flags have no part in the table.
 *
 * @throws MaglevError `INVALID_OPTION` names the flag that has no value, is there twice, or has a value that is no number.
 */
export function fromCiliumFlags(flags: readonly string[] | Readonly<Record<string, string>>): CiliumOptions {
  if (!Array.isArray(flags)) wantObject('flags', flags)
  const value = Array.isArray(flags)
    ? (name: string): string | undefined => argument(flags, `--${name}`)
    : (name: string): string | undefined => Object.entries(flags).find(([key]) => key === name)?.[1]
  const size = value(tableSizeFlag)
  const seed = value(hashSeedFlag)
  if (seed !== undefined && typeof seed !== 'string') {
    throw new MaglevError('INVALID_OPTION', `--${hashSeedFlag} must be text, not ${shown(seed)}`)
  }
  if (size !== undefined && (typeof size !== 'string' || !/^\d{1,10}$/.test(size))) {
    throw new MaglevError('INVALID_OPTION', `--${tableSizeFlag} must be a whole number, not ${shown(size)}`)
  }
  return {
    mode: 'cilium',
    ...(size !== undefined && { tableSize: Number(size) }),
    ...(seed !== undefined && { seed }),
  }
}

/** The arguments of cilium-agent that make its tables those of `options`. */
export function toCiliumFlags(options: Omit<CiliumOptions, 'mode'>): string[] {
  wantObject('options', options)
  const { tableSize, seed } = options
  if (tableSize !== undefined && !Number.isSafeInteger(tableSize)) {
    throw new MaglevError('INVALID_OPTION', `tableSize must be a whole number, not ${shown(tableSize)}`)
  }
  if (seed !== undefined && typeof seed !== 'string') {
    throw new MaglevError('INVALID_OPTION', `seed must be text, not ${shown(seed)}`)
  }
  return [
    '--bpf-lb-algorithm=maglev',
    ...(tableSize === undefined ? [] : [`--${tableSizeFlag}=${tableSize}`]),
    ...(seed === undefined ? [] : [`--${hashSeedFlag}=${seed}`]),
  ]
}

function argument(args: readonly string[], flag: string): string | undefined {
  const found = args.flatMap((arg, index) => {
    if (typeof arg !== 'string')
      throw new MaglevError('INVALID_OPTION', `Argument ${index} must be text, not ${shown(arg)}`)
    if (arg.startsWith(`${flag}=`)) return [arg.slice(flag.length + 1)]
    return arg === flag ? [args[index + 1] ?? ''] : []
  })
  if (found.length > 1) throw new MaglevError('INVALID_OPTION', `${flag} is given ${found.length} times`)
  if (found[0] === '') throw new MaglevError('INVALID_OPTION', `${flag} has no value`)
  return found[0]
}

function protocolOf(name: string | undefined): 'TCP' | 'UDP' | 'SCTP' {
  return name === 'UDP' || name === 'SCTP' ? name : 'TCP'
}

function invalid(message: string): MaglevError {
  return new MaglevError('INVALID_BACKEND', `Cilium backend: ${message}`)
}
