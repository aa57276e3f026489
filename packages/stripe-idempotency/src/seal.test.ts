import { Buffer } from 'node:buffer'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isIdempotencyError } from './errors.ts'
import { realRandom } from './ports.ts'
import { placeOf, type Secret, sealerOf } from './seal.ts'

const old: Secret = { id: '2025', value: 'an old secret of many bytes' }
const fresh: Secret = { id: '2026', value: 'a new secret of many bytes' }
const sealer = (...secrets: Secret[]): ReturnType<typeof sealerOf> => sealerOf(secrets, realRandom)

// What delimiters and lengths are made of, so that confusions are likely.
const confusable = fc.string({
  unit: fc.constantFrom('1', '2', ':', '/', ' ', '\0', 'a', 'é', '💰'),
  maxLength: 6,
})
const bytes = fc.uint8Array({ maxLength: 200 })

function codeOf(open: () => unknown): unknown {
  try {
    return open()
  } catch (error) {
    return isIdempotencyError(error) ? error.code : error
  }
}

describe('names of keys', () => {
  test.each([
    ['without a secret', sealer()],
    ['with a secret', sealer(old)],
  ])('no two scopes and keys have one name, however they are cut, %s', (_, { keyOf }) => {
    fc.assert(
      fc.property(confusable, confusable, fc.nat(12), ([...scope], [...key], cut) => {
        const whole = [...scope, ...key]
        const at = Math.min(cut, whole.length)
        const same = at === scope.length
        const [one, other] = [
          keyOf(scope.join(''), key.join('')),
          keyOf(whole.slice(0, at).join(''), whole.slice(at).join('')),
        ]
        expect(one === other).toBe(same)
      }),
      { numRuns: 1000 },
    )
    expect(keyOf('a', '1:b')).not.toBe(keyOf('a1:', 'b'))
    expect(keyOf('1:a', 'b')).not.toBe(keyOf('1', ':ab'))
  })

  test('a name tells nothing of its key to those who have not the secret', () => {
    expect(sealer(old).keyOf('a', 'k')).not.toBe(sealer(fresh).keyOf('a', 'k'))
    expect(sealer(old).keyOf('a', 'k')).not.toBe(sealer().keyOf('a', 'k'))
  })
})

describe('marks of fingerprints', () => {
  const print = Buffer.alloc(32, 7)

  test('are the fingerprints themselves without a secret', () => {
    expect(sealer().markOf(print, 'a', 'k')).toBe(print)
  })

  test('are of one key of one scope, and of the secret that names keys', () => {
    const marks = [
      sealer(old).markOf(print, 'a', 'k'),
      sealer(old).markOf(print, 'a', 'l'),
      sealer(old).markOf(print, 'b', 'k'),
      sealer(old).markOf(Buffer.alloc(32, 8), 'a', 'k'),
      sealer(fresh).markOf(print, 'a', 'k'),
      print,
    ].map((mark) => Buffer.from(mark).toString('hex'))
    expect(new Set(marks).size).toBe(marks.length)
    expect(sealer(fresh, old).markOf(print, 'a', 'k')).toEqual(sealer(old).markOf(print, 'a', 'k'))
  })
})

describe('sealed contents', () => {
  const place = placeOf({ scope: 'acct_1', key: 'name', id: '1' }, 'answer')

  test('open as they were, and say nothing in clear', () => {
    fc.assert(
      fc.property(bytes, (content) => {
        for (const each of [sealer(), sealer(old)]) {
          expect(Buffer.from(each.open(each.seal(content, place), place))).toEqual(Buffer.from(content))
        }
        const sealed = Buffer.from(sealer(old).seal(content, place))
        if (content.length > 8) expect(sealed.includes(Buffer.from(content))).toBe(false)
      }),
    )
  })

  test('any flipped bit is found, the first byte included', () => {
    const own = sealer(old)
    const sealed = own.seal(Buffer.from('{"amount":5}'), place)
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const altered = Buffer.from(sealed)
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(codeOf(() => own.open(altered, place))).toBe('record_corrupt')
    }
  })

  test('what is cut short or no sealed content at all is found', () => {
    const own = sealer(old)
    const sealed = own.seal(Buffer.from('{"amount":5}'), place)
    for (let length = 0; length < sealed.length; length++) {
      expect(codeOf(() => own.open(sealed.subarray(0, length), place))).toBe('record_corrupt')
    }
    fc.assert(
      fc.property(bytes, (any) => {
        expect(codeOf(() => own.open(any, place))).toBe('record_corrupt')
      }),
    )
    expect(codeOf(() => own.open(sealer().seal(Buffer.from('forged'), place), place))).toBe('record_corrupt')
    expect(codeOf(() => sealer().open(new Uint8Array(), place))).toBe('record_corrupt')
  })

  test('open nowhere but in their place', () => {
    const own = sealer(old)
    const sealed = own.seal(Buffer.from('{"amount":5}'), place)
    for (const other of [
      { scope: 'acct_2', key: 'name', id: '1' },
      { scope: 'acct_1', key: 'name2', id: '1' },
      { scope: 'e acct_1', key: 'nam', id: '1' },
      { scope: 'acct_1', key: 'name', id: '2' },
    ]) {
      expect(codeOf(() => own.open(sealed, placeOf(other, 'answer')))).toBe('record_corrupt')
    }
    const itself = { scope: 'acct_1', key: 'name', id: '1' }
    for (const part of ['input', 'output answer', 'output '] as const) {
      expect(codeOf(() => own.open(sealed, placeOf(itself, part)))).toBe('record_corrupt')
    }
    expect(own.open(sealed, placeOf(itself, 'answer'))).toEqual(Buffer.from('{"amount":5}'))
  })
})

describe('secrets that change', () => {
  const place = placeOf({ scope: 'acct_1', key: 'name', id: '1' }, 'answer')
  const content = Buffer.from('{"amount":5}')

  test('with the new one in front keys keep their names, and what the old one sealed opens', () => {
    const [before, after] = [sealer(old), sealer(fresh, old)]
    expect(after.keyOf('acct_1', 'k')).toBe(before.keyOf('acct_1', 'k'))
    expect(after.open(before.seal(content, place), place)).toEqual(content)
  })

  test('the new one seals from then on: who has only the old one cannot read it', () => {
    const sealed = sealer(fresh, old).seal(content, place)
    expect(sealer(fresh).open(sealed, place)).toEqual(content)
    expect(codeOf(() => sealer(old).open(sealed, place))).toBe('record_corrupt')
  })

  test('what was sealed by one that is gone is an error that names it', () => {
    const sealed = sealer(old).seal(content, place)
    expect(() => sealer(fresh).open(sealed, place)).toThrow('"2025"')
  })

  test('of two with one id and other bytes none opens what the other sealed', () => {
    const sealed = sealer(old).seal(content, place)
    const impostor = sealer({ id: old.id, value: fresh.value })
    expect(codeOf(() => impostor.open(sealed, place))).toBe('record_corrupt')
  })
})
