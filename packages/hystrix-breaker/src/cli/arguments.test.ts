import { expect, test } from 'vitest'
import { columnsOf, headersOf, listenAddressOf, plain } from './arguments.ts'

test.each([
  ['users', 'users'],
  ['Zahlung é 支払い 🚀 a/b:c', 'Zahlung é 支払い 🚀 a/b:c'],
  ['', ''],
  ['a"b', String.raw`"a\"b"`],
  ['a\u001b[31m', String.raw`"a\u001b[31m"`],
  ['\r\n\t', String.raw`"\r\n\t"`],
  ['\u202Ereversed', String.raw`"\u202ereversed"`],
  ['\u0000\u0085\u2028', String.raw`"\u0000\u0085\u2028"`],
  ['\uD800', String.raw`"\ud800"`],
  ['\u{E0001}', String.raw`"\udb40\udc01"`],
])('a name is printed so that it cannot act: %j', (name, printed) => {
  expect(plain(name)).toBe(printed)
  if (printed.startsWith('"')) expect(JSON.parse(printed)).toBe(name)
})

test.each([
  [':80', '127.0.0.1', 80],
  ['80', '127.0.0.1', 80],
  ['0.0.0.0:0', '0.0.0.0', 0],
  ['[::1]:8080', '::1', 8080],
  ['localhost:1', 'localhost', 1],
])('%s is an address', (text, host, port) => {
  expect(listenAddressOf('--listen', text)).toEqual({ host, port })
})

test('headers are read as curl has them', () => {
  expect(headersOf(['Authorization: Bearer a:b', 'X-Empty:'])).toEqual({
    Authorization: 'Bearer a:b',
    'X-Empty': '',
  })
  for (const line of ['', 'a', ': b', 'a b: c', 'A: b\nC: d'])
    expect(() => headersOf([line])).toThrow(/--header/)
})

test('columns are as wide as they must be, numbers to the right', () => {
  expect(
    columnsOf([
      ['NAME', 'N'],
      ['é🚀', 1],
      ['b', 100],
    ]),
  ).toEqual(['NAME    N', 'é🚀      1', 'b     100'])
})
