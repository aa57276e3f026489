import { assert, property, string } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isHydraConfigError } from '../errors.ts'
import { parseOverride } from './parse.ts'

function refusal(text: string): { offset: number | undefined; class: string | undefined } {
  try {
    parseOverride(text)
  } catch (error) {
    if (isHydraConfigError(error)) return { offset: error.offset, class: error.class }
    throw error
  }
  throw new Error(`${text} was parsed`)
}

describe('parseOverride', () => {
  test.each([
    ['db=mysql', 'CHANGE', 'db', 'mysql'],
    ['+db.port=3306', 'ADD', 'db.port', 3306n],
    ['++a.0=1.0', 'FORCE_ADD', 'a.0', 1],
    ['~db', 'DEL', 'db', null],
    ['key=', 'CHANGE', 'key', ''],
    ['a=12:30', 'CHANGE', 'a', '12:30'],
    ['a=007', 'CHANGE', 'a', '007'],
    ['a=info', 'CHANGE', 'a', 'info'],
    ['a=x\\,y', 'CHANGE', 'a', 'x,y'],
    ['a=int(3.9)', 'CHANGE', 'a', 3n],
    ['a=str(10.0)', 'CHANGE', 'a', '10.0'],
  ] as const)('%s', (text, type, key, value) => {
    expect(parseOverride(text)).toMatchObject({ text, type, key, value })
  })

  test('a quoted string stays a string, and only backslashes before a quote are escapes', () => {
    expect(parseOverride(String.raw`a='1\n\'x\\'`).value).toEqual({
      kind: 'quoted',
      quote: "'",
      text: String.raw`1\n'x` + '\\',
    })
  })

  test.each([
    ['a=b=c', 3],
    ['a=~/x', 2],
    ['a=é', 2],
    ['a[0]=1', 1],
    ['😀=1', 0],
    ["a='😀'~", 5],
  ])('%s is refused at %i', (text, offset) => {
    expect(refusal(text)).toEqual({ offset, class: 'OverrideParseException' })
  })

  test('nesting has a limit', () => {
    expect(refusal(`a=${'['.repeat(100_000)}`).class).toBe('OverrideParseException')
  })

  test('any text is parsed or refused, never anything else', () => {
    assert(
      property(string({ unit: 'binary' }), (text) => {
        try {
          parseOverride(`a=${text}`)
        } catch (error) {
          if (!isHydraConfigError(error)) throw error
        }
      }),
    )
  })

  test('__proto__ is a key like any other', () => {
    expect(parseOverride('a={__proto__:1}').value).toEqual({ kind: 'dict', pairs: [['__proto__', 1n]] })
  })

  test('casts read the digits and blanks of any script, as Python does', () => {
    expect(parseOverride("a=int('\u2003١٢\x1f')").value).toBe(12n)
    expect(parseOverride("a=float('𝟛.𝟝')").value).toBe(3.5)
    expect(refusal("a=int('\uFEFF1')").class).toBe('OverrideParseException')
  })
})
