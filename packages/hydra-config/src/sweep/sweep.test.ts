import { array, assert, constantFrom, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromMemory } from '../source/memory.ts'
import { parseOverride } from '../override/parse.ts'
import { rangeValues } from './range-values.ts'
import { sweep } from './sweep.ts'
import { valueText } from './value-text.ts'

const source = fromMemory({ 'config.yaml': 'a: 1\nb: x\n', 'db/one.yaml': 'n: 1\n', 'db/two.yaml': 'n: 2\n' })

describe('sweep', () => {
  test('the last sweep is the fastest', async () => {
    expect(await sweep({ source, config: 'config', overrides: ['a=1,2', 'b=x,y'] })).toEqual([
      ['a=1', 'b=x'],
      ['a=1', 'b=y'],
      ['a=2', 'b=x'],
      ['a=2', 'b=y'],
    ])
  })

  test('a later sweep of one key takes the place of the first', async () => {
    const jobs = await sweep({ source, config: 'config', overrides: ['a=1,2', 'b=x', 'a=3'] })
    expect(jobs).toEqual([['a=3', 'b=x']])
  })

  test('a glob takes the options of its group', async () => {
    expect(await sweep({ source, config: 'config', overrides: ['+db=glob(*,exclude=t*)'] })).toEqual([
      ['+db=one'],
    ])
  })

  test('a range of floats is added up in decimals', () => {
    const { value } = parseOverride('a=range(0,1,0.1)')
    if (value === null || typeof value !== 'object' || !('kind' in value) || value.kind !== 'range')
      throw new Error('no range')
    expect(rangeValues(value)).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7000000000000001, 0.8, 0.9])
  })
})

test('a string reads again as it was written', () => {
  const text = array(constantFrom('\\', "'", '"', 'a', '1', ',', ' ', 'é', '(')).map((parts) =>
    parts.join(''),
  )
  assert(
    property(text, constantFrom("'", '"'), (written, quote) => {
      const quoted = { kind: 'quoted', text: written, quote } as const
      expect(parseOverride(`a=${valueText(quoted)}`).value).toEqual(quoted)
    }),
  )
})
