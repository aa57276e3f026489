import { isIPv4, isIPv6, SocketAddress } from 'node:net'
import { MaglevError, shown } from '../errors.ts'
import { wantObject } from '../given.ts'
import { crc32c } from './crc32c.ts'

/** One end of a TCP connection. */
export interface Endpoint {
  /** IPv4 or IPv6 address, without brackets. */
  readonly address: string
  readonly port: number
}

/** An extension of version 2: type (see section 2.2 of the specification) and its bytes, unread. */
export interface ProxyTlv {
  readonly type: number
  readonly value: Buffer
}

/** What a PROXY protocol header says. */
export interface ProxyHeader {
  readonly version: 1 | 2
  /** `LOCAL`: the proxy speaks for itself (a health check); the connection's own addresses count. */
  readonly command: 'PROXY' | 'LOCAL'
  /** Who connected to the proxy; undefined for `LOCAL`, `UNKNOWN`, unspecified and Unix addresses. */
  readonly source: Endpoint | undefined
  /** What the client connected to; undefined where `source` is. */
  readonly destination: Endpoint | undefined
  /** In the order sent; none in version 1. */
  readonly tlvs: readonly ProxyTlv[]
}

/** Longest header of version 2 that is read, TLVs and all: 16 KiB. Version 1 ends within 107 bytes. */
export const proxyHeaderMax: number = 16_384

const signature = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a])
const prefix = Buffer.from('PROXY ')
const lineMax = 107
const fixedLength = 16
const crc32cType = 0x03

/**
 * Reads the header at the start of a connection; undefined where `bytes` holds only a beginning of one. Give it all bytes
 * received so far, and pass on those from `length`. Source: "The PROXY protocol, Versions 1 & 2", section 2.
 *
 * @throws MaglevError `PROXY_HEADER_INVALID` as soon as no continuation could make the bytes a header.
 */
export function parseProxyHeader(bytes: Uint8Array): { header: ProxyHeader; length: number } | undefined {
  if (!(bytes instanceof Uint8Array)) throw invalid(`it must be bytes, not ${shown(bytes)}`)
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (startsLike(buffer, signature)) return parseVersion2(buffer)
  if (startsLike(buffer, prefix)) return parseVersion1(buffer)
  throw invalid('the connection does not begin with one')
}

/**
 * The header that tells a backend who is behind a proxied connection. Without both ends, or where one is no IP address, it
 * says that they are unknown. IPv4 and IPv6 mixed are written as IPv6.
 */
export function formatProxyHeader(
  version: 1 | 2,
  source: Endpoint | undefined,
  destination: Endpoint | undefined,
): Buffer {
  if (version !== 1 && version !== 2) {
    throw new MaglevError('INVALID_OPTION', `version must be 1 or 2, not ${shown(version)}`)
  }
  if (source !== undefined) wantEndpoint('source', source)
  if (destination !== undefined) wantEndpoint('destination', destination)
  const ends = source && destination && sameFamily(source, destination)
  if (version === 1) {
    if (ends === undefined) return Buffer.from('PROXY UNKNOWN\r\n')
    const [from, to] = ends
    const family = isIPv4(from.address) ? 'TCP4' : 'TCP6'
    return Buffer.from(`PROXY ${family} ${from.address} ${to.address} ${from.port} ${to.port}\r\n`)
  }
  if (ends === undefined) return Buffer.concat([signature, Buffer.from([0x21, 0x00, 0, 0])])
  const [from, to] = ends
  const addresses = Buffer.concat([addressBytes(from.address), addressBytes(to.address)])
  const tail = Buffer.alloc(4)
  tail.writeUInt16BE(from.port, 0)
  tail.writeUInt16BE(to.port, 2)
  const family = isIPv4(from.address) ? 0x11 : 0x21
  const fixed = Buffer.from([0x21, family, 0, addresses.length + tail.length])
  return Buffer.concat([signature, fixed, addresses, tail])
}

function wantEndpoint(what: string, endpoint: Endpoint): void {
  wantObject(what, endpoint)
  const { address, port } = endpoint
  if (typeof address === 'string' && Number.isInteger(port) && port >= 0 && port <= 65_535) return
  throw new MaglevError(
    'INVALID_OPTION',
    `${what} must have an address and a port of 0 to 65535, not ${shown(address)} and ${shown(port)}`,
  )
}

function startsLike(buffer: Buffer, expected: Buffer): boolean {
  const length = Math.min(buffer.length, expected.length)
  return buffer.compare(expected, 0, length, 0, length) === 0
}

function parseVersion1(buffer: Buffer): { header: ProxyHeader; length: number } | undefined {
  const end = buffer.subarray(0, lineMax).indexOf('\r\n')
  if (end < 0) {
    if (buffer.length >= lineMax) throw invalid(`version 1 has no end of line within ${lineMax} bytes`)
    return undefined
  }
  const length = end + 2
  const line = buffer.toString('latin1', prefix.length, end)
  if (line === 'UNKNOWN' || line.startsWith('UNKNOWN ')) return { header: unaddressed(1, 'PROXY'), length }
  const [family, from, to, fromPort, toPort, ...rest] = line.split(' ')
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : undefined
  if (isAddress === undefined) throw invalid('version 1 names neither TCP4, TCP6 nor UNKNOWN')
  if (!isAddress(from ?? '') || !isAddress(to ?? '')) throw invalid(`version 1 has a wrong ${family} address`)
  if (rest.length > 0) throw invalid('version 1 has more than six fields')
  return {
    header: {
      version: 1,
      command: 'PROXY',
      source: { address: from ?? '', port: readPort(fromPort) },
      destination: { address: to ?? '', port: readPort(toPort) },
      tlvs: [],
    },
    length,
  }
}

