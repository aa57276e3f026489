import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import xxhash from 'xxhash-wasm'
import { isMaglevError } from '../errors.ts'
import { Maglev } from '../maglev.ts'
import { type HashPolicy, hashPolicies, type RoutedRequest } from './hash-policy.ts'
import { hashInTurn, publicHash, wireBytes } from './value-hash.ts'

const { h64 } = await xxhash()

function request(given: Partial<RoutedRequest> = {}): RoutedRequest {
  return { headers: {}, path: '/', ...given }
}

function keyOf(policies: readonly HashPolicy[], given: Partial<RoutedRequest> = {}): bigint | undefined {
  return hashPolicies(policies)(request(given)).key
}

const ends = { remote: { address: '10.1.2.3', port: 5000 }, local: { address: '10.9.9.9', port: 443 } }

describe('a header', () => {
  test('of one value: its XXH64', () => {
    // The hashes of "foo" and "bar" in envoyproxy/envoy, test/common/common/hash_test.cc.
    expect(keyOf([{ header: 'x-user' }], { headers: { 'x-user': 'foo' } })).toBe(3_728_699_739_546_630_719n)
    expect(keyOf([{ header: 'X-User' }], { headers: { 'x-user': ['bar'] } })).toBe(5_234_164_152_756_840_025n)
  })

  test('of several values: in byte order, each hash the seed of the next', () => {
    // hash_test.cc, xxHashWithVector: "foo" and "bar", there in that order.
    expect(hashInTurn(publicHash, [wireBytes('foo'), wireBytes('bar')])).toBe(17_745_830_980_996_999_794n)
    const sorted = h64('foo', h64('bar'))
    expect(keyOf([{ header: 'a' }], { headers: { a: ['foo', 'bar'] } })).toBe(sorted)
    expect(keyOf([{ header: 'a' }], { headers: { a: ['bar', 'foo'] } })).toBe(sorted)
  })

  test('that is absent gives nothing, one that is empty the hash of nothing', () => {
    expect(keyOf([{ header: 'a' }])).toBeUndefined()
    expect(keyOf([{ header: 'a' }], { headers: { a: [] } })).toBeUndefined()
    expect(keyOf([{ header: 'a' }], { headers: { a: '' } })).toBe(17_241_709_254_077_376_921n)
    expect(keyOf([{ header: 'constructor' }])).toBeUndefined()
  })

  test('counts by the bytes that were sent, which Node reads as latin1', () => {
    const sent = Buffer.from('zoë')
    expect(keyOf([{ header: 'a' }], { headers: { a: sent.toString('latin1') } })).toBe(h64('zoë'))
  })

  test(':path and :authority are the path and the host', () => {
    const given = { path: '/a?b=c', headers: { host: 'example.org:80' } }
    expect(keyOf([{ header: ':path' }], given)).toBe(h64('/a?b=c'))
    expect(keyOf([{ header: ':authority' }], given)).toBe(h64('example.org:80'))
  })
})

describe('a cookie', () => {
  const session: HashPolicy = { cookie: 'session' }

  test.each([
    ['session=abc', 'abc'],
    ['a=b; session=abc; c=d', 'abc'],
    ['a=b;session="abc"', 'abc'],
    ['session=a=b', 'a=b'],
    ['session="', '"'],
    ['broken; session=abc', 'abc'],
    ['session=abc; session=def', 'abc'],
    ['session=abc ;x=y', 'abc '],
  ])('%s is %s', (cookie, value) => {
    expect(keyOf([session], { headers: { cookie } })).toBe(h64(value))
  })

  test.each(['', 'session', 'session=', 'Session=abc', 'xsession=abc', 'session =abc'])(
    '%s has none',
    (cookie) => {
      expect(keyOf([session], { headers: { cookie } })).toBeUndefined()
    },
  )

  test('is looked for in every cookie header', () => {
    expect(keyOf([session], { headers: { cookie: ['a=b', 'session=abc'] } })).toBe(h64('abc'))
  })

  test('that is absent is made, with a ttl, of the addresses of the connection', () => {
    const made = h64('10.1.2.3:500010.9.9.9:443').toString(16).padStart(16, '0')
    const hash = hashPolicies([
      { cookie: 'session', ttl: '90s', path: '/app', attributes: { SameSite: 'Lax', Secure: '' } },
    ])
    expect(hash(request(ends))).toEqual({
      key: h64(made),
      cookies: [`session="${made}"; Max-Age=90; Path=/app; SameSite=Lax; Secure; HttpOnly`],
    })
    const again = hash(request({ ...ends, headers: { cookie: `session="${made}"` } }))
    expect(again).toEqual({ key: h64(made), cookies: [] })
  })

  test('of ttl 0 lasts as long as the browser runs', () => {
    const { cookies } = hashPolicies([{ cookie: 'session', ttl: 0 }])(request(ends))
    expect(cookies).toEqual([expect.stringMatching(/^session="[0-9a-f]{16}"; HttpOnly$/)])
  })

  test('is not made without a ttl, nor where the addresses are not known', () => {
    expect(hashPolicies([session])(request(ends))).toEqual({ key: undefined, cookies: [] })
    expect(hashPolicies([{ cookie: 'session', ttl: 5 }])(request())).toEqual({ key: undefined, cookies: [] })
  })

  test('IPv6 ends stand in brackets', () => {
    const given = { remote: { address: '2001:db8::1', port: 1 }, local: { address: '::1', port: 2 } }
    const made = h64('[2001:db8::1]:1[::1]:2').toString(16).padStart(16, '0')
    expect(keyOf([{ cookie: 'c', ttl: 1000 }], given)).toBe(h64(made))
  })
})

