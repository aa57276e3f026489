import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { patternCase } from '../../../test/differential/pattern-cases.ts'
import { compilePattern } from './pattern.ts'

function matches(pattern: string, text: string): boolean {
  const compiled = compilePattern(pattern)
  if ('problem' in compiled) throw new Error(compiled.problem)
  return compiled.matches(text)
}

test.each([
  ['a+b', 'xaab', true],
  ['^a+$', 'aab', false],
  ['(?i)straße', 'STRAẞE', true],
  ['(?i)k', '\u212a', true],
  ['(?s)a.b', 'a\nb', true],
  ['a.b', 'a\nb', false],
  ['(?m)^b$', 'a\nb\nc', true],
  ['^b$', 'a\nb\nc', false],
  ['\\bfoo\\b', 'a foo!', true],
  ['\\p{Greek}\\P{L}', 'σ1', true],
  ['[[:^digit:]]', '12', false],
  ['^(?:ab){2,3}$', 'ababab', true],
  ['^(?:ab){2,3}$', 'abababab', false],
  ['^[^a]$', '𝒳', true],
  ['(a*)*$', 'b', true],
])('%s in %j: %s', (pattern, text, expected) => {
  expect(matches(pattern, text)).toBe(expected)
})

test.each([
  ['a**', 'invalid nested repetition operator: `**`'],
  ['(', 'missing closing ): `(`'],
  ['a)', 'unexpected ): `a)`'],
  ['[b-a]', 'invalid character class range: `b-a`'],
  ['a{1001}', 'invalid repeat count: `{1001}`'],
  ['(?:a{100}){11}', 'invalid repeat count: `{11}`'],
  ['\\1', 'invalid escape sequence: `\\1`'],
  ['(?=a)', 'invalid or unsupported Perl syntax: `(?=`'],
  ['*', 'missing argument to repetition operator: `*`'],
  ['*??', 'missing argument to repetition operator: `*?`'],
  ['(?i){2}?', 'missing argument to repetition operator: `{2}?`'],
  ['\\p{Nope}', 'invalid character class range: `\\p{Nope}`'],
  ['a\\', 'trailing backslash at end of expression: ``'],
])('%s is refused in the words of Go', (pattern, problem) => {
  expect(compilePattern(pattern)).toEqual({ problem: `error parsing regexp: ${problem}` })
})

describe('time is linear in the text', () => {
  // A backtracking engine takes 2^28 steps for the first, and more than there is time for the others.
  test.each([
    ['^(a+)+$', `${'a'.repeat(27)}b`],
    ['^(a+)+$', `${'a'.repeat(100_000)}b`],
    ['^(a|aa)+$', `${'a'.repeat(100_000)}b`],
    ['(x+x+)+y', 'x'.repeat(20_000)],
    ['^(?:.*){1,20}z', 'x'.repeat(2000)],
  ])('%s', (pattern, text) => {
    expect(matches(pattern, text)).toBe(false)
  })
})

test('agrees with the native engine where the two mean the same', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '^', '$', '\\b', '\\d', '\\w')
  const pattern = fc.letrec<{ pattern: string }>((tie) => ({
    pattern: fc.oneof(
      { maxDepth: 3 },
      atom,
      fc.tuple(tie('pattern'), tie('pattern')).map(([one, other]) => one + other),
      fc.tuple(tie('pattern'), tie('pattern')).map(([one, other]) => `(?:${one}|${other})`),
      fc
        .tuple(tie('pattern'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}'))
        .map(([inner, repeat]) => `(?:${inner})${repeat}`),
    ),
  })).pattern
  const text = fc
    .array(fc.constantFrom('a', 'b', '1', ' ', '\n'), { maxLength: 8 })
    .map((characters) => characters.join(''))
  fc.assert(
    fc.property(pattern, text, (source, given) => {
      expect(matches(source, given)).toBe(new RegExp(source, 'u').test(given))
    }),
    { numRuns: 500 },
  )
})

test('whatever the pattern, the answer is one or a problem', () => {
  const anything = fc
    .array(fc.oneof(fc.nat({ max: 0x7f }), fc.nat({ max: 0x10ffff })), { maxLength: 10 })
    .map((codePoints) => String.fromCodePoint(...codePoints))
  fc.assert(
    fc.property(patternCase, anything, ({ pattern, text }, noise) => {
      for (const source of [pattern, noise, pattern + noise]) {
        const compiled = compilePattern(source)
        expect('problem' in compiled || typeof compiled.matches(text) === 'boolean').toBe(true)
      }
    }),
  )
})
