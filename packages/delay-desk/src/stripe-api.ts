import type { IncomingMessage } from 'node:http'
import type { Exchange, HandlerContext, LiveResponse } from '@loadbearing/stripe-idempotency'
import type { DeathPoint } from './bank-deaths.ts'
import { deskSecret } from './bank-line.ts'
import { type Answer, jsonReply, type Reply } from './exposed-server.ts'
import type { Ledger, Transfer } from './ledger.ts'
import { type Fault, readOrder } from './transfer-order.ts'

const accounts: ReadonlyMap<string, string> = new Map([[deskSecret, 'acct_delay_desk']])
const formType = 'application/x-www-form-urlencoded'
/** Stripe's own is 100. */
const mostListed = 1000

/** What a bank answers with. */
export interface BankParts {
  readonly ledger: Ledger
  readonly exchange: Exchange
  /** Whether the ledger can be searched now. */
  readonly searchable: () => boolean
  /** Passes a place of a request to pay; the bank may die there. */
  readonly pass: (point: DeathPoint) => void
}

/** `POST /v1/transfers` and `GET /v1/transfers` with Stripe's contract. (docs.stripe.com/api/transfers) */
export function stripeApi(parts: BankParts): Answer {
  const { exchange } = parts
  return async (request) => {
    const { method = '', url = '' } = request
    const { pathname: path, search } = new URL(url, 'http://bank')
    const account = accounts.get(/^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '')
    if (account === undefined) return refusal(401, 'Invalid API Key provided')
    if (path !== '/v1/transfers' || (method !== 'GET' && method !== 'POST'))
      return refusal(404, `Unrecognized request URL (${method}: ${path}).`)
    if (method === 'GET') return list(parts, new URLSearchParams(search))
    parts.pass('received')
    const body = await bodyOf(request, exchange.settings.maxBodyBytes)
    const headers = Object.entries(request.headersDistinct).flatMap(([name, values = []]) =>
      values.map((value): [string, string] => [name, value]),
    )
    const received = { method, path, query: search.slice(1), headers, body }
    const { response } = await exchange.answer(received, account, async (context) => {
      parts.pass('begun')
      return live(create(parts, request.headers['content-type'], body, context))
    })
    parts.pass('kept')
    if (!(response.body instanceof Uint8Array)) throw new Error('no answer of this bank is a stream')
    return { ...response, body: response.body }
  }
}

function create(
  { ledger, pass }: BankParts,
  contentType: string | undefined,
  body: Uint8Array | null,
  { recordId, notExecuted }: HandlerContext,
): Reply {
  const order =
    contentType?.split(';')[0] === formType
      ? readOrder(new URLSearchParams(Buffer.from(body ?? []).toString()))
      : `Invalid request (check that your POST content type is ${formType}).`
  if (typeof order === 'string' || 'code' in order) {
    notExecuted()
    return typeof order === 'string' ? refusal(400, order) : refusal(400, order.message, order)
  }
  // One transfer for each record of a key, however often it is begun; what has no key is new each time.
  const transfer = ledger.apply(`tr_${recordId || crypto.randomUUID()}`, order)
  pass('applied')
  return jsonReply(200, shown(transfer))
}

function list({ ledger, searchable }: BankParts, query: URLSearchParams): Reply {
  if (!searchable()) return refusal(409, 'The books can be searched once the day is closed.')
  const limit = Number(query.get('limit') ?? 10)
  if (!Number.isInteger(limit) || limit < 1 || limit > mostListed)
    return refusal(400, `This value must be between 1 and ${mostListed}.`, { param: 'limit' })
  const transferGroup = query.get('transfer_group')
  const startingAfter = query.get('starting_after')
  if (startingAfter !== null && ledger.find(startingAfter) === undefined)
    return refusal(400, `No such transfer: '${startingAfter}'`, { param: 'starting_after' })
  const found = ledger.list({
    limit: limit + 1,
    ...(transferGroup !== null && { transferGroup }),
    ...(startingAfter !== null && { startingAfter }),
  })
  return jsonReply(200, {
    object: 'list',
    data: found.slice(0, limit).map(shown),
    has_more: found.length > limit,
    url: '/v1/transfers',
  })
}

function shown({ id, amount, currency, destination, transferGroup, metadata, created }: Transfer): object {
  return {
    id,
    object: 'transfer',
    amount,
    amount_reversed: 0,
    created,
    currency,
    destination,
    livemode: false,
    metadata,
    reversed: false,
    transfer_group: transferGroup,
  }
}

function refusal(status: number, message: string, details: Partial<Fault> = {}): Reply {
  return jsonReply(status, { error: { ...details, message, type: 'invalid_request_error' } })
}

function live({ status, headers, body }: Reply): LiveResponse {
  return { status, headers, body: typeof body === 'string' ? Buffer.from(body) : body }
}

/** Null for more than so many bytes, of which the rest is thrown away. */
async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<Uint8Array | null> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length
    if (size > maxBytes) break
    chunks.push(chunk)
  }
  request.resume()
  return size > maxBytes ? null : Buffer.concat(chunks)
}
