import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  hasForbiddenCharacters,
  isTypedWildcard,
  isValidObject,
  isValidRelation,
  isValidUser,
  isValidUserset,
  splitObject,
  splitUser,
} from './object.ts'

// The same rules as regular expressions, written from the words of the specification (3.1).
const name = '[^:#\\s\\p{Cc}]'
const object = new RegExp(`^${name}+:${name}+$`, 'u')
const userset = /^[^:#\s\p{Cc}]+:[^:#*\s\p{Cc}]+#[^:#*\s\p{Cc}]+$/u
const relation = /^[^:#@\s\p{Cc}]+$/u
const user = new RegExp(`${object.source}|${userset.source}|^${name}+$`, 'u')

describe('identifiers', () => {
  // No other white space than the space: all of the rest that OpenFGA refuses are control characters.
  const text = fc.string({
    unit: fc.constantFrom(':', '#', '*', '@', ' ', 'a', 'é', '😀', '\t', '\u0085', '|'),
  })

  it('agree with the rules as they are written', () => {
    fc.assert(
      fc.property(text, (each) => {
        expect(isValidObject(each)).toBe(object.test(each))
        expect(isValidUserset(each)).toBe(userset.test(each))
        expect(isValidRelation(each)).toBe(relation.test(each))
        expect(isValidUser(each)).toBe(user.test(each))
      }),
      { numRuns: 5000 },
    )
  })

  it.each([
    ['type:id', true],
    ['type:*', true],
    ['a@b:c@d', true],
    ['user:\u00a0', true],
    ['user:e\u0301', true],
    [':id', false],
    ['type:', false],
    ['type', false],
    ['', false],
    ['type:a:b', false],
    ['type:a#b', false],
    ['ty pe:a', false],
    ['type:\u007f', false],
    ['type:\u009f', false],
    ['type:\0', false],
    ['type:\ud800', false],
    ['type:\udc00\ud800', false],
  ])('%j is an object: %s', (each, valid) => {
    expect(isValidObject(each)).toBe(valid)
  })

  it.each([
    ['group:org-iam#member', true],
    ['group:1#a@b', true],
    ['g*:1#m', true],
    ['group:*#member', false],
    ['group:1#*', false],
    ['group:1#', false],
    ['group:#member', false],
    ['group:1#a#b', false],
    ['group#member:1', false],
    ['group:1#a:b', false],
    ['group#member', false],
  ])('%j is a userset: %s', (each, valid) => {
    expect(isValidUserset(each)).toBe(valid)
  })

  it('splits an object at its first colon and a user at its last hash', () => {
    expect(splitObject('a:b:c')).toEqual({ type: 'a', id: 'b:c' })
    expect(splitObject('anne')).toEqual({ type: '', id: 'anne' })
    expect(splitUser('g:1#a#b')).toEqual({ object: 'g:1#a', relation: 'b' })
    expect(splitUser('g:1#')).toEqual({ object: 'g:1', relation: '' })
    expect(splitUser('g:1')).toEqual({ object: 'g:1', relation: '' })
  })

  it('knows typed wildcards', () => {
    expect(['user:*', '*', ':*', 'user:**', 'user:a*'].map(isTypedWildcard)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
  })

  it('finds what no text may hold', () => {
    expect(['a\n', '\u0080', '\ud83d', 'é😀 ​'].map(hasForbiddenCharacters)).toEqual([true, true, true, false])
  })

  it('reads a text of ten million characters', () => {
    expect(isValidUser(`${'a'.repeat(10_000_000)}:#`)).toBe(false)
  })
})
