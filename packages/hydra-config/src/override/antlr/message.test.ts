import { describe, expect, test } from 'vitest'
import { parseOverride } from '../parse.ts'
import { antlrMessage } from './message.ts'

// As hydra-core 1.3.8 wrote them.
const messages: readonly (readonly [string, string])[] = [
  ['db', "Error parsing override 'db'\nmissing EQUAL at '<EOF>'"],
  ['++k.l', "Error parsing override '++k.l'\nmissing EQUAL at '<EOF>'"],
  [
    '/x=1',
    "Error parsing override '/x=1'\nextraneous input '/' expecting {EQUAL, '~', '+', '@', KEY_SPECIAL, DOT_PATH, ID}",
  ],
  ['a=b=c', "mismatched input '=' expecting <EOF>"],
  ['a=[1', "no viable alternative at input '[1'"],
  ['a={a:1', "no viable alternative at input '{a:1'"],
  ['a=[1,2', "no viable alternative at input '[1,2'"],
  ['a={a:b,c}', "no viable alternative at input '{a:b,c}'"],
  ['a=f(1', "no viable alternative at input 'f(1'"],
  ['a=f(x=)', "no viable alternative at input 'f(x=)'"],
  [
    'a=]',
    "Error parsing override 'a=]'\nextraneous input ']' expecting {<EOF>, ':', BRACKET_OPEN, BRACE_OPEN, FLOAT, INT, BOOL, NULL, UNQUOTED_CHAR, ID, ESC, WS, QUOTED_VALUE, INTERPOLATION}",
  ],
  ['a=b{c', "mismatched input '{' expecting <EOF>"],
  [
    'a=b,',
    "mismatched input '<EOF>' expecting {':', BRACKET_OPEN, BRACE_OPEN, FLOAT, INT, BOOL, NULL, UNQUOTED_CHAR, ID, ESC, WS, QUOTED_VALUE, INTERPOLATION}",
  ],
  ['~a@/', "no viable alternative at input '/'"],
  ['x@@y=1', "mismatched input '@' expecting EQUAL"],
  ['a/b/=1', "Error parsing override 'a/b/=1'\nmissing ID at '='"],
  ['a:b=1', "Error parsing override 'a:b=1'\nmissing EQUAL at ':'"],
  ['+', "mismatched input '<EOF>' expecting {EQUAL, '+', '@', KEY_SPECIAL, DOT_PATH, ID}"],
  ["a={'q':1}", "no viable alternative at input '{'q''"],
  ['a=[1 2}', "no viable alternative at input '[1 2}'"],
  ['a=f(a=b=c)', "no viable alternative at input 'f(a=b='"],
  ['a=${a:${b}}', "Error parsing override 'a=${a:${b}}'\nextraneous input '}' expecting <EOF>"],
  ['a=b]', "Error parsing override 'a=b]'\nextraneous input ']' expecting <EOF>"],
]

describe('what ANTLR says of an override that is none', () => {
  test.each(messages)('%s', (text, message) => {
    expect(antlrMessage(text)).toBe(message)
    expect(() => parseOverride(text)).toThrow(/at offset \d/)
  })

  test.each(['a=1', '~a', 'a/b@c=[1,{a: b}]', 'a=f(x=1,2)', 'a=', 'a= x y '])('nothing of %s', (text) => {
    expect(antlrMessage(text)).toBeUndefined()
  })
})
