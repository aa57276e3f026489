import fc, { type Arbitrary } from 'fast-check'

const plainScalar = fc.constantFrom(
  'a',
  'b c',
  'a#b',
  'x # c',
  '1',
  '-5',
  '007',
  '1_0',
  '1.0',
  '1e3',
  '.5',
  '12:30',
  '0x1F',
  'yes',
  'No',
  'null',
  '~',
  '???',
  '',
  'http://x/y:z',
  '-a',
  '--',
  '"q"',
  "'it''s'",
  '"a\\nb"',
  '"\\u00e9"',
  '[]',
  '{}',
  '[a, b]',
  '[1, [2, "c"]]',
  '{a: 1}',
  '{"a":1, b: [x]}',
  '[a b, c]',
  '[a]',
  '${x}',
  '["${x}"]',
  'é 😀',
  '\u00A0n\u00A0',
  "' '",
  '" # "',
  '[a#b, -1]',
)
const oddScalar = fc.constantFrom(
  '-',
  '?a',
  ':a',
  'a:',
  'a: b',
  '<<',
  '=',
  '"\\x41"',
  '"x',
  "'",
  '[a: b]',
  '{a}',
  '[a',
  '[a]b',
  '[a,]',
  '[a #b]',
  '{a:1}',
  '${',
  '&x 1',
  '*x',
  '!!str 1',
  '|',
  '>',
  '@',
  '`',
  '%',
  'a\tb',
  '---',
  '...',
  '# only',
  '{? a}',
  '[- b]',
  '{a: }',
  '[,]',
)
const scalar = fc.oneof({ weight: 25, arbitrary: plainScalar }, { weight: 1, arbitrary: oddScalar })
const key = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.constantFrom(
      'a',
      'b',
      'c d',
      'e',
      'f ',
      '1',
      '1.0',
      '"q"',
      "'s'",
      'a#b',
      '-k',
      'x:y',
      'n\u00A0',
      '\u3000w',
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom('yes', 'null', '<<', '? k', '[k]', '${k}', '- k', '&k k', '# k') },
)
const gap = fc.constantFrom(...Array<string>(12).fill(' '), '  ', '')
const trailer = fc.oneof(
  { weight: 12, arbitrary: fc.constant('') },
  { weight: 4, arbitrary: fc.constantFrom(' ', ' # c', '\n', '\n# c', '\n      # c') },
  { weight: 1, arbitrary: fc.constantFrom('# c', '\n      d') },
)

interface Lines {
  readonly lines: readonly string[]
  readonly scalar?: true
}

const { node, block } = fc.letrec<{ node: Lines; block: Lines; map: Lines; list: Lines }>((tie) => ({
  block: fc.oneof(tie('map'), tie('list')),
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    scalar.map((text) => ({ lines: [text], scalar: true as const })),
    tie('map'),
    tie('list'),
  ),
  map: fc
    .uniqueArray(fc.tuple(key, gap, tie('node'), fc.constantFrom(2, 2, 2, 2, 4, 1, 0), trailer), {
      minLength: 1,
      maxLength: 4,
      selector: ([name]) => name,
    })
    .map((pairs) => ({
      lines: pairs.flatMap(([name, space, value, indent, end]) =>
        placed(`${name}:`, space, value, indent, end),
      ),
    })),
  list: fc
    .array(fc.tuple(gap, tie('node'), fc.constantFrom(2, 2, 4, 1), trailer), { minLength: 1, maxLength: 4 })
    .map((items) => ({
      lines: items.flatMap(([space, value, indent, end]) => placed('-', space, value, indent, end)),
    })),
}))

function placed(
  head: string,
  space: string,
  { lines, scalar: inLine }: Lines,
  indent: number,
  end: string,
): string[] {
  const [first = '', ...rest] = lines
  if (inLine) return `${head}${space}${first}${end}`.split('\n')
  // A list item may begin on the line of its dash.
  const made =
    head === '-' && indent === 2
      ? [`- ${first}`, ...rest.map((line) => `  ${line}`)]
      : [head, ...lines.map((line) => ' '.repeat(indent) + line)]
  return [...made.slice(0, -1), ...`${made.at(-1) ?? ''}${end}`.split('\n')]
}

const written: Arbitrary<string> = fc
  .tuple(
    fc.oneof({ weight: 20, arbitrary: block }, { weight: 1, arbitrary: node }),
    fc.constantFrom('', '\n', '\n\n', '\n# end'),
    fc.constantFrom('', '', '', '# head\n', '---\n', '\n', '--- # x\n', '%YAML 1.1\n'),
  )
  .map(([{ lines }, end, head]) => head + lines.join('\n') + end)

/** Texts of block YAML, some with a character put in or taken away. */
export const blockYaml: Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: written },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        written,
        fc.nat(),
        fc.constantFrom(0, 1),
        fc.constantFrom('', ' ', '\n', ':', '#', "'", '"', '-', ',', '[', '}', '\t', '\r', '&'),
      )
      .map(([text, place, taken, put]) => {
        const at = text === '' ? 0 : place % text.length
        return text.slice(0, at) + put + text.slice(at + taken)
      }),
  },
)
