import { Buffer } from 'node:buffer'
import canonicalize from 'canonicalize'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from './canonical-json.ts'
import { fingerprint, sameFingerprint } from './fingerprint.ts'

function print(contentType: string, body: string | Uint8Array, query = ''): Uint8Array {
  return fingerprint({ query, contentType, body: typeof body === 'string' ? Buffer.from(body) : body })
}

function same(contentType: string, a: string | Uint8Array, b: string | Uint8Array): boolean {
  return sameFingerprint(print(contentType, a), print(contentType, b))
}

const json = 'application/json'
const form = 'application/x-www-form-urlencoded'

describe('JSON', () => {
  test('is as RFC 8785 has it, where numbers and strings are written as it writes them', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), fc.nat(4), (value, indent) => {
        const parsed: unknown = JSON.parse(JSON.stringify(value))
        expect(canonicalJson(JSON.stringify(parsed, undefined, indent))).toBe(canonicalize(parsed))
      }),
      { numRuns: 2000 },
    )
  })

  test('is read where JSON.parse reads it, and nowhere else', () => {
    const scraps = fc.string({
      unit: fc.constantFrom(...'{}[]",:\\ -01.eE+tfn\u0000\u00a0ué'.split('')),
      maxLength: 12,
    })
    const text = fc.oneof(
      scraps,
      fc.constantFrom(
        'true',
        'nul',
        '1e5',
        '01',
        '.5',
        '1.',
        '-',
        '"\\u00e9"',
        '"\\x"',
        '{"a":1,}',
        '[1,]',
        '',
      ),
    )
    const agree = fc.check(
      fc.property(text, (value) => {
        let parsed = true
        try {
          JSON.parse(value)
        } catch {
          parsed = false
        }
        // What names a member twice is no JSON here.
        const twice = /"[^"]*"[^"]*"[^"]*"/.test(value)
        return twice || (canonicalJson(value) !== undefined) === parsed
      }),
      { numRuns: 20_000 },
    )
    expect({ failed: agree.failed, counterexample: agree.counterexample }).toEqual({
      failed: false,
      counterexample: null,
    })
  })

  test.each<[name: string, a: string, b: string, same: boolean]>([
    ['members in another order', '{"a":1,"b":[{"c":2,"d":3}]}', ' { "b" : [ {"d":3,"c":2} ],"a":1 } ', true],
    ['items in another order', '[1,2]', '[2,1]', false],
    ['integers beyond 2^53', '{"a":9007199254740992}', '{"a":9007199254740993}', false],
    ['a number written otherwise', '{"a":1.0}', '{"a":1}', false],
    ['a name written with an escape', '{"\\u0061":1}', '{"a":1}', true],
    ['members whose names differ in case', '{"a":1,"A":2}', '{"A":2,"a":1}', true],
    ['a member twice, the last as alone', '{"a":1,"a":2}', '{"a":2}', false],
    ['a member twice, in another order', '{"a":1,"a":2}', '{"a":2,"a":1}', false],
    ['__proto__', '{"__proto__":{"a":1}}', '{}', false],
    ['nothing and null', '', 'null', false],
    ['what is no JSON', '{a:1}', '{a: 1}', false],
  ])('%s', (_, a, b, expected) => {
    expect(same(json, a, b)).toBe(expected)
  })

  test.each(['a', '\\n'])('a text of 16 MiB (of %s) is read whole', (unit) => {
    const long = `"${unit.repeat((16 * 2 ** 20) / unit.length)}"`
    expect(canonicalJson(` {"b":${long},"a":1}`)?.length).toBe('{"a":1,"b":}'.length + long.length)
  })

  test('nested 100,000 deep counts by its bytes', () => {
    const deep = (within: string): string => `${'['.repeat(100_000)}${within}${']'.repeat(100_000)}`
    expect(same(json, deep('1'), deep('1'))).toBe(true)
    expect(same(json, deep('1'), deep('2'))).toBe(false)
    expect(same(json, deep('1'), deep(' 1'))).toBe(false)
  })

  test('members that are left out do not count', () => {
    const leftOut = new Map([['meta', new Map([['trace', true as const]])]])
    const of = (body: string): Uint8Array =>
      fingerprint({ query: '', contentType: json, body: Buffer.from(body) }, { leftOut })
    expect(of('{"a":1,"meta":{"trace":"x","b":2}}')).toEqual(of('{"a":1,"meta":{"b":2,"trace":"y"}}'))
    expect(of('{"a":1,"trace":"x"}')).not.toEqual(of('{"a":1,"trace":"y"}'))
  })
})

