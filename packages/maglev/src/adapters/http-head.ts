import { filterFields, type HeaderList, listed, valuesOf } from './http-hop.ts'

/** The head of a request as it arrived. */
export interface ReceivedHead {
  readonly method: string
  /** Request target. */
  readonly url: string
  readonly httpVersion: string
  readonly rawHeaders: HeaderList
}

/** A request head that can be passed on. */
export interface RequestHead {
  readonly method: string
  /** Origin form, or `*`. */
  readonly path: string
  /** Authority that the client asked for; undefined only in HTTP/1.0. */
  readonly host: string | undefined
  readonly body: 'none' | 'length' | 'chunked'
  /** As received, but for `Max-Forwards`, which counts proxies down. */
  readonly headers: HeaderList
}

/** Why a request goes no further. */
export interface Refusal {
  readonly status: 200 | 400 | 417 | 501
  readonly reason: string
}

const authority = /^(?:[A-Za-z0-9._~%-]*|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * Reads a request head that the parser let pass, and refuses what another reader could take for something else: two lengths,
 * a length beside chunks, codings other than chunked, more than one host, control characters. Source: RFC 9112, sections 3.2, 6.
 */
export function readRequestHead(received: ReceivedHead): RequestHead | Refusal {
  const { method, rawHeaders } = received
  if (method === 'CONNECT' || method === 'TRACE') return refusal(501, `${method} is not served here`)
  for (let n = 1; n < rawHeaders.length; n += 2) {
    if (!fieldValue.test(rawHeaders[n] ?? ''))
      return refusal(400, `Control character in ${rawHeaders[n - 1]}`)
  }
  const body = readFraming(received)
  if (typeof body === 'object') return body
  const expected = received.httpVersion === '1.0' ? [] : listed(rawHeaders, 'expect')
  if (expected.some((one) => one !== '100-continue')) return refusal(417, 'Unknown expectation')
  const target = readTarget(received)
  if ('status' in target) return target
  return countDown({ method, ...target, body, headers: rawHeaders })
}

function readFraming({ httpVersion, rawHeaders }: ReceivedHead): RequestHead['body'] | Refusal {
  const lengths = valuesOf(rawHeaders, 'content-length')
  const codings = valuesOf(rawHeaders, 'transfer-encoding')
  if (codings.length > 0) {
    if (lengths.length > 0) return refusal(400, 'Both Content-Length and Transfer-Encoding')
    if (httpVersion === '1.0') return refusal(400, 'Transfer-Encoding in HTTP/1.0')
    if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') {
      return refusal(501, 'Transfer-Encoding other than chunked')
    }
    return 'chunked'
  }
  if (lengths.length === 0) return 'none'
  const [length = ''] = lengths
  if (lengths.length > 1) return refusal(400, 'More than one Content-Length')
  if (!/^\d+$/.test(length) || !Number.isSafeInteger(Number(length)))
    return refusal(400, 'Wrong Content-Length')
  return Number(length) === 0 ? 'none' : 'length'
}

/** `GET /path`, `GET http://host/path` and `OPTIONS *`; the authority of the second form goes before the Host field. */
function readTarget({
  method,
  url,
  httpVersion,
  rawHeaders,
}: ReceivedHead): Pick<RequestHead, 'path' | 'host'> | Refusal {
  const hosts = valuesOf(rawHeaders, 'host')
  if (hosts.length > 1) return refusal(400, 'More than one Host')
  if (hosts.length === 0 && httpVersion !== '1.0') return refusal(400, 'No Host')
  const [, named, rest] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? []
  const host = named ?? hosts[0]
  if (named === '' || (host !== undefined && !authority.test(host))) return refusal(400, 'Wrong host')
  if (url.includes('#')) return refusal(400, 'Fragment in the request target')
  if (rest !== undefined) {
    if (rest === '' && method === 'OPTIONS') return { path: '*', host }
    return { path: rest.startsWith('/') ? rest : `/${rest}`, host }
  }
  if (url.startsWith('/') || (url === '*' && method === 'OPTIONS')) return { path: url, host }
  return refusal(400, 'Wrong request target')
}

/** RFC 9110, section 7.6.2: an OPTIONS request that may go no further is answered here. */
function countDown(head: RequestHead): RequestHead | Refusal {
  const [left] = listed(head.headers, 'max-forwards')
  if (head.method !== 'OPTIONS' || left === undefined || !/^\d{1,9}$/.test(left)) return head
  if (Number(left) === 0) return refusal(200, 'Max-Forwards reached')
  const headers = filterFields(head.headers, (name) => name !== 'max-forwards')
  return { ...head, headers: [...headers, 'Max-Forwards', `${Number(left) - 1}`] }
}

function refusal(status: Refusal['status'], reason: string): Refusal {
  return { status, reason }
}