test('the source address counts without its port; an IPv4 one is the same on a socket for both families', () => {
  const policies: HashPolicy[] = [{ sourceAddress: true }]
  expect(keyOf(policies, { remote: { address: '10.1.2.3', port: 1 } })).toBe(h64('10.1.2.3'))
  expect(keyOf(policies, { remote: { address: '::ffff:10.1.2.3', port: 2 } })).toBe(h64('10.1.2.3'))
  expect(keyOf(policies, { remote: { address: '2001:db8::1', port: 1 } })).toBe(h64('2001:db8::1'))
  expect(keyOf(policies)).toBeUndefined()
})

test.each([
  ['/?user=7', '7'],
  ['/a/b?x=1&user=7&user=8', '7'],
  ['/?user=%C3%A9+x', '%C3%A9+x'],
  ['/?user', ''],
  ['/?user=', ''],
  ['/?user=a=b', 'a=b'],
  ['/?a=1?user=7&user=9', '9'],
  ['/', undefined],
  ['/?', undefined],
  ['/?User=7', undefined],
  ['/user=7', undefined],
])('the query parameter user of %s is %s', (path, value) => {
  expect(keyOf([{ queryParameter: 'user' }], { path })).toBe(value === undefined ? undefined : h64(value))
})

test('filter state: a string is hashed, a bigint is the hash', () => {
  const policies: HashPolicy[] = [{ filterState: 'tenant' }]
  expect(keyOf(policies, { filterState: new Map([['tenant', 'zoë']]) })).toBe(h64('zoë'))
  expect(keyOf(policies, { filterState: new Map([['tenant', 12n]]) })).toBe(12n)
  expect(keyOf(policies, { filterState: new Map([['__proto__', 12n]]) })).toBeUndefined()
  expect(() => keyOf(policies, { filterState: new Map([['tenant', 2n ** 64n]]) })).toThrow(/tenant/)
})

describe('several policies', () => {
  const hashes = { a: h64('1'), b: h64('2'), c: h64('3') }
  const headers = { a: '1', b: '2', c: '3' }

  function rotate(word: bigint): bigint {
    return BigInt.asUintN(64, (word << 1n) | (word >> 63n))
  }

  test('are combined: rotated left by one, exclusive or the next', () => {
    expect(keyOf([{ header: 'a' }, { header: 'b' }, { header: 'c' }], { headers })).toBe(
      rotate(rotate(hashes.a) ^ hashes.b) ^ hashes.c,
    )
  })

  test('the same one twice does not cancel itself', () => {
    expect(keyOf([{ header: 'a' }, { header: 'a' }], { headers })).toBe(rotate(hashes.a) ^ hashes.a)
  })

  test('those that do not apply leave the hash as it is', () => {
    expect(keyOf([{ header: 'x' }, { header: 'a' }, { queryParameter: 'q' }], { headers })).toBe(hashes.a)
  })

  test('a terminal one ends the list once there is a hash, of whichever policy', () => {
    expect(keyOf([{ header: 'a', terminal: true }, { header: 'b' }], { headers })).toBe(hashes.a)
    expect(keyOf([{ header: 'x', terminal: true }, { header: 'b' }], { headers })).toBe(hashes.b)
    expect(keyOf([{ header: 'a' }, { header: 'x', terminal: true }, { header: 'b' }], { headers })).toBe(
      hashes.a,
    )
  })

  test('give 64 bits that a table takes, for any headers', () => {
    const lb = new Maglev(['a', 'b'], { mode: 'envoy', tableSize: 7 })
    const hash = hashPolicies([
      { header: 'a' },
      { cookie: 'b' },
      { queryParameter: 'c' },
      { sourceAddress: true },
    ])
    const text = fc.string({ unit: 'binary' })
    fc.assert(
      fc.property(text, text, text, text, (a, cookie, path, address) => {
        const { key, cookies } = hash({ headers: { a, cookie }, path, remote: { address, port: 1 } })
        expect(cookies).toEqual([])
        expect(['a', 'b']).toContain(lb.lookup(key ?? -1n))
      }),
    )
  })
})

test.each<[string, unknown]>([
  ['list of one or more', []],
  ['list of one or more', { header: 'a' }],
  ['Hash policy 1 must be an object', [{ header: 'a' }, 'b']],
  ['exactly one of', [{}]],
  ['exactly one of', [{ header: 'a', cookie: 'b' }]],
  ['exactly one of', [{ regex: 'a' }]],
  ['no name of a header', [{ header: 'a b' }]],
  ['no name of a header', [{ header: ':status' }]],
  ['header must be a name', [{ header: 7 }]],
  ['no name of a cookie', [{ cookie: 'a=b' }]],
  ['ttl must be a duration', [{ cookie: 'a', ttl: 'soon' }]],
  ['path', [{ cookie: 'a', ttl: 1, path: '/;Domain=evil' }]],
  ['attribute', [{ cookie: 'a', ttl: 1, attributes: { Path: '/\r\nx: y' } }]],
  ['sourceAddress must be true', [{ sourceAddress: false }]],
  ['queryParameter must be a name', [{ queryParameter: '' }]],
  ['terminal must be true or false', [{ header: 'a', terminal: 'yes' }]],
])('refuses what is wrong: %s', (message, policies) => {
  try {
    Reflect.apply(hashPolicies, undefined, [policies])
    expect.unreachable()
  } catch (error) {
    expect(isMaglevError(error) && error.code).toBe('INVALID_OPTION')
    expect(String(error)).toContain(message)
  }
})
