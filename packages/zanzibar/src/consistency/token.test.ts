import { Buffer } from 'node:buffer'
import { assert, constantFrom, integer, maxSafeNat, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { isZanzibarError } from '../errors.ts'
import { tokensOf } from './token.ts'

const storage = Buffer.from('the identity of one storage.....')
const tokens = tokensOf(storage, '01HVMMBCMGZNT3SED4Z17ECXCA')

test('gives back the revision that it was made of', () => {
  assert(
    property(maxSafeNat(), (revision) => {
      const token = tokens.write(revision)
      const reader = tokensOf(storage, '01HVMMBCMGZNT3SED4Z17ECXCA')
      expect([tokens.read(token), reader.read(token)]).toEqual([revision, revision])
    }),
  )
})

test('another store’s token is told from one that was changed', () => {
  const another = tokensOf(storage, '01HVMMBCMGZNT3SED4Z17ECXCB').write(7)
  expect(codeOf(another)).toBe('token_of_another_store')
  expect(codeOf(tokensOf(Buffer.from('another storage'), '01HVMMBCMGZNT3SED4Z17ECXCA').write(7))).toBe(
    'token_of_another_store',
  )
})

test('no token that was changed is taken', () => {
  assert(
    property(
      maxSafeNat(),
      integer({ min: 0, max: 24 }),
      integer({ min: 1, max: 255 }),
      (revision, at, by) => {
        const bytes = Buffer.from(tokens.write(revision), 'base64url')
        bytes.writeUInt8(bytes.readUInt8(at) ^ by, at)
        expect(codeOf(bytes.toString('base64url'))).toMatch(/^token_(invalid|of_another_store)$/)
      },
    ),
  )
})

test('what is no token is invalid', () => {
  assert(
    property(constantFrom('', '__proto__', '\u0000', '🦊'), string(), (a, b) => {
      expect(codeOf(a + b)).toBe('token_invalid')
    }),
  )
})

test('a header that came twice is no token', () => {
  const header: unknown = [tokens.write(7), tokens.write(8)]
  expect(codeOf(header as string)).toBe('token_invalid')
})

function codeOf(token: string): string | undefined {
  try {
    tokens.read(token)
  } catch (error) {
    if (isZanzibarError(error)) return error.code
    throw error
  }
  return undefined
}
