import { Buffer } from 'node:buffer'
import type { Token } from './consistency/token.ts'
import { ZanzibarError } from './errors.ts'
import { checkText } from './given-kinds.ts'
import { cryptography } from './ports.ts'
import type { ObjectPage } from './zanzibar.ts'

/** Where the next page of a list begins. */
interface Cursor {
  /** The moment of all its pages. */
  readonly token: Token
  /** All that makes the list, as text. */
  readonly question: string
  /** The last that was given. */
  readonly last: string
}

function written({ token, question, last }: Cursor): string {
  return `${token}.${digest(question)}.${Buffer.from(last).toString('base64url')}`
}

/** @throws ZanzibarError `invalid_continuation_token` */
export function readCursor(after: string, question: string): Cursor {
  checkText('after', after)
  const [token = '', asked, last, ...rest] = after.split('.')
  if (asked === undefined || last === undefined || rest.length > 0) {
    throw new ZanzibarError(
      'invalid_continuation_token',
      'after is none that a page of this list answered with',
    )
  }
  if (asked !== digest(question)) {
    throw new ZanzibarError(
      'invalid_continuation_token',
      'after is of another list: give it with the user, relation, type, context, contextual tuples and model of the page that answered with it',
    )
  }
  return { token, question, last: Buffer.from(last, 'base64url').toString() }
}

function digest(question: string): string {
  return cryptography().createHash('sha256').update(question).digest('base64url').slice(0, 16)
}

/** What comes after `last` of the list of a question, at the moment of `token`. */
export function pageOf(
  sorted: readonly string[],
  {
    last,
    limit,
    token,
    question,
  }: Omit<Cursor, 'last'> & { readonly last: string | undefined; readonly limit: number },
): ObjectPage {
  const from = last === undefined ? 0 : firstAfter(sorted, last)
  const objects = sorted.slice(from, from + limit)
  const end = objects.at(-1)
  const isMore = from + limit < sorted.length && end !== undefined
  return { objects, next: isMore ? written({ token, question, last: end }) : undefined, token }
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
