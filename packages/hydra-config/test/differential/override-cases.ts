import fc, { type Arbitrary } from 'fast-check'

const word = fc.constantFrom(
  'a',
  'b',
  'db',
  'x-y',
  '_z',
  'null',
  'NULL',
  'true',
  'False',
  'inf',
  'NaN',
  'info',
  'nan_',
  'e5',
  '$v',
  'a.b',
  '0',
  '1',
  '-2',
  '+3',
  '007',
  '1_000',
  '1__0',
  '12:30',
  '1.5',
  '.5',
  '2.',
  '-1e-5',
  '1e3',
  '1.2.3',
  '1_0.5e1_0',
  '${a}',
  '${a:1,2}',
  '${',
  '$',
  '%',
  '*',
  '@',
  '?',
  '|',
  '/',
  '\\',
  '-',
  '+',
  '.',
  '???',
  'c:\\foo',
  'http://x/y',
  '\\,',
  '\\(',
  '\\\\',
  '\\ ',
  '\\=',
  '\\{\\}',
  '1e999',
  '-inf',
  '9007199254740993',
  '5e-324',
  '1e16',
  '1e22',
)
const quoted = fc
  .tuple(
    fc.constantFrom("'", '"'),
    fc.array(
      fc.constantFrom('a', ' ', '\\', '\\\\', "\\'", '\\"', "'", '"', 'é', '😀', ',', '${b}', '1', '\n'),
      {
        maxLength: 5,
      },
    ),
  )
  .map(([quote, parts]) => `${quote}${parts.join('')}${quote}`)
const space = fc.constantFrom('', '', '', ' ', '\t', '  ')
const primitive = fc.oneof(
  { weight: 3, arbitrary: word },
  { weight: 2, arbitrary: quoted },
  { weight: 2, arbitrary: fc.tuple(word, space, word).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: fc.tuple(word, space, word, space, word).map((parts) => parts.join('')) },
)
const functionName = fc.constantFrom(
  'int',
  'float',
  'str',
  'bool',
  'choice',
  'range',
  'interval',
  'glob',
  'sort',
  'shuffle',
  'tag',
  'nope',
)
const argumentName = fc.constantFrom(
  '',
  '',
  '',
  '',
  'value=',
  'start=',
  'stop=',
  'step=',
  'sweep=',
  'list=',
  'reverse=',
  'include=',
  'exclude=',
)
const smallNumber = fc.constantFrom('0', '1', '2', '10', '-3', '0.1', '2.5', '-1.5', 'true', '1e3', '1_0')

const { element } = fc.letrec<{ element: string; list: string; dict: string; call: string; numeric: string }>(
  (tie) => ({
    element: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'element' },
      { weight: 12, arbitrary: primitive },
      { weight: 3, arbitrary: tie('list') },
      { weight: 3, arbitrary: tie('dict') },
      { weight: 1, arbitrary: tie('call') },
      { weight: 2, arbitrary: tie('numeric') },
    ),
    list: separated(tie('element')).map((inside) => `[${inside}]`),
    dict: separated(
      fc
        .tuple(
          fc.oneof({ weight: 9, arbitrary: word }, { weight: 1, arbitrary: quoted }),
          space,
          tie('element'),
        )
        .map(([key, gap, value]) => `${key}${gap}:${gap}${value}`),
    ).map((inside) => `{${inside}}`),
    call: fc
      .tuple(
        functionName,
        space,
        separated(fc.tuple(argumentName, tie('element')).map((parts) => parts.join(''))),
        space,
      )
      .map(([name, before, inside, gap]) => `${name}${before}(${gap}${inside}${gap})`),
    numeric: fc
      .tuple(
        fc.constantFrom(
          'range',
          'range',
          'interval',
          'sort',
          'choice',
          'int',
          'float',
          'str',
          'bool',
          'tag',
          'shuffle',
        ),
        fc.oneof(
          { depthIdentifier: 'element' },
          smallNumber,
          fc.tuple(smallNumber, fc.constant(','), smallNumber).map((parts) => parts.join('')),
          tie('numeric'),
          separated(fc.oneof({ depthIdentifier: 'element' }, smallNumber, smallNumber, tie('numeric'))),
        ),
        fc.constantFrom('', '', '', ',reverse=true', ',step=2', ',-1'),
      )
      .map(([name, inside, last]) => `${name}(${inside}${last})`),
  }),
)

function separated(item: Arbitrary<string>): Arbitrary<string> {
  return fc
    .array(fc.tuple(space, item, space), { maxLength: 4 })
    .map((items) => items.map((parts) => parts.join('')).join(','))
}

const plainKey = fc.constantFrom(
  'a',
  'a.b',
  'a.0',
  '$a',
  'a.$b.c-d',
  'db/engine',
  'a/b/c',
  'hydra.run.dir',
  '',
  '0.a',
  '_x',
)
const anyKey = fc
  .array(fc.constantFrom('a', 'b1', '.', '/', '@', ':', '0', '12', '$', '-', '_'), { maxLength: 6 })
  .map((parts) => parts.join(''))
const key = fc.oneof({ weight: 12, arbitrary: plainKey }, { weight: 1, arbitrary: anyKey })
const packageOf = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('', '', '', '@p', '@p.q', '@', '@_global_') },
  { weight: 1, arbitrary: fc.constantFrom('@a:b', '@a/b') },
)
const prefix = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('', '', '', '+', '++', '~') },
  { weight: 1, arbitrary: fc.constantFrom('+++', '~+', '~~') },
)
const equal = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('=', '=', '=', '= ') },
  { weight: 1, arbitrary: fc.constantFrom(' = ', '') },
)
const value = fc.oneof({ weight: 4, arbitrary: element }, { weight: 1, arbitrary: separated(element) })
const written: Arbitrary<string> = fc
  .tuple(prefix, key, packageOf, equal, value)
  .map((parts) => parts.join(''))

const character = fc.constantFrom(...Array.from('()[]{}:=,\'"\\ \t$~!#&;<>^`é😀\n0aA_-+.@/*%?|'))
/** One character taken away, put in, or changed. */
const mutated = fc
  .tuple(written, fc.nat(), fc.constantFrom(0, 1), fc.oneof(character, fc.constant('')))
  .map(([text, place, taken, put]) => {
    const characters = Array.from(text)
    characters.splice(place % (characters.length + 1), taken, put)
    return characters.join('')
  })

/** Overrides of the grammar, three of five as written, one with one character changed, one of any characters. */
export const overrideText: Arbitrary<string> = fc.oneof(
  { weight: 5, arbitrary: written },
  { weight: 4, arbitrary: mutated },
  { weight: 1, arbitrary: fc.array(character, { maxLength: 12 }).map((parts) => `a=${parts.join('')}`) },
)
