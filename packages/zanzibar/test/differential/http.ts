import { isDeepStrictEqual } from 'node:util'
import { type ComparisonReport, compareWithOracle } from '@loadbearing/harness/oracle'
import fc from 'fast-check'
import { zanzibarServer } from '../../src/adapters/server.ts'
import { startOpenFga } from '../openfga.ts'
import { openTestStore } from '../stores/open-test-store.ts'
import type { ComparisonOptions } from './comparisons.ts'
import type { HttpRequest } from './http-requests.ts'
import {
  type HttpAnswer,
  type HttpCase,
  type HttpPeerAnswer,
  httpRules,
  looseDeletes,
  withDeleted,
} from './http-rules.ts'
import { model, tuples } from './http-store.ts'
import { knownBy } from './known-rules.ts'

/** Sends the same requests over HTTP to our server and to OpenFGA's, one after the other, and compares every answer. */
export async function compareHttp(
  requests: fc.Arbitrary<HttpRequest>,
  { seed, runs, store: kind }: ComparisonOptions,
  counts: { requests: number },
): Promise<
  ComparisonReport<HttpCase, readonly HttpAnswer[], readonly HttpPeerAnswer[]> | { missing: string }
> {
  const peer = await startOpenFga('--experimentals', 'authzen')
  if ('missing' in peer) return peer
  await using running = peer
  await using opened = await openTestStore(kind)
  await using server = zanzibarServer({ store: opened.store })
  const url = await server.listen({ port: 0 })
  return await compareWithOracle({
    arbitrary: fc.array(requests, { minLength: 1, maxLength: 12, size: 'max' }),
    seed,
    runs,
    maxDifferences: 3,
    ours: (given) => answersOf(url, given),
    theirs: async (given) => {
      counts.requests += given.length
      const mine = await answersOf(url, given)
      const answers = await answersOf(running.url, given, { expected: mine })
      if (isDeepStrictEqual(mine, answers)) return answers.map((answer) => ({ answer }))
      return await explained(url, given, answers)
    },
    known: knownBy(httpRules, (mine, { answer }) => mine === answer),
    equal: (mine, theirs) =>
      isDeepStrictEqual(
        mine,
        theirs.map(({ answer }) => answer),
      ),
  })
}

/** With what ours answers in place of what may be the reason of a difference. */
export async function explained(
  url: string,
  given: HttpCase,
  answers: readonly HttpAnswer[],
): Promise<readonly HttpPeerAnswer[]> {
  const afterLooseDeletes = await answersOf(url, given, { deletesLoosely: true })
  const operands = await Promise.all(
    ['viewer', 'owner'].map(async (relation) => {
      const byOperand = given.map((request) => ofOperand(request, relation))
      return await answersOf(url, byOperand)
    }),
  )
  return answers.map((answer, at) => ({
    answer,
    afterLooseDeletes: afterLooseDeletes[at],
    operands:
      given[at] === ofOperand(given[at], 'owner') ? undefined : operands.map((each) => each[at] ?? ''),
  }))
}

/** A list by `both` as one by an operand of it; any other request as it is. */
function ofOperand<Request extends HttpRequest | undefined>(request: Request, relation: string): Request {
  if (!request?.path.endsWith('list-objects') || Reflect.get(Object(request.body), 'relation') !== 'both')
    return request
  return { ...request, body: { ...Object(request.body), relation } }
}

/** Questions are asked again, where the answer is not the expected one: OpenFGA races its branches. */
export async function answersOf(
  url: string,
  requests: HttpCase,
  {
    expected,
    deletesLoosely = false,
  }: { readonly expected?: readonly HttpAnswer[]; readonly deletesLoosely?: boolean } = {},
): Promise<readonly HttpAnswer[]> {
  const created = await send(url, { method: 'POST', path: '/stores', body: { name: 'differential' } })
  const store = fieldOf(created.body, 'id')
  const post = (path: string, body: object): Promise<Received> =>
    send(url, { method: 'POST', path: `/stores/${store}${path}`, body })
  const written = await post('/authorization-models', model)
  await post('/write', { writes: { tuple_keys: tuples } })
  const names = new Map([
    ['$S', store],
    ['$M', fieldOf(written.body, 'authorization_model_id')],
    ['$T', ''],
  ])
  const answers: HttpAnswer[] = []
  for (const [at, each] of requests.entries()) {
    let request = each
    if (deletesLoosely && looseDeletes(request).length > 0) {
      const { body } = await post('/read', { page_size: 100 })
      const stored: readonly { readonly key: Parameters<typeof withDeleted>[1][number] }[] =
        Object(body).tuples
      request = withDeleted(
        request,
        stored.map(({ key }) => key),
      )
    }
    let received = await send(url, replaced(request, names))
    for (let again = 0; again < asksAgain && isQuestion.test(request.path); again++) {
      if (expected === undefined || plain(received, names) === expected[at]) break
      received = await send(url, replaced(request, names))
    }
    const token = fieldOf(received.body, 'continuation_token')
    if (token !== '') names.set('$T', token)
    answers.push(plain(received, names))
  }
  await send(url, { method: 'DELETE', path: `/stores/${store}` })
  return answers
}

const asksAgain = 20
const isQuestion = /check$|list-|\/access\//

interface Received {
  readonly status: number
  readonly body: unknown
}

async function send(url: string, { method, path, body }: HttpRequest): Promise<Received> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(url + path, { method, ...(text !== undefined && { body: text }) })
  return { status: response.status, body: bodyOf(await response.text()) }
}

/** JSON; lines of JSON, in no order; or else text. */
function bodyOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text.includes('\n') ? text.trim().split('\n').toSorted() : text
  }
}

function fieldOf(body: unknown, name: string): string {
  const value: unknown = Reflect.get(Object(body), name)
  return typeof value === 'string' ? value : ''
}

function replaced(request: HttpRequest, names: ReadonlyMap<string, string>): HttpRequest {
  let text = JSON.stringify(request)
  for (const [name, value] of names) text = text.replaceAll(name, value)
  return JSON.parse(text) as HttpRequest
}

const drawn = /^(?:timestamp|created_at|updated_at|continuation_token)$/
const unordered = /^(?:objects|users|results)$/

function plain({ status, body }: Received, names: ReadonlyMap<string, string>): HttpAnswer {
  const text = JSON.stringify({ status, body: canonical(body) })
  return plainMessage(text.replaceAll(names.get('$S') ?? '', '$S').replaceAll(names.get('$M') ?? '', '$M'))
}

/** With keys and lists without an order sorted, and what each server draws for itself named only. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, each]): [string, unknown] => {
        if (drawn.test(key)) return [key, each === '' ? '' : 'drawn']
        const plainEach = canonical(each)
        return Array.isArray(plainEach) && unordered.test(key)
          ? [key, plainEach.map((one) => JSON.stringify(one)).toSorted()]
          : [key, plainEach]
      }),
  )
}

/** Without what OpenFGA prints of a tuple that it refuses, which is Go's form of it, and without what is of gRPC. */
function plainMessage(text: string): string {
  return text
    .replaceAll(/Invalid tuple '%!s\(<nil>\)'\. Reason: invalid tuple: /g, '')
    .replaceAll('"invalid tuple: Invalid', '"Invalid')
    .replaceAll(/Invalid tuple '[^']*(?:'[^.][^']*)*'\. Reason/g, 'Invalid tuple. Reason')
    .replaceAll('"iterator: ', '"')
    .replaceAll('"rpc error: code = Code(2000) desc = ', '"')
    .replaceAll('grpc: received', 'received')
    .replaceAll(/\(\d+ vs\. \d+\)/g, '')
}
