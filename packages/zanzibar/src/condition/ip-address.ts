import { CelError } from './cel-error.ts'
import { isDigits } from './integer.ts'

/** An IP address as Go's `net/netip` reads it; one of IPv4 inside IPv6 is taken as IPv4. */
export class IpAddress {
  /** 4 or 16. */
  readonly bytes: Uint8Array
  /** Of IPv6, empty for none. */
  readonly zone: string
  constructor(bytes: Uint8Array, zone = '') {
    this.bytes = bytes
    this.zone = zone
  }
}

/** undefined where `text` is no address. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const parsed = text.includes(':') ? parseV6(text) : parseV4(text)
  return parsed === undefined ? undefined : unmap(parsed)
}

/** A network, `10.0.0.0/8`. */
interface Network {
  readonly address: IpAddress
  readonly bits: number
}

/** CEL's `ip.in_cidr(network)`. */
export function isInCidr(address: IpAddress, cidr: string): boolean | CelError {
  const network = cidr === lastCidr ? lastNetwork : parseNetwork(cidr)
  lastCidr = cidr
  lastNetwork = network
  if (network === undefined) return new CelError(`'${cidr}' is a malformed CIDR string`)
  return contains(network, address)
}

// Most conditions ask about one network again and again.
let lastCidr: string | undefined
let lastNetwork: Network | undefined

function parseNetwork(cidr: string): Network | undefined {
  const slash = cidr.lastIndexOf('/')
  const [text, length] = [cidr.slice(0, slash), cidr.slice(slash + 1)]
  if (slash < 0 || text.includes('%') || length === '' || !isDigits(length)) return undefined
  if (length.length > 3 || (length.length > 1 && length[0] === '0')) return undefined
  const parsed = text.includes(':') ? parseV6(text) : parseV4(text)
  const bits = Number(length)
  if (parsed === undefined || bits > parsed.bytes.length * 8) return undefined
  const address = unmap(parsed)
  // A prefix shorter than the mapping is one of IPv6, in which no address of IPv4 lies.
  return address !== parsed && bits >= 96 ? { address, bits: bits - 96 } : { address: parsed, bits }
}

function contains({ address: network, bits }: Network, { bytes, zone }: IpAddress): boolean {
  if (zone !== '' || bytes.length !== network.bytes.length) return false
  const whole = bits >> 3
  for (let index = 0; index < whole; index++) if (bytes[index] !== network.bytes[index]) return false
  const mask = 0xff << (8 - (bits & 7))
  return (((bytes[whole] ?? 0) ^ (network.bytes[whole] ?? 0)) & mask & 0xff) === 0
}

export function isSameAddress(one: IpAddress, other: IpAddress): boolean {
  return (
    one.zone === other.zone &&
    one.bytes.length === other.bytes.length &&
    one.bytes.every((byte, index) => byte === other.bytes[index])
  )
}

function groupAt(bytes: Uint8Array, index: number): number {
  return ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0)
}

function parseV4(text: string): IpAddress | undefined {
  const fields = text.split('.')
  if (fields.length !== 4 || !fields.every(isOctet)) return undefined
  return new IpAddress(Uint8Array.from(fields, Number))
}

function isOctet(field: string): boolean {
  if (field === '' || field.length > 3 || !isDigits(field)) return false
  return (field.length === 1 || field[0] !== '0') && Number(field) <= 255
}

function parseV6(text: string): IpAddress | undefined {
  const percent = text.indexOf('%')
  const zone = percent < 0 ? '' : text.slice(percent + 1)
  if (percent >= 0 && zone === '') return undefined
  const halves = (percent < 0 ? text : text.slice(0, percent)).split('::')
  if (halves.length > 2) return undefined
  const [head = '', tail] = halves
  const before = parseGroups(head, tail === undefined)
  const after = tail === undefined ? [] : parseGroups(tail, true)
  if (before === undefined || after === undefined) return undefined
  const missing = 16 - before.length - after.length
  // '::' stands for at least one group.
  if (tail === undefined ? missing !== 0 : missing < 2) return undefined
  return new IpAddress(
    Uint8Array.from([...before, ...Array.from({ length: missing }, () => 0), ...after]),
    zone,
  )
}

/** The bytes of groups of hexadecimal digits, of which the last may be an IPv4 address. */
function parseGroups(text: string, isEnd: boolean): number[] | undefined {
  if (text === '') return []
  const bytes: number[] = []
  const groups = text.split(':')
  for (const [index, group] of groups.entries()) {
    if (group.includes('.')) {
      const embedded = isEnd && index === groups.length - 1 ? parseV4(group) : undefined
      if (embedded === undefined) return undefined
      bytes.push(...embedded.bytes)
    } else {
      if (!/^[0-9A-Fa-f]{1,4}$/.test(group)) return undefined
      const value = Number.parseInt(group, 16)
      bytes.push(value >> 8, value & 0xff)
    }
  }
  return bytes
}

function unmap(address: IpAddress): IpAddress {
  const { bytes } = address
  const isMapped =
    bytes.length === 16 && bytes.subarray(0, 10).every((byte) => byte === 0) && groupAt(bytes, 5) === 0xffff
  return isMapped ? new IpAddress(bytes.slice(12)) : address
}
