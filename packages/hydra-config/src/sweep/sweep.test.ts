import { array, assert, constantFrom, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseOverride } from '../override/parse.ts'
import { fromMemory } from '../source/memory.ts'
import { rangeValues } from './range-values.ts'
import { planSweep, sweep } from './sweep.ts'
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

  test('a range of floats far apart is as long as it is, or refused at once', () => {
    const range = (start: number, stop: number, step: number) =>
      rangeValues({ kind: 'range', start, stop, step, shuffle: false, tags: [] })
    expect(range(-1e308, 1e308, 1e307)).toHaveLength(21)
    for (const step of [1e-300, 1e290]) {
      expect(() => range(0, 1e308, step)).toThrow('a range has more than 1000000 values')
    }
    expect(() => range(0, -1e308, -1e-300)).toThrow('a range has more than 1000000 values')
    expect(range(0, -1e308, 1e-300)).toEqual([])
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

describe('zip, exclude, filter and seed', () => {
  const models = fromMemory({
    'config.yaml': 'defaults:\n- model: a\nsize: s\nlr: 1\n',
    'model/a.yaml': 'n: 1\n',
    'model/b.yaml': 'n: 2\n',
  })
  const jobs = (
    overrides: readonly string[],
    options: object = {},
  ): Promise<readonly (readonly string[])[]> =>
    sweep({ source: models, config: 'config', overrides, ...options })

  test('zipped keys change together', async () => {
    expect(await jobs(['zip(model=[a,b],size=[s, l])', 'lr=1,2'])).toEqual([
      ['model=a', 'size=s', 'lr=1'],
      ['model=a', 'size=s', 'lr=2'],
      ['model=b', 'size=l', 'lr=1'],
      ['model=b', 'size=l', 'lr=2'],
    ])
    expect(await jobs(["zip(+x.y=[1,{a:'b'}],size=[s,l])"])).toEqual([
      ['+x.y=1', 'size=s'],
      ["+x.y={a:'b'}", 'size=l'],
    ])
  })

  test('excluded combinations are left out', async () => {
    expect(
      await jobs(['model=a,b', 'size=s,m,l', 'exclude(model=a,size=[s,l])', 'exclude(model=b,size=m)']),
    ).toEqual([
      ['model=a', 'size=m'],
      ['model=b', 'size=s'],
      ['model=b', 'size=l'],
    ])
  })

  test('what is excluded is told by its value, however it is written', async () => {
    expect(await jobs(["model='a',b", 'size=s,"l"', "exclude(model=a,size='l')"])).toEqual([
      ["model='a'", 'size=s'],
      ['model=b', 'size=s'],
      ['model=b', 'size="l"'],
    ])
    expect(await jobs(["+x=1,'1'", "exclude(+x='1')"])).toEqual([['+x=1']])
  })

  test('a filter leaves jobs out', async () => {
    const filter = (job: ReadonlyMap<string, string>): boolean => job.get('model') !== 'b'
    expect(await jobs(['model=a,b', 'size=s,l'], { filter })).toEqual([
      ['model=a', 'size=s'],
      ['model=a', 'size=l'],
    ])
  })

  test('one seed gives one order', async () => {
    const order = (seed: number): Promise<unknown> =>
      jobs(['lr=shuffle(range(20))', 'size=shuffle(s,m,l)'], { seed })
    expect(await order(7)).toEqual(await order(7))
    expect(await order(7)).not.toEqual(await order(8))
    const [first] = await sweep({
      source: models,
      config: 'config',
      overrides: ['lr=shuffle(range(20))'],
      seed: 7,
    })
    expect(first).toEqual(['lr=0'].with(0, String(first?.[0])))
  })

  test('hydra.sweeper.params come first, and the command line takes their place', async () => {
    const swept = fromMemory({
      'config.yaml': 'a: 0\nb: 0\nhydra:\n  sweeper:\n    params:\n      a: 1,2\n      b: range(2)\n',
    })
    const overrides = ['b=9']
    expect(await sweep({ source: swept, config: 'config', overrides })).toEqual([
      ['a=1', 'b=9'],
      ['a=2', 'b=9'],
    ])
  })

  test.each([
    [['zip(model=[a,b],size=[s])'], 'OVERRIDE_PARSE', /2 values of 'model' with 1 of 'size'/],
    [['zip(model=a)'], 'OVERRIDE_PARSE', /no list/],
    [['zip(model=[a,b]'], 'OVERRIDE_PARSE', /\)/],
    [['zip()'], 'OVERRIDE_PARSE', /zip\(\)/],
    [['zip(model=[a,b]) '], 'OVERRIDE_PARSE', /end/],
    [['zip(model=[a,b],size=[s,l])', 'size=s,l'], 'SWEEP', /'size' is swept over twice/],
    [['model=a,b', 'exclude(size=s)'], 'SWEEP', /'size', which is not swept over/],
  ] as const)('%s is refused', async (overrides, code, message) => {
    await expect(jobs(overrides)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
  })

  test('seed and random together, and a seed that is no integer, are refused', async () => {
    await expect(jobs([], { seed: 1, random: () => 0 })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(jobs([], { seed: 1.5 })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })

  test('a plan of a billion jobs gives the first ones at once', async () => {
    const overrides = ['a', 'b', 'c'].map((key) => `+${key}=range(1000)`)
    const plan = await planSweep({ source: models, config: 'config', overrides })
    expect(plan.combinations).toBe(1_000_000_000)
    expect(Iterator.from(plan).drop(1000).take(2).toArray()).toEqual([
      ['+a=0', '+b=1', '+c=0'],
      ['+a=0', '+b=1', '+c=1'],
    ])
    await expect(jobs(overrides)).rejects.toMatchObject({ code: 'SWEEP', class: 'MemoryError' })
  })
})
