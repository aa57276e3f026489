import { filterFields, type HeaderList, isHopByHop, joined, members, withoutNamed } from './http-hop.ts'

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
  /** Bytes of the body as they were announced, also where that is 0; undefined where nothing was. */
  readonly length: string | undefined
  /** End-to-end fields as received, without Host and Content-Length; `Max-Forwards` counted down. */
  readonly fields: HeaderList
  /** Whether the client takes trailers. */
  readonly trailers: boolean
}

/** Why a request goes no further. */
export interface Refusal {
  readonly status: 200 | 400 | 417 | 501
  readonly reason: string
}

/** What the fields say of the message itself; of one that came more than once the first value, and how often it came. */
interface Facts {
  host: string | undefined
  hosts: number
  length: string | undefined
  lengths: number
  coding: string | undefined
  codings: number
  /** Members of all fields of that name. */
  connection: string
  te: string
  expect: string
  maxForwards: string | undefined
}

const authority = /^(?:[A-Za-z0-9._~%-]*|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/
const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/

/**
 * Reads a request head that the parser let pass, and refuses what another reader could take for something else: two lengths,
 * a length beside chunks, codings other than chunked, more than one host, control characters. Source: RFC 9112, sections 3.2, 6.
 */
export function readRequestHead(received: ReceivedHead): RequestHead | Refusal {
  const { method, httpVersion, rawHeaders } = received
  if (method === 'CONNECT' || method === 'TRACE') return refusal(501, `${method} is not served here`)
  const facts: Facts = {
    host: undefined,
    hosts: 0,
    length: undefined,
    lengths: 0,
    coding: undefined,
    codings: 0,
    connection: '',
    te: '',
    expect: '',
    maxForwards: undefined,
  }
  const fields: string[] = []
  for (let n = 0; n < rawHeaders.length; n += 2) {
    const name = rawHeaders[n] ?? ''
    const value = rawHeaders[n + 1] ?? ''
    if (!fieldValue.test(value)) return refusal(400, `Control character in ${name}`)
    if (!learn(facts, name.toLowerCase(), value, httpVersion)) fields.push(name, value)
  }
  const body = readFraming(facts, httpVersion)
  if (typeof body === 'object') return body
  if (facts.expect !== '' && members(facts.expect).some((one) => one !== '100-continue')) {
    return refusal(417, 'Unknown expectation')
  }
  const target = readTarget(received, facts)
  if ('status' in target) return target
  const { path, host } = target
  const trailers = facts.te !== '' && members(facts.te).includes('trailers')
  const passed = withoutNamed(fields, facts.connection)
  return countDown(
    { method, path, host, body, length: facts.length, fields: passed, trailers },
    facts.maxForwards,
  )
}

/** Takes a field into account; whether that is all that is done with it, so that it is not passed on as it came. */
function learn(facts: Facts, name: string, value: string, httpVersion: string): boolean {
  switch (name) {
    case 'host':
      facts.hosts++
      facts.host ??= value
      return true
    case 'content-length':
      facts.lengths++
      facts.length ??= value
      return true
    case 'transfer-encoding':
      facts.codings++
      facts.coding ??= value
      return true
    case 'connection':
      facts.connection = joined(facts.connection, value)
      return true
    case 'te':
      facts.te = joined(facts.te, value)
      return true
    case 'expect':
      // HTTP/1.0 knows no expectations.
      if (httpVersion === '1.0') return true
      facts.expect = joined(facts.expect, value)
      return false
    case 'max-forwards':
      facts.maxForwards ??= members(value)[0]
      return false
    default:
      return isHopByHop(name)
  }
}

function readFraming(
  { length, lengths, coding, codings }: Facts,
  httpVersion: string,
): RequestHead['body'] | Refusal {
  if (codings > 0) {
    if (lengths > 0) return refusal(400, 'Both Content-Length and Transfer-Encoding')
    if (httpVersion === '1.0') return refusal(400, 'Transfer-Encoding in HTTP/1.0')
    if (codings > 1 || coding?.toLowerCase() !== 'chunked') {
      return refusal(501, 'Transfer-Encoding other than chunked')
    }
    return 'chunked'
  }
  if (length === undefined) return 'none'
  if (lengths > 1) return refusal(400, 'More than one Content-Length')
  if (!/^\d+$/.test(length) || !Number.isSafeInteger(Number(length)))
    return refusal(400, 'Wrong Content-Length')
  return Number(length) === 0 ? 'none' : 'length'
}

/** `GET /path`, `GET http://host/path` and `OPTIONS *`; the authority of the second form goes before the Host field. */
function readTarget(
  { method, url, httpVersion }: ReceivedHead,
  facts: Facts,
): Pick<RequestHead, 'path' | 'host'> | Refusal {
  if (facts.hosts > 1) return refusal(400, 'More than one Host')
  if (facts.hosts === 0 && httpVersion !== '1.0') return refusal(400, 'No Host')
  const inOriginForm = url.startsWith('/')
  const [, named, rest] = (!inOriginForm && /^https?:\/\/([^/?#]*)(.*)$/i.exec(url)) || []
  const host = named ?? facts.host
  if (named === '' || (host !== undefined && !authority.test(host))) return refusal(400, 'Wrong host')
  if (url.includes('#')) return refusal(400, 'Fragment in the request target')
  if (rest !== undefined) {
    if (rest === '' && method === 'OPTIONS') return { path: '*', host }
    return { path: rest.startsWith('/') ? rest : `/${rest}`, host }
  }
  if (inOriginForm || (url === '*' && method === 'OPTIONS')) return { path: url, host }
  return refusal(400, 'Wrong request target')
}

/** RFC 9110, section 7.6.2: an OPTIONS request that may go no further is answered here. */
function countDown(head: RequestHead, left: string | undefined): RequestHead | Refusal {
  if (head.method !== 'OPTIONS' || left === undefined || !/^\d{1,9}$/.test(left)) return head
  if (Number(left) === 0) return refusal(200, 'Max-Forwards reached')
  const fields = filterFields(head.fields, (name) => name !== 'max-forwards')
  return { ...head, fields: [...fields, 'Max-Forwards', `${Number(left) - 1}`] }
}

function refusal(status: Refusal['status'], reason: string): Refusal {
  return { status, reason }
}
