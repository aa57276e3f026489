import { expect, test } from 'vitest'
import { Maglev } from './maglev.ts'
import type { MaglevOptions } from './options.ts'

const secret = '00112233445566778899aabbccddeeff'

test.each<[string, unknown, string]>([
  ['a size that is no prime', { tableSize: 8 }, 'TABLE_SIZE_NOT_PRIME'],
  ['a size above the largest', { tableSize: 5_000_077 }, 'TABLE_SIZE_OUT_OF_RANGE'],
  ['a size of 1', { tableSize: 1 }, 'TABLE_SIZE_OUT_OF_RANGE'],
  ['a size of NaN', { tableSize: Number.NaN }, 'TABLE_SIZE_OUT_OF_RANGE'],
  ['a size as text', { tableSize: '7' }, 'TABLE_SIZE_OUT_OF_RANGE'],
  ['a size that Cilium has not', { mode: 'cilium', tableSize: 65_537 }, 'TABLE_SIZE_OUT_OF_RANGE'],
  ['an unknown mode', { mode: 'constructor' }, 'INVALID_OPTION'],
  ['an unknown hash', { hash: 'md5' }, 'INVALID_OPTION'],
  ['siphash without a secret', { hash: 'siphash' }, 'INVALID_OPTION'],
  ['a secret with another hash', { hash: 'xxh64', secret }, 'INVALID_OPTION'],
  ['a short secret', { secret: 'abc' }, 'INVALID_OPTION'],
  ['a seed below 0', { seed: -1n }, 'INVALID_OPTION'],
  ['a seed above 2^64', { seed: '18446744073709551616' }, 'INVALID_OPTION'],
  ['a seed where there is none', { mode: 'envoy', seed: 1n }, 'INVALID_OPTION'],
  [
    'a seed that is no base64 of 12 bytes',
    { mode: 'cilium', tableSize: 251, seed: 'short' },
    'INVALID_OPTION',
  ],
  ['zones where there are none', { mode: 'go-maglev', zones: { a: 1 } }, 'INVALID_OPTION'],
  ['a zone of negative weight', { zones: { a: -1 } }, 'INVALID_WEIGHT'],
  ['zones that weigh too much', { zones: { a: 2 ** 32 } }, 'INVALID_WEIGHT'],
  ['a flag that is none', { shared: 1 }, 'INVALID_OPTION'],
  ['another way to rebuild', { rebuild: 'later' }, 'INVALID_OPTION'],
  ['options that are none', null, 'INVALID_OPTION'],
])('%s is refused', (_, options, code) => {
  expect(() => new Maglev([], options as MaglevOptions)).toThrow(expect.objectContaining({ code }))
})

test('a message never shows the secret', () => {
  const wrong = 'a-secret-of-the-wrong-length'
  expect(() => new Maglev([], { secret: wrong })).toThrow(expect.not.stringContaining(wrong))
})

test('the default hash follows mode and secret', () => {
  expect(new Maglev([]).hash).toBe('xxh32')
  expect(new Maglev([], { mode: 'envoy' }).hash).toBe('xxh64')
  expect(new Maglev([], { secret }).hash).toBe('siphash')
  expect(new Maglev([], { hash: 'xxh64' }).hash).toBe('xxh64')
})

test('every mode has its default size', () => {
  expect(new Maglev([]).tableSize).toBe(65_537)
  expect(new Maglev([], { mode: 'cilium' }).tableSize).toBe(16_381)
})

test('an option that there is not is refused by name, an inherited name too', () => {
  for (const name of ['tablesize', 'toString']) {
    expect(() => new Maglev(['a'], { [name]: 7 })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(`"${name}"`) }),
    )
  }
})
