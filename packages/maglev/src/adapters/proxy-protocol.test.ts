import { isIPv4 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isMaglevError } from '../errors.ts'
import { crc32c } from './crc32c.ts'
import { formatProxyHeader, parseProxyHeader, plainAddress, proxyHeaderMax } from './proxy-protocol.ts'

const signature = '0d0a0d0a000d0a515549540a'
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
const v2 = (rest: string): Buffer => hex(signature + rest)

function refusal(bytes: Uint8Array): string {
  try {
    parseProxyHeader(bytes)
  } catch (error) {
    if (isMaglevError(error) && error.code === 'PROXY_HEADER_INVALID') return error.message
    throw error
  }
  return 'accepted'
}

describe('version 1', () => {
  // The examples of section 2.1 of the specification.
  test('reads the lines of the specification', () => {
    const line = 'PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n'
    expect(parseProxyHeader(Buffer.from(`${line}GET /`))).toEqual({
      header: {
        version: 1,
        command: 'PROXY',
        source: { address: '255.255.255.255', port: 65_535 },
        destination: { address: '255.255.255.255', port: 65_535 },
        tlvs: [],
      },
      length: 56,
    })
    const longest =
      'PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n'
    expect(longest).toHaveLength(107)
    expect(parseProxyHeader(Buffer.from(longest))).toMatchObject({
      length: 107,
      header: { source: undefined },
    })
    expect(parseProxyHeader(Buffer.from('PROXY UNKNOWN\r\n'))).toMatchObject({ length: 15 })
  })

  test.each([
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n',
    'PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n',
    'PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n',
    'PROXY TCP4 ::1 ::1 1 2\r\n',
    'PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n',
    'PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n',
    'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n\r\n',
    'PROXY \r\n',
    'PROXYTCP4 1.2.3.4 5.6.7.8 1 2\r\n',
    'proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n',
    'GET / HTTP/1.1\r\n',
    `PROXY TCP4 ${'1'.repeat(101)}`,
    `PROXY UNKNOWN ${'x'.repeat(93)}`,
  ])('refuses %j', (line) => {
    expect(refusal(Buffer.from(line))).toMatch(/^PROXY protocol header: /)
  })
})

describe('version 2', () => {
  test('reads IPv4, IPv6 and their TLVs', () => {
    const ipv4 = v2('21 11 0013 c0000201 c6336402 c350 01bb 020004 61626364')
    expect(parseProxyHeader(Buffer.concat([ipv4, Buffer.from('rest')]))).toEqual({
      header: {
        version: 2,
        command: 'PROXY',
        source: { address: '192.0.2.1', port: 50_000 },
        destination: { address: '198.51.100.2', port: 443 },
        tlvs: [{ type: 2, value: Buffer.from('abcd') }],
      },
      length: ipv4.length,
    })
    const ipv6 = v2(`21 21 0024 20010db8${'00'.repeat(11)}01 ${'00'.repeat(15)}01 0001 ffff`)
    expect(parseProxyHeader(ipv6)?.header).toMatchObject({
      source: { address: '2001:db8::1', port: 1 },
      destination: { address: '::1', port: 65_535 },
    })
  })

  test('LOCAL, unspecified and Unix connections have no source, and all their bytes are taken', () => {
    for (const bytes of [
      v2('20 00 0000'),
      v2('20 11 0003 ffffff'),
      v2('21 00 0000'),
      v2('21 10 000c c0000201 c6336402 c350 01bb'),
      v2(`21 31 00d8 ${'2f'.repeat(216)}`),
    ]) {
      const { header, length } = parseProxyHeader(bytes) ?? {}
      expect(header).toMatchObject({ version: 2, source: undefined, destination: undefined })
      expect(length).toBe(bytes.length)
    }
  })

  test('checks a CRC32c where there is one', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283)
    const bytes = v2('21 11 0013 c0000201 c6336402 c350 01bb 030004 00000000')
    bytes.writeUInt32BE(crc32c(bytes), bytes.length - 4)
    expect(parseProxyHeader(bytes)?.header.source?.address).toBe('192.0.2.1')
    bytes[16] = 0xc1
    expect(refusal(bytes)).toContain('CRC32c does not match')
    expect(refusal(v2('21 11 0010 c0000201 c6336402 c350 01bb 030001 00'))).toContain('CRC32c has 1 bytes')
  })

  test.each([
    ['version', '11 11 000c'],
    ['command', '22 11 000c'],
    ['family', '21 41 0000'],
    ['family', '21 13 0000'],
    ['addresses', '21 11 000b c0000201 c6336402 c350 01'],
    ['addresses', `21 21 000c ${'00'.repeat(12)}`],
    ['TLV', '21 11 000e c0000201 c6336402 c350 01bb 0200'],
    ['TLV', '21 11 000f c0000201 c6336402 c350 01bb 020001'],
    [`${proxyHeaderMax}`, '21 11 ffff'],
  ])('refuses a wrong %s (%s)', (what, rest) => {
    expect(refusal(v2(rest))).toContain(what)
  })
})

const port = fc.nat(65_535)
const endpoint = fc.record({ address: fc.oneof(fc.ipV4(), fc.ipV6()), port })

test('what is written is read back, from any cut, and never differently', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1 as const, 2 as const),
      endpoint,
      endpoint,
      fc.nat(),
      (version, source, destination, cut) => {
        const bytes = formatProxyHeader(version, source, destination)
        const at = cut % bytes.length
        expect(parseProxyHeader(bytes.subarray(0, at))).toBeUndefined()
        const { header, length } = parseProxyHeader(Buffer.concat([bytes, Buffer.from('\r\nPROXY')])) ?? {}
        expect(length).toBe(bytes.length)
        expect(header).toMatchObject({ version, command: 'PROXY' })
        expect(canonical(header?.source?.address)).toBe(canonical(source.address))
        expect(canonical(header?.destination?.address)).toBe(canonical(destination.address))
        expect([header?.source?.port, header?.destination?.port]).toEqual([source.port, destination.port])
      },
    ),
  )
})

test('ends that are unknown are written so', () => {
  const at = { address: '192.0.2.1', port: 1 }
  for (const version of [1, 2] as const) {
    for (const [source, destination] of [
      [undefined, at],
      [at, undefined],
      [{ address: 'not an address\r\n', port: 1 }, at],
    ] as const) {
      const { header } = parseProxyHeader(formatProxyHeader(version, source, destination)) ?? {}
      expect(header).toMatchObject({ command: 'PROXY', source: undefined, destination: undefined })
    }
  }
})

test('any bytes are a header, a beginning or refused, and a header never reaches past its bytes', () => {
  const hostile = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }).map((tail) => Buffer.concat([v2('21'), tail])),
    fc.uint8Array({ maxLength: 300 }).map((tail) => Buffer.concat([v2('21 11 0020'), tail])),
    fc.string({ maxLength: 120 }).map((tail) => Buffer.from(`PROXY ${tail}`)),
  )
  fc.assert(
    fc.property(hostile, (bytes) => {
      let length = 0
      try {
        length = parseProxyHeader(bytes)?.length ?? 0
      } catch (error) {
        if (!isMaglevError(error) || error.code !== 'PROXY_HEADER_INVALID') throw error
      }
      expect(length).toBeLessThanOrEqual(bytes.length)
    }),
    { numRuns: 2_000 },
  )
})

/** The URL parser as a second opinion on which IPv6 addresses are the same. */
function canonical(address: string | undefined): string {
  const plain = plainAddress(address ?? '')
  const url = (text: string): string => new URL(`http://[${text}]`).hostname
  return url(isIPv4(plain) ? `::ffff:${plain}` : plain)
}
