import { Buffer } from 'node:buffer'
import type { Token } from './consistency/token.ts'
import { ZanzibarError } from './errors.ts'
import type { ObjectPage } from './zanzibar.ts'

/** Where the next page of a list begins: the moment of all its pages, and the last that was given. */
function cursorOf(moment: Token, last: string): string {
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

/** @throws ZanzibarError `invalid_option` */
export function checkLimit(limit: number): void {
  if (Number.isSafeInteger(limit) && limit >= 1) return
  throw new ZanzibarError(
    'invalid_option',
    `limit must be a whole number of objects, 1 or more, not ${limit}`,
  )
}

/** What comes after `last` of a list of the moment of `token`. */
export function pageOf(
  sorted: readonly string[],
  {
    last,
    limit,
    token,
  }: { readonly last: string | undefined; readonly limit: number; readonly token: Token },
): ObjectPage {
  const from = last === undefined ? 0 : firstAfter(sorted, last)
  const objects = sorted.slice(from, from + limit)
  const end = objects.at(-1)
  const isMore = from + limit < sorted.length && end !== undefined
  return { objects, next: isMore ? cursorOf(token, end) : undefined, token }
}

/** The place of the first that comes after `last`. */
function firstAfter(sorted: readonly string[], last: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? '') <= last) low = middle + 1
    else high = middle
  }
  return low
}
