import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isHydraConfigError } from '../errors.ts'
import { map, scalar } from '../value/value.ts'
import { argumentGrammar, parseElement } from './arguments.ts'
import { checkInterpolation } from './check.ts'
import { parseInterpolation } from './parse.ts'
import { resolveAll } from './resolve-all.ts'
import { splitKey } from './split-key.ts'

// What the grammar means something by.
const marks = [
  '${',
  '}',
  '{',
  '[',
  ']',
  ':',
  ',',
  '.',
  "'",
  '"',
  '\\',
  '\\\\',
  '$',
  ' ',
  '\t',
  '\n',
  '\\${',
  "\\'",
  '-',
  '+',
]
const words = [
  'a',
  'b1',
  'é',
  '\u{1f600}',
  '\ud800',
  '\0',
  '0x',
  '1',
  '1_0',
  '1.5',
  '1e5',
  'nan',
  'inf',
  'null',
  'true',
  '???',
]
const names = [
  '${a}',
  '${..a}',
  '${a:',
  '${oc.select:',
  '${oc.decode:',
  '${oc.create:',
  '__proto__',
  'constructor',
  '${__proto__}',
]
const pieces = fc.constantFrom(...marks, ...words, ...names)
const text = fc.oneof(
  fc.array(pieces, { maxLength: 24 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }).map((inner) => `\${${inner}}`),
)

test('any text is parsed, or refused with a typed error', () => {
  fc.assert(
    fc.property(text, (written) => {
      const parseText = (given: string): unknown => parseInterpolation(given, argumentGrammar)
      for (const parse of [parseText, parseElement, checkInterpolation]) {
        expect(typedOnly(() => parse(written))).toBe(true)
      }
    }),
    { numRuns: 20_000 },
  )
})

test('any text is resolved, or refused with a typed error that tells its place', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      const root = map([
        ['a', scalar(a)],
        ['b1', map([['__proto__', scalar(b)]])],
      ])
      expect(
        typedOnly(
          () => resolveAll(root),
          (path) => /^(?:a|b1)/.test(path),
        ),
      ).toBe(true)
    }),
    { numRuns: 5000 },
  )
})

describe('a text of a million characters takes no longer than its length lets expect', () => {
  // Each took quadratic time or longer in one regular expression or another: the test ends by its timeout then.
  test.each([
    ['spaces that lead nowhere (omegaconf#622)', '${', ' ', ''],
    ['spaces before what is no argument', '${a:b', ' ', 'é}'],
    ['spaces and commas', '${a:', 'b ,', 'é}'],
    ['dots', '${', 'a.', '['],
    ['digits', '${a:', '1_', '}'],
    ['exponents', '${a:', '1e', '}'],
    ['signs', '${a:', '+.', '}'],
    ['backslashes', '', '\\', '${a}'],
    ['escaped quotes', "${a:'", "\\'", ''],
    ['dollars', '${a:"', '$', '"}'],
    ['brackets', '${oc.select:"', '[', '"}'],
    ['brackets over lines', '${oc.select:"', '[\n', ']"}'],
    ['interpolations', '', '${a}', ''],
    ['calls', '', '${:a}', ''],
    ['elements', '${oc.create:[', '1,', ']}'],
    ['openings', '', '${a:', ''],
    ['maps', '', '${a:{', ''],
  ])('%s', (_, before, repeated, after) => {
    const long = before + repeated.repeat(Math.ceil(1_000_000 / repeated.length)) + after
    expect(typedOnly(() => checkInterpolation(long))).toBe(true)
    expect(
      typedOnly(() =>
        resolveAll(
          map([
            ['a', scalar('x')],
            ['b', scalar(long)],
          ]),
        ),
      ),
    ).toBe(true)
  })
})

test('a path is cut as the expressions of OmegaConf cut it', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'b', '.', '[', ']', '\n', ' '), maxLength: 14 }),
      (path) => {
        expect(splitKey(path)).toEqual(cutByExpressions(path))
      },
    ),
    { numRuns: 20_000 },
  )
})

/** As OmegaConf's documentation of `split_key` has it, by two regular expressions. */
function cutByExpressions(path: string): string[] {
  const head = /^\.*[^.[]*/.exec(path)?.[0] ?? ''
  const keys = head.split('.')
  if (head.length === path.length) return keys
  if (path[head.length] === '[' && keys.at(-1) === '') keys.pop()
  for (const [, dotted, bracketed] of path.slice(head.length).matchAll(/\.([^.[]*)|\[([^\n]*?)\]/g)) {
    keys.push(dotted || (bracketed ?? ''))
  }
  return keys
}

function typedOnly(call: () => unknown, isPlace: (path: string) => boolean = () => true): boolean {
  try {
    call()
    return true
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    return error.path === undefined || isPlace(error.path)
  }
}

// The columns at which OmegaConf's own parser tells them.
test.each([
  ['  )', 2],
  ['\t(', 1],
  ["  'x' )", 2],
  ['  =', 2],
  ['[  )', 3],
  ['{a:  )', 5],
  ['a  )', 3],
])('of %j the fault is behind the spaces, at %i', (written, offset) => {
  expect(() => parseElement(written)).toThrow(
    expect.objectContaining({ code: 'INTERPOLATION_PARSE', offset }),
  )
})
