import fc, { type Arbitrary } from 'fast-check'
import type { ValueCase } from './value-cases.ts'

const digits = fc.string({
  unit: fc.constantFrom(...Array.from('00112345678999eE+-._:xob')),
  minLength: 1,
  maxLength: 10,
})
const word = fc.constantFrom(
  'y',
  'Y',
  'n',
  'N',
  'yes',
  'Yes',
  'YES',
  'yEs',
  'no',
  'No',
  'on',
  'On',
  'ON',
  'off',
  'OFF',
  'oFF',
  'true',
  'True',
  'TRUE',
  'false',
  'tRue',
  '~',
  'null',
  'Null',
  'NULL',
  'nUll',
  'None',
  '.inf',
  '-.INF',
  '+.Inf',
  '.nan',
  '.NaN',
  'nan',
  'inf',
  '2001-01-01',
  '2001-1-1 1:2:3',
  '1:1',
  '59:59',
  '1:60',
  '190:20:30.15',
  '0b1010',
  '0x_1F',
  '0o17',
  '017',
  '08',
  '1_0.0_1',
  '685_230.15',
  '1e3',
  '1E+3',
  '1.e3',
  '.1e5',
  '-.1',
  '+1',
  '-0',
  '-0.0',
  '1.0.0',
  '=',
  '<<',
  '?',
  '-',
  ':',
  'a:b',
  '9007199254740993',
)
const mutated = fc
  .tuple(word, fc.nat(), fc.constantFrom(0, 1), fc.constantFrom('', ...Array.from('_.-+e0:xE1 ')))
  .map(([text, place, taken, put]) => {
    const at = place % (text.length + 1)
    return text.slice(0, at) + put + text.slice(at + taken)
  })

/** Plain scalars as values, items and keys: numbers of every spelling, the words of YAML 1.1, and what is near them. */
export const scalarCase: Arbitrary<ValueCase> = fc
  .tuple(
    fc.oneof(
      { weight: 6, arbitrary: digits },
      { weight: 1, arbitrary: word },
      { weight: 3, arbitrary: mutated },
    ),
    fc.constantFrom('k: S', 'k: S', '- S', '[S]', '{k: S}', 'S: 1', 'k: !!int S', 'k: !!float S', 'S'),
  )
  .map(([text, frame]) => ({ op: 'yaml', text: frame.replace('S', () => text) }))
