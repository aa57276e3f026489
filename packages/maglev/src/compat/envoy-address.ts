import { isIP, SocketAddress } from 'node:net'

/** `ip:port` or `[v6]:port` as Envoy writes it (and hashes it): the address in its shortest form. Undefined for a name. */
export function hostPort(address: string, port: number): string | undefined {
  if (isIP(address) === 4) return `${address}:${port}`
  if (isIP(address) === 0 || address.includes('%')) return undefined
  return `[${new SocketAddress({ address, family: 'ipv6' }).address}]:${port}`
}
