import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isHarnessError } from '../errors.ts'
import { type Field, field } from './field.ts'

function refusal(value: unknown, read: (field: Field) => unknown): string {
  try {
    read(field({ size: value }, 'size'))
  } catch (error) {
    if (isHarnessError(error) && error.code === 'BAD_COMMAND') return error.message
    throw error
  }
  throw new Error('not refused')
}

describe('field', () => {
  test('reads what it is asked for', () => {
    const command: unknown = JSON.parse(
      '{"size":7,"mode":"envoy","on":true,"rate":0.5,"hash":"18446744073709551615","raw":"00fF",' +
        '"backends":[{"id":"a"},{"id":"b","weight":2}],"zones":{"__proto__":1,"b":2}}',
    )
    if (typeof command !== 'object' || command === null) throw new Error('unreachable')
    expect(field(command, 'size').integer({ min: 7, max: 7 })).toBe(7)
    expect(field(command, 'mode').oneOf(['stable', 'envoy'])).toBe('envoy')
    expect(field(command, 'on').boolean()).toBe(true)
    expect(field(command, 'rate').number()).toBe(0.5)
    expect(field(command, 'hash').uint64()).toBe(0xffff_ffff_ffff_ffffn)
    expect(field(command, 'raw').bytes()).toEqual(Uint8Array.of(0, 255))
    expect(field(command, 'seed').optional((seed) => seed.integer())).toBeUndefined()
    const backends = field(command, 'backends').list((backend) => [
      backend.field('id').string(),
      backend.field('weight').optional((weight) => weight.number()),
    ])
    expect(backends).toEqual([
      ['a', undefined],
      ['b', 2],
    ])
    const zones = field(command, 'zones').record((weight) => weight.number())
    expect(Object.entries(zones)).toEqual([
      ['__proto__', 1],
      ['b', 2],
    ])
  })

  test.each<[string, unknown, (field: Field) => unknown, string]>([
    ['a missing field', undefined, (size) => size.string(), 'size must be a string; it is missing'],
    ['null', null, (size) => size.optional((it) => it.integer()), 'size must be an integer; received null'],
    [
      'a fraction',
      1.5,
      (size) => size.integer({ min: 1 }),
      'size must be an integer of at least 1; received 1.5',
    ],
    [
      'out of range',
      9,
      (size) => size.number({ max: 8 }),
      'size must be a finite number of at most 8; received 9',
    ],
    ['2^53', 2 ** 53, (size) => size.integer(), 'size must be an integer; received 9007199254740992'],
    [
      'too many',
      [1, 2],
      (size) => size.list((it) => it, { min: 0, max: 1 }),
      'size must be an array of 0 to 1 elements; received an array of 2',
    ],
    [
      'an element',
      [{}, []],
      (size) => size.list((it) => it.field('id').optional(String)),
      'size[1] must be an object; received an array of 0',
    ],
    [
      'a deep field',
      { a: 1 },
      (size) => size.field('a').boolean(),
      'size.a must be true or false; received 1',
    ],
    [
      'an odd key',
      { 'a b': 1 },
      (size) => size.record((it) => it.string()),
      'size["a b"] must be a string; received 1',
    ],
    [
      '2^64',
      '18446744073709551616',
      (size) => size.uint64(),
      'size must be an unsigned 64-bit integer as a decimal string; received "18446744073709551616"',
    ],
    [
      'half a byte',
      'abc',
      (size) => size.bytes(),
      'size must be an even number of hexadecimal digits; received "abc"',
    ],
    [
      'an unknown choice',
      'x',
      (size) => size.oneOf(['a', 'b']),
      'size must be one of "a", "b"; received "x"',
    ],
  ])('names the path, what was asked for and what came: %s', (_, value, read, message) => {
    expect(refusal(value, read)).toBe(message)
  })

  test('inherited properties are no fields', () => {
    expect(field({}, 'constructor').value).toBeUndefined()
    expect(field({}, '__proto__').value).toBeUndefined()
    expect(field({ nested: {} }, 'nested').field('toString').value).toBeUndefined()
  })

  test('keeps messages short, whatever the value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(value !== 'never')
        expect(refusal([value], (size) => size.list((it) => it.oneOf(['never']))).length).toBeLessThan(200)
      }),
    )
    expect(refusal('x'.repeat(1e6), (size) => size.integer()).length).toBeLessThan(200)
  })

  test('uint64 and bytes agree with BigInt and Buffer', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.uint8Array(), (number, bytes) => {
        expect(field({ it: String(number) }, 'it').uint64()).toBe(number)
        expect(field({ it: Buffer.from(bytes).toString('hex') }, 'it').bytes()).toEqual(bytes)
      }),
    )
  })
})
