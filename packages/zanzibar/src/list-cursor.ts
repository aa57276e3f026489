import { Buffer } from 'node:buffer'
import type { Token } from './consistency/token.ts'
import { ZanzibarError } from './errors.ts'

/** Where the next page of a list begins: the moment of all its pages, and the last that was given. */
export function cursorOf(moment: Token, last: string): string {
  return `${moment}.${Buffer.from(last).toString('base64url')}`
}

/** @throws ZanzibarError `invalid_continuation_token` */
export function cursorParts(after: string): [token: Token, last: string] {
  const [token = '', last, ...rest] = after.split('.')
  if (last === undefined || rest.length > 0) {
    throw new ZanzibarError(
      'invalid_continuation_token',
      'after is none that a page of this list answered with',
    )
  }
  return [token, Buffer.from(last, 'base64url').toString()]
}

/** The place of the first that comes after `last`. */
export function firstAfter(sorted: readonly string[], last: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? '') <= last) low = middle + 1
    else high = middle
  }
  return low
}
