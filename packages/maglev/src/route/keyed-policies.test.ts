import { describe, expect, test } from 'vitest'
import xxhash from 'xxhash-wasm'
import { collidingValues } from '../../test/model/xxh64-collisions.ts'
import { isMaglevError } from '../errors.ts'
import { Maglev } from '../maglev.ts'
import type { MaglevOptions } from '../options.ts'
import { type HashPolicy, hashPolicies, type RoutedRequest } from './hash-policy.ts'
import { prefixKey } from './prefix-key.ts'

const { h64 } = await xxhash()
const ids = Array.from({ length: 8 }, (_, n) => `10.0.0.${n}:80`)
const secret = '3f9c1ad04be27786520f1e9d8c6ba453'
/** 1,296 values of one XXH64, made offline. */
const crafted = collidingValues(6)

const places: [string, HashPolicy, (value: string) => Partial<RoutedRequest>][] = [
  ['header', { header: 'x-user' }, (value) => ({ headers: { 'x-user': value } })],
  ['header that is there twice', { header: 'x-user' }, (value) => ({ headers: { 'x-user': [value, 'a'] } })],
  ['path', { header: ':path' }, (value) => ({ path: value })],
  ['cookie', { cookie: 'user' }, (value) => ({ headers: { cookie: `a=b; user=${value}` } })],
  ['query parameter', { queryParameter: 'user' }, (value) => ({ path: `/?user=${value}` })],
  ['filter state', { filterState: 'user' }, (value) => ({ filterState: new Map([['user', value]]) })],
]

/** How many of the crafted values each backend gets. */
function spread(
  policy: HashPolicy,
  at: (value: string) => Partial<RoutedRequest>,
  options: MaglevOptions,
): number[] {
  const lb = new Maglev(ids, options)
  const hash = hashPolicies([policy], lb)
  const counts = new Map(ids.map((id) => [id, 0]))
  for (const value of crafted) {
    const { key } = hash({ headers: {}, path: '/', ...at(value) })
    const id = lb.lookup(key ?? 0) ?? ''
    counts.set(id, (counts.get(id) ?? 0) + 1)
  }
  return [...counts.values()].toSorted((a, b) => b - a)
}

/** Against a fair draw of as many: its 99.9th percentile for seven degrees of freedom is 24.3. */
function chiSquare(counts: readonly number[]): number {
  const mean = crafted.length / counts.length
  return counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0)
}

test('the crafted values are different ones, of one XXH64', () => {
  expect(new Set(crafted).size).toBe(1296)
  expect(new Set(crafted.map((value) => h64(value))).size).toBe(1)
})

describe.each(places)('values of one XXH64 in a %s', (_, policy, at) => {
  test('meet at one backend without a secret, as in Envoy', () => {
    expect(spread(policy, at, {})[0]).toBe(crafted.length)
    expect(spread(policy, at, { mode: 'envoy' })[0]).toBe(crafted.length)
  })

  test('spread as any others with one', () => {
    for (const mode of ['stable', 'classic'] as const) {
      expect(chiSquare(spread(policy, at, { secret, mode }))).toBeLessThan(24.3)
    }
  })

  test('have the same key in every process with the same secret, and another with another', () => {
    const [value = ''] = crafted
    const keyed = (given: MaglevOptions): unknown =>
      hashPolicies([policy], new Maglev(ids, given))({ headers: {}, path: '/', ...at(value) }).key
    expect(keyed({ secret })).toBe(keyed({ secret, tableSize: 251 }))
    expect(keyed({ secret })).not.toBe(keyed({ secret: secret.replace('3', '4') }))
  })
})

test("a table without a secret changes nothing: the hash is Envoy's", () => {
  const request = { headers: { a: ['x', 'y'], cookie: 'c=z' }, path: '/?q=w' }
  const policies: HashPolicy[] = [{ header: 'a' }, { cookie: 'c' }, { queryParameter: 'q' }]
  const { key } = hashPolicies(policies)(request)
  for (const mode of ['stable', 'classic', 'envoy'] as const) {
    expect(hashPolicies(policies, new Maglev(ids, { mode }))(request).key).toBe(key)
  }
})

test('a value alone has the hash that the table gives its bytes, several one that no single value can be given', () => {
  const lb = new Maglev(ids, { secret })
  const hash = hashPolicies([{ header: 'a' }], lb)
  const keyOf = (a: string | string[]): bigint | undefined => hash({ headers: { a }, path: '/' }).key
  expect(keyOf('zoë')).toBe(lb.hashOf(Buffer.from('zoë', 'latin1')))
  expect(keyOf(['x', 'y'])).toBe(keyOf(['y', 'x']))
  expect(new Set([keyOf(['x', 'y']), keyOf('xy'), keyOf(['xy', '']), keyOf(['x', 'y', ''])]).size).toBe(4)
  expect(keyOf([])).toBeUndefined()
})

test('a cookie that is made leads back to the same backend', () => {
  const hash = hashPolicies([{ cookie: 'session', ttl: 0 }], new Maglev(ids, { secret }))
  const ends = { remote: { address: '10.1.2.3', port: 5000 }, local: { address: '10.9.9.9', port: 443 } }
  const first = hash({ headers: {}, path: '/', ...ends })
  const [cookie = ''] = first.cookies
  expect(cookie).toMatch(/^session="[0-9a-f]{16}"; HttpOnly$/)
  expect(hash({ headers: { cookie: cookie.split(';')[0] }, path: '/' })).toEqual({
    key: first.key,
    cookies: [],
  })
})

test('prompts of one XXH64 have one key without a secret, and each its own with one', () => {
  const keyed = new Maglev(ids, { secret })
  const keys = (table?: Maglev): number => new Set(crafted.map((prompt) => prefixKey(prompt, 64, table))).size
  expect(keys()).toBe(1)
  expect(keys(new Maglev(ids))).toBe(1)
  expect(keys(keyed)).toBe(crafted.length)
  expect(prefixKey([1, 2, 3], 2, keyed)).toBe(prefixKey([1, 2], 9, keyed))
})

test.each([[null], [7], [{}], ['secret'], [{ hash: 'siphash' }]])('no table to hash for: %o', (table) => {
  for (const call of [
    () => Reflect.apply(hashPolicies, undefined, [[{ header: 'a' }], table]),
    () => Reflect.apply(prefixKey, undefined, ['a', 1, table]),
  ]) {
    try {
      call()
      expect.unreachable()
    } catch (error) {
      expect(isMaglevError(error) && error.code).toBe('INVALID_OPTION')
      expect(String(error)).toContain('must be a Maglev')
    }
  }
})
