import { isHydraConfigError, parseYaml, type ResolveOptions } from '@loadbearing/hydra-config'
import fc, { type Arbitrary } from 'fast-check'
import { Resolution } from '../../src/interpolation/resolve.ts'
import { withWholeResolution } from '../../src/interpolation/whole.ts'
import { Place } from '../../src/value/place.ts'
import { tagValue } from '../conformance/tag-value.ts'
import type { Answer } from './answers.ts'

/** A configuration whose interpolations call resolvers of the user, resolved as a whole. */
export interface ResolverCase {
  readonly text: string
  /** `container` for `OmegaConf.to_container(resolve=True)`, `resolve` for `OmegaConf.resolve`. */
  readonly how: 'container' | 'resolve'
}

const path = fc.constantFrom(
  'a',
  'b',
  'c',
  'd',
  'd.e',
  'l',
  'l[0]',
  'l.1',
  '.e',
  '..b',
  'n',
  'm',
  'zz',
  'd.${n}',
)
const plain = fc.constantFrom(
  '1',
  '-2',
  '1.5',
  'true',
  'null',
  'x',
  'x y',
  '"q"',
  "'it ''s'",
  '',
  ' z ',
  'a.b',
  '\\,',
  '1:2',
)
const name = fc.constantFrom(
  'count',
  'once',
  'show',
  'made',
  'pick',
  'oc.select',
  'oc.decode',
  'oc.create',
  'oc.dict.values',
  'my.${n}',
)

const { interpolation } = fc.letrec<{ interpolation: string; element: string }>((tie) => ({
  interpolation: fc.oneof(
    { depthSize: 'small' },
    path.map((each) => `\${${each}}`),
    fc
      .tuple(name, fc.array(tie('element'), { maxLength: 2 }), fc.constantFrom(',', ', ', ' ,'))
      .map(([called, args, comma]) => `\${${called}:${args.join(comma)}}`),
  ),
  element: fc.oneof(
    { depthSize: 'small' },
    { arbitrary: plain, weight: 2 },
    tie('interpolation'),
    tie('interpolation').map((each) => `'<${each.replaceAll("'", '')}>'`),
    fc.array(tie('element'), { maxLength: 2 }).map((items) => `[${items.join(',')}]`),
    fc.tuple(fc.constantFrom('k', '1', 'k l'), tie('element')).map(([key, item]) => `{${key}: ${item}}`),
  ),
}))
const held = fc.oneof(
  { arbitrary: interpolation, weight: 3 },
  fc.tuple(interpolation, fc.constantFrom(' ', '', '-'), interpolation).map((parts) => parts.join('')),
  fc.constantFrom('v', 'e', '???', '[1, x]'),
)

export const resolverCase: Arbitrary<ResolverCase> = fc
  .tuple(fc.tuple(held, held, held, held, held), fc.constantFrom('container', 'resolve'))
  .map(([texts, how]) => {
    const [a, b, c, e, first] = texts.map((each) => JSON.stringify(each))
    return { how, text: `a: ${a}\nb: ${b}\nc: ${c}\nd: {e: ${e}, f: 1}\nl: [${first}, 2]\nn: e\nm: "???"\n` }
  })

/** Our answer, with the same resolvers as the oracle's. */
export function ourResolved({ text, how }: ResolverCase): Answer {
  let counted = 0
  const resolvers: ResolveOptions['resolvers'] = {
    count: () => ++counted,
    once: { resolve: () => ++counted, useCache: true },
    show: (...args: unknown[]) => JSON.stringify(args.slice(0, -1)),
    made: () => ({ e: [1, '${a}'] }),
    pick: (...args: unknown[]) => (typeof args[0] === 'string' ? args[0] : 'none'),
    'my.e': () => 'my',
  }
  try {
    const root = new Place(parseYaml(text))
    const resolution = new Resolution(withWholeResolution({ resolvers }))
    return { ok: { value: tagValue(how === 'resolve' ? resolution.all(root) : resolution.content(root)) } }
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    return { error: { class: error.class } }
  }
}
