import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { forwardedClient, forwardedHeaders } from './http-forwarded.ts'
import { valuesOf } from './http-hop.ts'

const facts = { peer: '192.0.2.1', host: 'a.example', proto: 'http' } as const

describe('forwardedHeaders', () => {
  test('nothing that an untrusted peer sends in these fields survives, however it is spelled', () => {
    const name = fc
      .constantFrom('x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-anything', 'x-real-ip', 'forwarded')
      .chain((base) =>
        fc.tuple(
          ...Array.from(base, (letter) =>
            fc.constantFrom(letter, letter.toUpperCase(), letter === '-' ? '_' : letter),
          ),
        ),
      )
      .map((letters) => letters.join(''))
    const field = fc.tuple(fc.oneof(name, fc.constantFrom('x-other', 'accept')), fc.string())
    fc.assert(
      fc.property(
        fc.array(field),
        fc.constantFrom('x-forwarded' as const, 'forwarded' as const),
        (fields, style) => {
          const told = forwardedHeaders(fields.flat(), style, false, facts)
          const others = fields.filter(([one]) => one === 'x-other' || one === 'accept').flat()
          const ours =
            style === 'forwarded'
              ? ['Forwarded', 'for=192.0.2.1;host="a.example";proto=http']
              : ['X-Forwarded-For', '192.0.2.1', 'X-Forwarded-Proto', 'http', 'X-Forwarded-Host', 'a.example']
          expect(told).toEqual([...others, ...ours])
        },
      ),
    )
  })

  test('a trusted chain grows by the peer, in one field', () => {
    const received = ['X-Forwarded-For', '1.1.1.1', 'x-forwarded-for', '', 'X-FORWARDED-FOR', '2.2.2.2']
    const told = forwardedHeaders(received, 'x-forwarded', true, facts)
    expect(valuesOf(told, 'x-forwarded-for')).toEqual(['1.1.1.1, 2.2.2.2, 192.0.2.1'])
  })

  // RFC 7239, section 6: an IPv6 address is quoted and in brackets; section 6.2: unknown.
  test.each([
    ['2001:db8::1', 'for="[2001:db8::1]";host="a.example";proto=http'],
    ['', 'for=unknown;host="a.example";proto=http'],
  ])('RFC 7239 for %j', (peer, expected) => {
    const told = forwardedHeaders(['Forwarded', 'for=1.1.1.1'], 'forwarded', true, { ...facts, peer })
    expect(valuesOf(told, 'forwarded')).toEqual([`for=1.1.1.1, ${expected}`])
  })
})

describe('forwardedClient', () => {
  const proxies = new Set(['192.0.2.1', '10.0.0.1', '::1'])
  const trusts = (address: string): boolean => proxies.has(address)

  test.each([
    [[], '192.0.2.1', '192.0.2.1'],
    [['1.1.1.1'], '203.0.113.1', '203.0.113.1'],
    [['1.1.1.1'], '192.0.2.1', '1.1.1.1'],
    [['6.6.6.6, 1.1.1.1, 10.0.0.1'], '192.0.2.1', '1.1.1.1'],
    [['6.6.6.6', '1.1.1.1:4711, 10.0.0.1'], '192.0.2.1', '1.1.1.1'],
    [['[2001:db8::1]:4711, ::ffff:10.0.0.1'], '192.0.2.1', '2001:db8::1'],
    [['10.0.0.1'], '192.0.2.1', '10.0.0.1'],
    [['1.1.1.1, not an address, 10.0.0.1'], '192.0.2.1', '10.0.0.1'],
    [[''], '192.0.2.1', '192.0.2.1'],
  ])('%j through %s is %s', (chains, peer, expected) => {
    const headers = chains.flatMap((chain) => ['X-Forwarded-For', chain])
    expect(forwardedClient(headers, 'x-forwarded', peer, trusts)).toBe(expected)
  })

  test.each([
    ['for=6.6.6.6, for="[2001:db8::1]:80";proto=https, For=10.0.0.1', '2001:db8::1'],
    ['proto=https;for=1.1.1.1', '1.1.1.1'],
    ['for=_hidden', '192.0.2.1'],
    ['for=unknown, for=10.0.0.1', '10.0.0.1'],
    ['proto=http', '192.0.2.1'],
  ])('RFC 7239: %j is %s', (value, expected) => {
    expect(forwardedClient(['Forwarded', value], 'forwarded', '192.0.2.1', trusts)).toBe(expected)
  })
})
