import type { Exchanged } from '../http/exchange.ts'
import type { HeaderLines, LiveResponse } from '../http/message.ts'

/** Headers that say what a body is: where the answer has none of them, neither have others a say. */
const ofBody: ReadonlySet<string> = new Set([
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'etag',
  'last-modified',
  'transfer-encoding',
])

/**
 * What is sent: an answer that was not written now, but kept or refused, has the headers as well that stood on the response
 * before, of CORS, of a session, of limits. Its own come first.
 *
 * @param front names in lower case
 */
export function withFront({ outcome, response }: Exchanged, front: HeaderLines): LiveResponse {
  if (outcome === 'executed' || outcome === 'passed') return response
  const own = new Set(response.headers.map(([name]) => name))
  const theirs = front.filter(([name]) => !own.has(name) && !ofBody.has(name))
  return { ...response, headers: [...theirs, ...response.headers] }
}
