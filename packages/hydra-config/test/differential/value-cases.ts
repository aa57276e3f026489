import fc, { type Arbitrary } from 'fast-check'

/** A question about values, as the port and the oracle take it. */
export type ValueCase =
  | { readonly op: 'yaml' | 'dump'; readonly text: string }
  | { readonly op: 'merge'; readonly texts: readonly string[] }
  | { readonly op: 'interpolate'; readonly text: string; readonly key: string }

const word = fc.constantFrom(
  '1',
  '-5',
  '1.0',
  '1e3',
  '1_0',
  '0x1F',
  '017',
  '08',
  '12:30',
  '.5',
  '1.',
  'yes',
  'No',
  'y',
  'null',
  '~',
  '',
  'a',
  'b c',
  '"q"',
  "'it''s'",
  '"a\\nb"',
  '"\\u00e9"',
  '???',
  '2001-01-01',
  '.inf',
  '.nan',
  '<<',
  '=',
  'a#b',
  'é',
  '"1"',
  '!!str 1',
  '!!int "3"',
  '!!float 1',
  '!!binary aGk=',
  '! 5',
  '*x',
  '&x 1',
  '|',
  '>-',
  '# c',
  '%',
  '@',
  '- 1',
  'a: b',
  '? a',
  '[a, b]',
  '{a: 1}',
  '[a: b]',
  '{a}',
  '[,]',
  '[a',
  '}',
  '\t',
  '--- a',
  '...',
  '.5e3',
  '0b',
)
const number = fc.string({
  unit: fc.constantFrom(...Array.from('0123456789eE+-._:xob')),
  minLength: 1,
  maxLength: 8,
})
const item = fc.oneof({ arbitrary: word, weight: 4 }, number)

const { block } = fc.letrec<{ block: string }>((tie) => ({
  block: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    item,
    fc.array(tie('block'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc
      .array(fc.tuple(item, tie('block')), { maxLength: 3 })
      .map((pairs) => `{${pairs.map(joined).join(', ')}}`),
    fc
      .array(tie('block'), { minLength: 1, maxLength: 3 })
      .map((items) => items.map((each) => under('-', each)).join('')),
    fc
      .array(fc.tuple(item, tie('block')), { minLength: 1, maxLength: 3 })
      .map((pairs) => pairs.map(([key, value]) => under(`${key}:`, value)).join('')),
  ),
}))

function joined([key, value]: readonly [string, string]): string {
  return `${key}: ${value}`
}

function under(head: string, body: string): string {
  return body.endsWith('\n') ? `${head}\n${body.replace(/^/gm, '  ').trimEnd()}\n` : `${head} ${body}\n`
}

const document = fc.oneof(
  block,
  fc
    .tuple(
      block,
      fc.nat(),
      fc.constantFrom('\n', ' ', ':', '-', '\t', '"', '[', '}', '&', '!', '|', '#', '\\'),
    )
    .map(([text, at, character]) => {
      const index = text === '' ? 0 : at % text.length
      return text.slice(0, index) + character + text.slice(index)
    }),
)

const path = fc.constantFrom(
  'a',
  'b',
  'd.e',
  'l',
  'l[0]',
  'l.1',
  'm',
  '.a',
  '..a',
  'd[e]',
  'a.b',
  'zz',
  'i',
  '${n}',
  'd',
)
const argument = fc.constantFrom(
  'a',
  '1',
  '1.5',
  'null',
  'b c',
  '"q"',
  "'s ${a}'",
  'd',
  '[1, ${b}]',
  '{x: 1}',
  '???',
  '',
)
const resolver = fc.constantFrom(
  'oc.env',
  'oc.decode',
  'oc.create',
  'oc.select',
  'oc.dict.keys',
  'oc.dict.values',
  'no',
)
const interpolation = fc.oneof(
  path.map((each) => `\${${each}}`),
  fc
    .tuple(resolver, fc.array(argument, { maxLength: 2 }))
    .map(([name, args]) => `\${${name}:${args.join(',')}}`),
)
const text = fc
  .array(
    fc.oneof(interpolation, fc.constantFrom('x ', '\\', '\\\\', '$', '\\${a}', '{', '}', '"', '.', '${')),
    {
      minLength: 1,
      maxLength: 3,
    },
  )
  .map((parts) => JSON.stringify(parts.join('')))
const held = fc.oneof(
  { arbitrary: text, weight: 3 },
  fc.constantFrom('1', '1.0', 'null', '"s"', '"???"', '"a"'),
)

export const yamlCase: Arbitrary<ValueCase> = document.map((each) => ({ op: 'yaml', text: each }))

export const dumpCase: Arbitrary<ValueCase> = fc
  .array(fc.string({ unit: 'grapheme', maxLength: 200 }), { maxLength: 3 })
  .map((texts) => ({ op: 'dump', text: JSON.stringify({ k: texts }).replaceAll('${', '$ {') }))

export const interpolateCase: Arbitrary<ValueCase> = fc
  .tuple(held, held, held, held, held, fc.constantFrom('a', 'b', 'd', 'd.e', 'l', 'l[0]', 'i', 'zz', 'l.x'))
  .map(([a, b, e, first, i, key]) => ({
    op: 'interpolate',
    text: `a: ${a}\nb: ${b}\nd: {e: ${e}}\nl: [${first}, "c"]\nm: "???"\nn: e\ni: ${i}\n`,
    key,
  }))

const { mergeable } = fc.letrec<{ mergeable: string }>((tie) => ({
  mergeable: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom('1', '"x"', 'null', '"???"', '"${a}"', '"${b.c}"', '"${..a}"', '[1]', '{}'),
    fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('mergeable')).map(flowMap),
  ),
}))

function flowMap(entries: Readonly<Record<string, string>>): string {
  return `{${Object.entries(entries).map(joined).join(', ')}}`
}

export const mergeCase: Arbitrary<ValueCase> = fc
  .array(fc.dictionary(fc.constantFrom('a', 'b', 'c'), mergeable).map(flowMap), {
    minLength: 2,
    maxLength: 3,
  })
  .map((texts) => ({ op: 'merge', texts }))
