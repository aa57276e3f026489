import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { MaglevError, shown } from '../errors.ts'
import { plainAddress } from './proxy-protocol.ts'

/** Which peers are believed: nobody, everybody, or those in a list of addresses and CIDR ranges. */
export type TrustedSources = boolean | readonly string[]

/** @throws MaglevError `INVALID_OPTION` that names `option` for what is no address or range. */
export function sourceList(
  option: string,
  sources: TrustedSources,
): (address: string | undefined) => boolean {
  if (typeof sources === 'boolean') return () => sources
  if (!Array.isArray(sources)) {
    throw new MaglevError('INVALID_OPTION', `${option} must be true, false or a list, not ${shown(sources)}`)
  }
  const list = new BlockList()
  for (const source of sources) addRange(list, option, source)
  return (address) => {
    if (address === undefined) return false
    const plain = plainAddress(address)
    return list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6')
  }
}

function addRange(list: BlockList, option: string, source: unknown): void {
  const [, address = '', digits] =
    (typeof source === 'string' && /^([^/]+)(?:\/(\d{1,3}))?$/.exec(source)) || []
  const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined
  const bits = family === 'ipv4' ? 32 : 128
  const length = digits === undefined ? bits : Number(digits)
  if (family === undefined || length > bits) {
    throw new MaglevError(
      'INVALID_OPTION',
      `${option} must list addresses and ranges such as 10.0.0.0/8, not ${shown(source)}`,
    )
  }
  list.addSubnet(address, length, family)
}
