import type { Backend } from '../backend.ts'
import { MaglevError, shown } from '../errors.ts'
import { wantObject } from '../given.ts'

/** Where to connect to. `host` is a name or an address, an IPv6 address without its brackets. */
export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * Where `backend` is reached: its `address`, else its id.
 *
 * @throws MaglevError `INVALID_BACKEND` where that is no `host:port` or `[v6]:port`.
 */
export function addressOf(backend: Backend): Address {
  wantObject('A backend', backend, 'INVALID_BACKEND')
  const { id, address } = backend
  const parsed = parseAddress(address ?? id)
  if (parsed) return parsed
  throw new MaglevError(
    'INVALID_BACKEND',
    `Backend ${shown(id)}: to be reached it needs an address of host:port or [v6]:port, not ${shown(address ?? id)}`,
  )
}

/** Reads `host:port` or `[v6]:port`; undefined for anything else. */
export function parseAddress(text: unknown): Address | undefined {
  if (typeof text !== 'string') return undefined
  const [, v6, name, digits] =
    /^(?:\[([0-9a-fA-F:.]+(?:%[\w.-]+)?)\]|([^\s:/[\]@]+)):(\d{1,5})$/.exec(text) ?? []
  const host = v6 ?? name
  const port = Number(digits)
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port }
}
