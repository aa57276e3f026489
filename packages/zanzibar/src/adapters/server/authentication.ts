import { createHash, timingSafeEqual } from 'node:crypto'
import { ZanzibarError } from '../../errors.ts'

/** Looks whether a request may be answered. */
export interface Authenticator {
  /**
   * `token` is what the header `Authorization` has after `Bearer`, undefined where it has none.
   *
   * @throws ZanzibarError with a number from 1000 to 1999
   */
  authenticate(token: string | undefined): void | Promise<void>
}

/**
 * Takes any of these keys as a bearer token. Whether one fits takes the same time whichever it is, and however much of it
 * is right: digests are compared, all of them.
 *
 * @throws ZanzibarError `invalid_option` for no keys, or an empty one
 */
export function presharedKeys(keys: readonly string[]): Authenticator {
  if (keys.length === 0 || keys.includes('')) {
    throw new ZanzibarError('invalid_option', 'keys must name one key or more, none of them empty')
  }
  const digests = keys.map(digestOf)
  return {
    authenticate: (token) => {
      if (token === undefined) throw bearerTokenMissing()
      const given = digestOf(token)
      let fits = false
      for (const digest of digests) if (timingSafeEqual(digest, given)) fits = true
      if (!fits) throw new ZanzibarError('unauthenticated', 'unauthenticated')
    },
  }
}

export function bearerTokenMissing(): ZanzibarError {
  return new ZanzibarError('bearer_token_missing', 'missing bearer token')
}

/** Of the header `Authorization`. */
export function bearerToken(header: string | undefined): string | undefined {
  return header === undefined ? undefined : /^bearer ([^ ]+)$/i.exec(header)?.[1]
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