describe('a form', () => {
  test.each<[name: string, a: string, b: string, same: boolean]>([
    ['fields in another order', 'amount=5&currency=eur', 'currency=eur&amount=5', true],
    ['fields of one name in another order', 'a[]=1&a[]=2', 'a[]=2&a[]=1', false],
    ['written with and without escapes', 'a%5B0%5D=%78+y', 'a[0]=x%20y', true],
    ['no value and an empty one', 'a', 'a=', true],
    ['bytes that are no UTF-8', 'a=%ff', 'a=%fe', false],
    ['a sign that is escaped', 'a=1%262', 'a=1&2', false],
    ['UTF-8 with and without escapes', 'ü=ü', '%C3%BC=%C3%BC', true],
    ['UTF-8, and its bytes as characters', 'a=ü', 'a=%C3%83%C2%BC', false],
  ])('%s', (_, a, b, expected) => {
    expect(same(form, a, b)).toBe(expected)
  })
})

describe('a multipart form', () => {
  const multipart = (boundary: string, ...parts: readonly string[]): Buffer =>
    Buffer.from(
      `${parts.map((part) => `--${boundary}\r\n${part}\r\n`).join('')}--${boundary}--\r\n`,
      'latin1',
    )
  const field = (name: string, value: string): string =>
    `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`
  const print2 = (boundary: string, ...parts: readonly string[]): Uint8Array =>
    print(`multipart/form-data; boundary=${boundary}`, multipart(boundary, ...parts))

  test('its boundary does not count', () => {
    expect(print2('x', field('a', '1'), field('b', '2'))).toEqual(
      print2('yy', field('a', '1'), field('b', '2')),
    )
  })
  test('name, file name, type and content do', () => {
    const file = (name: string, type: string, content: string): string =>
      `Content-Disposition: form-data; name="f"; filename="${name}"\r\nContent-Type: ${type}\r\n\r\n${content}`
    const prints = [
      print2('x', file('a.png', 'image/png', '1')),
      print2('x', file('b.png', 'image/png', '1')),
      print2('x', file('a.png', 'image/gif', '1')),
      print2('x', file('a.png', 'image/png', '2')),
      print2('x', field('f', '1')),
      print2('x', field('g', '1')),
      print2('x'),
    ]
    expect(new Set(prints.map((each) => Buffer.from(each).toString('hex'))).size).toBe(prints.length)
  })
  test.each<[name: string, a: string, b: string, same: boolean]>([
    ['a name with and without quotes', 'name=a', 'name="a"', true],
    ['names without quotes', 'name=a', 'name=b', false],
    ['parameters in another order', 'name="a"; filename="x"', 'filename="x";name="a"', true],
    ['file names without quotes', 'name="a"; filename=x', 'name="a"; filename=y', false],
    ['file names of RFC 8187', `name="a"; filename*=UTF-8''x`, `name="a"; filename*=UTF-8''y`, false],
    ['a file without a name, and a field', 'name="a"; filename=""', 'name="a"', false],
    ['space around the sign', 'name = "a"', 'name="a"', true],
    ['a quoted semicolon', 'name="a; filename=x"', 'name="a"; filename="x"', false],
    ['a name twice', 'name="a"; name="b"', 'name="c"; name="b"', false],
    ['no name', 'filename="x"', 'filename="y"', false],
    ['a rest that cannot be read', 'name="a"; "b"', 'name="a"; "c"', false],
    [
      'a header twice',
      'name="a"\r\ncontent-type: a',
      'name="a"\r\ncontent-type: b\r\ncontent-type: a',
      false,
    ],
    ['another encoding', 'name="a"\r\nContent-Transfer-Encoding: base64', 'name="a"', false],
  ])('%s', (_, a, b, expected) => {
    const of = (disposition: string): Uint8Array =>
      print2('x', `Content-Disposition: form-data; ${disposition}\r\n\r\n1`)
    expect(sameFingerprint(of(a), of(b))).toBe(expected)
  })
  test('the boundary does not count either where a part is of no form that is known', () => {
    const odd = 'Content-Disposition: form-data; name="a"; filename="b"c"\r\n\r\n1'
    expect(print2('x', odd)).toEqual(print2('yy', odd))
    expect(print2('x', odd)).not.toEqual(print2('x', odd.replace('"c"', '"d"')))
  })
  test('a body that is cut short counts by its bytes', () => {
    const whole = multipart('x', field('a', '1'))
    for (let end = 0; end < whole.length - 2; end++) {
      expect(same('multipart/form-data; boundary=x', whole, whole.subarray(0, end))).toBe(false)
    }
  })
})

test('what is alike in one reading is not in another', () => {
  const body = '{"a":1}'
  const prints = [json, form, 'text/plain', ''].map((type) => Buffer.from(print(type, body)).toString('hex'))
  expect(new Set(prints).size).toBe(4)
  expect(print(form, '', `${form}=form`)).not.toEqual(print(form, `${form}=form`))
  expect(print('application/json; charset=utf-8', body)).toEqual(print('Application/JSON', body))
})

test('with a secret it is another one', () => {
  const content = { query: '', contentType: json, body: Buffer.from('1') }
  const prints = [undefined, Buffer.from('a'), Buffer.from('b')].map((secret) =>
    Buffer.from(fingerprint(content, secret === undefined ? {} : { secret })).toString('hex'),
  )
  expect(new Set(prints).size).toBe(3)
})
