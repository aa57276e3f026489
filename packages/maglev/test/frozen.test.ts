import { createHash } from 'node:crypto'
import { type Backend, Maglev, type MaglevOptions } from '@loadbearing/maglev'
import { toBytes, toJson } from '@loadbearing/maglev/snapshot'
import { expect, test } from 'vitest'

/**
 * Values that never change, from the first release on. A table is a wire format: processes that share nothing but its options
 * send a key to the same place, during a rolling update of this package too. Who must change one of these makes another mode,
 * hash or snapshot version.
 */

const ids = Array.from({ length: 10 }, (_, i) => `10.0.0.${i + 1}:80`)
const secret = Uint8Array.from({ length: 16 }, (_, i) => i)

/** Digest of the owners as little-endian int32, as the conformance port gives it. */
function digest(
  backends: readonly (string | Backend)[],
  options: MaglevOptions,
  down: number[] = [],
): string {
  const maglev = new Maglev(backends, options)
  maglev.update({ health: Object.fromEntries(down.map((index) => [ids[index], 'unhealthy' as const])) })
  const bytes = Buffer.alloc(maglev.tableSize * 4)
  for (const [slot, owner] of maglev.owners().entries()) bytes.writeInt32LE(owner, slot * 4)
  return sha256(bytes)
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}

const weighted = ids.map((id, i) => ({ id, weight: 1 + ((i * i) % 7) / 2, zone: i % 3 === 0 ? 'a' : 'b' }))

// Computed by another program too, in Python over the xxHash of its author.
test.each([
  ['stable', {}, [], '11056456aa878478ef49a373f034e73383d4e7b5fd73ab66fbeddd56b6f56ba9'],
  ['classic', { mode: 'classic' }, [], '11056456aa878478ef49a373f034e73383d4e7b5fd73ab66fbeddd56b6f56ba9'],
  [
    'classic, the greatest seed',
    { mode: 'classic', seed: 2n ** 64n - 1n },
    [],
    'f814c466e11f8a545841061a342f558d89c88c38f1ce31940cd122a5f942be72',
  ],
  [
    'classic, two down',
    { mode: 'classic' },
    [2, 6],
    '91a7d04f660a74e3566b3b26d5991f45feed6a3e40d9a8e145b8e400d3319756',
  ],
] satisfies [string, MaglevOptions, number[], string][])(
  'table of equal backends: %s',
  (_, options, down, frozen) => {
    expect(digest(ids, options, down)).toBe(frozen)
  },
)

// The rule of weights and of reassignment is this package's own: recorded from it.
test.each([
  ['two down', ids, {}, [2, 6], '326ff1d2e37f43834387ec64ba413568ba07c598d88a3e301d56bf4cef25561a'],
  ['weights', weighted, {}, [], 'cae1c77e3cb871407cfb5b8585abdbf3c5adcb3c450864bd744d5576bf63ee1c'],
  [
    'weights, two down',
    weighted,
    {},
    [2, 6],
    'd91f78586cb86032963a3c53f609163ec16dea0c1fbfe9915ec8e909a840e33f',
  ],
  [
    'weights, three of four ids of one zone down',
    weighted,
    { zones: { a: 1, b: 3 } },
    [0, 3, 6],
    'c56641e08466d40072589d827a73314b33397e3a1fe6c25820579d0212c6580b',
  ],
  [
    'a ramp',
    ids.map((id, i) => (i === 4 ? { id, ramp: 0.25 } : id)),
    {},
    [],
    '010884e095a7a4c50200f43d38670bc6cb930846a555dd0d54732289ec4c7de9',
  ],
  [
    '655,373 slots',
    weighted,
    { tableSize: 655_373 },
    [9],
    '8f9054f5247cf67e958c131a05a61980849f5d4a6be9c8e4d1eafcf4bed74978',
  ],
] satisfies [string, (string | Backend)[], MaglevOptions, number[], string][])(
  'table of mode stable: %s',
  (_, backends, options, down, frozen) => {
    expect(digest(backends, options, down)).toBe(frozen)
  },
)

const keys = ['', 'user:42', '/objects/7f9c2ba4e88f827d?version=12', 'Grüße', '日本 😀', '0'.repeat(5000)]

// Computed by another program too: xxHash as above, and SipHash-2-4 written from its paper.
test.each([
  ['xxh32', {}, [23_097, 59_721, 11_887, 22_274, 26_631, 24_847]],
  ['xxh32, seeded', { seed: 12_345n }, [55_636, 5191, 28_667, 60_283, 59_466, 13_728]],
  ['xxh64', { hash: 'xxh64' }, [33_714, 14_158, 33_433, 10_833, 51_384, 56_765]],
  ['xxh64, of mode envoy', { mode: 'envoy' }, [33_714, 14_158, 33_433, 10_833, 51_384, 56_765]],
  ['xxh64, seeded', { hash: 'xxh64', seed: 12_345n }, [50_702, 28_103, 64_451, 42_948, 21_077, 49_993]],
  ['siphash', { secret }, [39_420, 5119, 36_867, 16_594, 43_442, 26_239]],
] satisfies [string, MaglevOptions, number[]][])('slots of keys: %s', (_, options, frozen) => {
  const maglev = new Maglev(['a'], options)
  expect(keys.map((key) => maglev.explain(key).slot)).toEqual(frozen)
})

test('slots of numbers: their own remainder, and under a secret the hash of eight bytes', () => {
  expect(new Maglev(['a']).explain(2 ** 53 - 1).slot).toBe((2 ** 53 - 1) % 65_537)
  expect(new Maglev(['a'], { secret }).explain(42).slot).toBe(56_965)
})

// Recorded from this package.
test('replicas, fingerprint and snapshots', () => {
  const maglev = new Maglev(weighted, { seed: 7n })
  maglev.setHealth(ids[3] ?? '', 'draining')
  expect({
    replicas: maglev.replicas('user:42', 4),
    fingerprint: maglev.fingerprint,
    bytes: sha256(toBytes(maglev)),
    json: sha256(toJson(maglev)),
  }).toEqual({
    replicas: ['10.0.0.3:80', '10.0.0.10:80', '10.0.0.5:80', '10.0.0.2:80'],
    fingerprint: '068f973fd3f4891d',
    bytes: '43a7cadefb8ccd1d8e25aa273de00914441d92ef19b8fec77fcff6c7498bd3e9',
    json: 'aaadb9be299aef11dc63249b013fd52b47eb57ebc6ae517497530761c659c946',
  })
})
