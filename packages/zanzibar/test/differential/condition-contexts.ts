import fc, { type Arbitrary } from 'fast-check'
import type { ParameterType } from '../../src/model/authorization-model.ts'
import type { Json } from '../../src/tuple/tuple.ts'
import { typeNamed } from '../conformance/condition.ts'

/** One parameter of each type, and how the expressions call it. */
const declared: Readonly<Record<string, string>> = {
  b: 'bool',
  s: 'string',
  t: 'string',
  i: 'int',
  j: 'int',
  u: 'uint',
  d: 'double',
  dur: 'duration',
  ts: 'timestamp',
  ip: 'ipaddress',
  ls: 'list<string>',
  li: 'list<int>',
  la: 'list<any>',
  ms: 'map<string>',
  mi: 'map<int>',
  ma: 'map<any>',
  a: 'any',
}

export const parameters: Readonly<Record<string, ParameterType>> = Object.fromEntries(
  Object.entries(declared).map(([name, type]) => [name, typeNamed(type)]),
)

const word = fc.constantFrom(
  '',
  'a',
  'b',
  'ab',
  'abc',
  'hello world',
  'é',
  '𝒳',
  '\ue000',
  'aaaaaaaaaaaaaaaaaaaa',
  '1',
  'true',
)
const whole = fc.oneof(
  fc.integer({ min: -3, max: 12 }),
  fc.constantFrom(2147483648, 9007199254740992, -9007199254740992, 2 ** 63, 1e19),
)
const numberText = fc.constantFrom(
  '3',
  '-7',
  '9223372036854775807',
  '9223372036854775808',
  '1e3',
  '0.5',
  '0.1',
  '1.0',
)
const durationText = fc.constantFrom(
  '0',
  '1h',
  '90m',
  '-1.5s',
  '1h30m0.5s',
  '1ns',
  '2562047h47m16.854775807s',
  '300us',
)
const timestampText = fc.constantFrom(
  '2023-01-01T00:00:00Z',
  '2024-02-29T23:59:59.999999999Z',
  '1969-12-31T23:59:59+02:00',
  '2023-07-14T10:30:45.123-08:00',
  '0001-01-01T00:00:00Z',
  '9999-12-31T23:59:59Z',
  '2023-07-14T1:02:03,5Z',
)
const addressText = fc.constantFrom(
  '10.1.2.3',
  '192.168.0.1',
  '::1',
  '::ffff:10.1.2.3',
  'fe80::1%eth0',
  '2001:db8::1',
)

const json: Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    word,
    fc.constantFrom<Json>(null, true, false, 0, 1, -1, 1.5, 1e300),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'abc', '__proto__'), tie('value'), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  ),
})).value

function mapOf(value: Arbitrary<Json>): Arbitrary<Json> {
  return fc.dictionary(fc.constantFrom('a', 'b', 'abc', '1'), value, { maxKeys: 3, noNullPrototype: true })
}

const right: Readonly<Record<string, Arbitrary<Json>>> = {
  bool: fc.boolean(),
  string: word,
  int: fc.oneof(whole, fc.constantFrom('3', '-7', '9223372036854775807')),
  uint: fc.oneof(fc.nat({ max: 12 }), fc.constantFrom('3', '9223372036854775807', '18446744073709551615')),
  double: fc.oneof(whole, fc.constantFrom<Json>(0.5, 0.1, 1e21, 1e-7, '0.5', '-3')),
  duration: durationText,
  timestamp: timestampText,
  ipaddress: addressText,
  'list<string>': fc.array(word, { maxLength: 4 }),
  'list<int>': fc.array(whole, { maxLength: 4 }),
  'list<any>': fc.array(json, { maxLength: 4 }),
  'map<string>': mapOf(word),
  'map<int>': mapOf(whole),
  'map<any>': mapOf(json),
  any: json,
}

function valueOf(type: string): Arbitrary<Json> {
  const found = right[type]
  if (found === undefined) throw new RangeError(`no values of ${type}`)
  return found
}

const wholeContext = fc.record(
  Object.fromEntries(Object.entries(declared).map(([name, type]) => [name, valueOf(type)])),
  { noNullPrototype: true },
)

/** Mostly complete; sometimes a value is missing, and sometimes one is of any type. */
export const context: Arbitrary<Readonly<Record<string, Json>>> = fc
  .tuple(
    wholeContext,
    fc.oneof(
      { weight: 4, arbitrary: fc.constant('none') },
      { weight: 1, arbitrary: fc.constantFrom('drop', 'spoil') },
    ),
    fc.constantFrom(...Object.keys(declared)),
    fc.oneof(json, numberText, durationText, timestampText, addressText),
  )
  .map(([complete, change, name, value]) => {
    if (change === 'none') return complete
    const rest = Object.fromEntries(Object.entries(complete).filter(([key]) => key !== name))
    return change === 'drop' ? rest : { ...rest, [name]: value }
  })