function readPort(text: string | undefined): number {
  if (text === undefined || !/^(0|[1-9]\d{0,4})$/.test(text) || Number(text) > 65_535) {
    throw invalid('version 1 has a wrong port')
  }
  return Number(text)
}

function parseVersion2(buffer: Buffer): { header: ProxyHeader; length: number } | undefined {
  if (buffer.length < fixedLength) return undefined
  const versionCommand = buffer.readUInt8(12)
  if (versionCommand !== 0x20 && versionCommand !== 0x21) {
    throw invalid(`version and command are 0x${versionCommand.toString(16)}, not 0x20 or 0x21`)
  }
  const family = buffer.readUInt8(13)
  if (family >> 4 > 3 || (family & 0x0f) > 2) throw invalid(`unknown family 0x${family.toString(16)}`)
  const length = fixedLength + buffer.readUInt16BE(14)
  if (length > proxyHeaderMax) throw invalid(`${length} bytes are more than ${proxyHeaderMax}`)
  if (buffer.length < length) return undefined
  const whole = buffer.subarray(0, length)
  if (versionCommand === 0x20) return { header: unaddressed(2, 'LOCAL'), length }
  const addressesLength = addressesLengths[family >> 4] ?? 0
  if (length < fixedLength + addressesLength) throw invalid('the addresses are cut short')
  const tlvs = parseTlvs(whole, fixedLength + addressesLength)
  return { header: { ...unaddressed(2, 'PROXY'), ...readEnds(whole, family), tlvs }, length }
}

/** By family: unspecified, IPv4, IPv6, Unix. */
const addressesLengths: readonly number[] = [0, 12, 36, 216]

function readEnds(header: Buffer, family: number): Partial<ProxyHeader> {
  const size = family >> 4 === 1 ? 4 : family >> 4 === 2 ? 16 : 0
  // Without a transport the addresses mean nothing; a Unix path is no source that a key or a log could use.
  if (size === 0 || (family & 0x0f) === 0) return {}
  const ports = fixedLength + 2 * size
  return {
    source: {
      address: addressText(header.subarray(fixedLength, fixedLength + size)),
      port: header.readUInt16BE(ports),
    },
    destination: {
      address: addressText(header.subarray(fixedLength + size, ports)),
      port: header.readUInt16BE(ports + 2),
    },
  }
}

function parseTlvs(header: Buffer, start: number): ProxyTlv[] {
  const tlvs: ProxyTlv[] = []
  for (let at = start; at < header.length; ) {
    if (at + 3 > header.length) throw invalid('a TLV is cut short')
    const type = header.readUInt8(at)
    const end = at + 3 + header.readUInt16BE(at + 1)
    if (end > header.length) throw invalid('a TLV is cut short')
    // A copy: the caller's buffer may be reused, and a slice would keep all of it.
    const value = Buffer.from(header.subarray(at + 3, end))
    if (type === crc32cType) checkCrc(header, at + 3, value)
    tlvs.push({ type, value })
    at = end
  }
  return tlvs
}

/** The checksum covers the whole header with its own four bytes as zeros. */
function checkCrc(header: Buffer, at: number, value: Buffer): void {
  if (value.length !== 4) throw invalid(`its CRC32c has ${value.length} bytes, not 4`)
  const zeroed = Buffer.from(header)
  zeroed.fill(0, at, at + 4)
  if (crc32c(zeroed) !== value.readUInt32BE(0)) throw invalid('its CRC32c does not match')
}

function unaddressed(version: 1 | 2, command: 'PROXY' | 'LOCAL'): ProxyHeader {
  return { version, command, source: undefined, destination: undefined, tlvs: [] }
}

function sameFamily(source: Endpoint, destination: Endpoint): [Endpoint, Endpoint] | undefined {
  const ends: [Endpoint, Endpoint] = [plainEndpoint(source), plainEndpoint(destination)]
  if (!ends.every(({ address }) => isIPv4(address) || isPlainIPv6(address))) return undefined
  const [from, to] = ends
  if (isIPv4(from.address) === isIPv4(to.address)) return ends
  return [mappedEndpoint(from), mappedEndpoint(to)]
}

/** `::ffff:1.2.3.4`, as a dual-stack listener names an IPv4 peer, is `1.2.3.4`; the zone of an address stays at home. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  return mapped ?? address.replace(/%.*$/, '')
}

function plainEndpoint({ address, port }: Endpoint): Endpoint {
  return { address: plainAddress(address), port }
}

function mappedEndpoint({ address, port }: Endpoint): Endpoint {
  return { address: isIPv4(address) ? `::ffff:${address}` : address, port }
}

function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%')
}

function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  return new SocketAddress({ family: 'ipv6', address: groups.join(':') }).address
}

function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  // The URL parser spells an IPv6 address in hexadecimal groups only, an IPv4 tail included.
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  const bytes = Buffer.alloc(16)
  for (const [index, group] of [...left, ...zeros, ...right].entries()) {
    bytes.writeUInt16BE(Number.parseInt(group, 16), index * 2)
  }
  return bytes
}

function invalid(what: string): MaglevError {
  return new MaglevError('PROXY_HEADER_INVALID', `PROXY protocol header: ${what}`)
}
