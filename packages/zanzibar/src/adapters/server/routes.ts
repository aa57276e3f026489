import { ZanzibarError } from '../../errors.ts'
import type { AuthZenApi, AuthZenRequest } from '../../wire/authzen-api.ts'
import type { Call } from '../../wire/call.ts'
import type { OpenFgaApi } from '../../wire/openfga-api.ts'

/** A request as the functions of the API take it. */
export interface Exchange {
  readonly storeId: string
  /** What stands in the path after the store. */
  readonly id: string
  readonly query: URLSearchParams
  readonly body: Uint8Array
  readonly call: Call
  /** The header `Openfga-Authorization-Model-Id`, which AuthZEN's requests have in place of a field. */
  readonly modelId: string
  /** Where the server is reached, as the client knows it. */
  readonly baseUrl: string
}

export interface Apis {
  readonly openFga: OpenFgaApi
  readonly authZen: AuthZenApi
}

type Answer = (apis: Apis, exchange: Exchange) => Promise<object>

/** What answers at a path. */
interface Route {
  readonly status: 200 | 201 | 204
  readonly hasBody: boolean
  readonly answer: Answer
  /** In place of `answer`, where it is a stream. */
  readonly stream?: (apis: Apis, exchange: Exchange) => AsyncIterable<object>
}

export interface Match {
  readonly route: Route
  readonly storeId: string
  readonly id: string
}

/** `openfga/api:openfga/v1/openfga_service.proto` and `authzen/v1/authzen_service.proto`. */
const routes: readonly (readonly [path: string, methods: Readonly<Record<string, Route>>])[] = [
  [
    '/stores',
    {
      GET: asking(({ openFga }, { query }) => openFga.listStores(query)),
      POST: sending(({ openFga }, { body }) => openFga.createStore(body), 201),
    },
  ],
  [
    '/stores/{store}',
    {
      GET: asking(({ openFga }, { storeId }) => openFga.getStore(storeId)),
      PATCH: sending(({ openFga }, { storeId, body }) => openFga.updateStore(storeId, body)),
      DELETE: { ...asking(({ openFga }, { storeId }) => openFga.deleteStore(storeId)), status: 204 },
    },
  ],
  [
    '/stores/{store}/authorization-models',
    {
      GET: asking(({ openFga }, { storeId, query }) => openFga.readAuthorizationModels(storeId, query)),
      POST: sending(({ openFga }, { storeId, body }) => openFga.writeAuthorizationModel(storeId, body), 201),
    },
  ],
  [
    '/stores/{store}/authorization-models/{id}',
    { GET: asking(({ openFga }, { storeId, id }) => openFga.readAuthorizationModel(storeId, id)) },
  ],
  [
    '/stores/{store}/assertions/{id}',
    {
      GET: asking(({ openFga }, { storeId, id, call }) => openFga.readAssertions(storeId, id, call)),
      PUT: sending(({ openFga }, { storeId, id, body }) => openFga.writeAssertions(storeId, id, body), 204),
    },
  ],
  [
    '/stores/{store}/check',
    posted(({ openFga }, { storeId, body, call }) => openFga.check(storeId, body, call)),
  ],
  [
    '/stores/{store}/batch-check',
    posted(({ openFga }, { storeId, body, call }) => openFga.batchCheck(storeId, body, call)),
  ],
  [
    '/stores/{store}/expand',
    posted(({ openFga }, { storeId, body, call }) => openFga.expand(storeId, body, call)),
  ],
  [
    '/stores/{store}/list-objects',
    posted(({ openFga }, { storeId, body, call }) => openFga.listObjects(storeId, body, call)),
  ],
  [
    '/stores/{store}/streamed-list-objects',
    {
      POST: {
        ...sending(async () => ({})),
        stream: ({ openFga }, { storeId, body, call }) => openFga.streamedListObjects(storeId, body, call),
      },
    },
  ],
  [
    '/stores/{store}/list-users',
    posted(({ openFga }, { storeId, body, call }) => openFga.listUsers(storeId, body, call)),
  ],
  [
    '/stores/{store}/read',
    posted(({ openFga }, { storeId, body, call }) => openFga.read(storeId, body, call)),
  ],
  [
    '/stores/{store}/write',
    posted(({ openFga }, { storeId, body, call }) => openFga.write(storeId, body, call)),
  ],
  [
    '/stores/{store}/changes',
    { GET: asking(({ openFga }, { storeId, query, call }) => openFga.readChanges(storeId, query, call)) },
  ],
  ['/stores/{store}/access/v1/evaluation', evaluating((authZen, request) => authZen.evaluation(request))],
  ['/stores/{store}/access/v1/evaluations', evaluating((authZen, request) => authZen.evaluations(request))],
  [
    '/stores/{store}/access/v1/search/subject',
    evaluating((authZen, request) => authZen.searchSubject(request)),
  ],
  [
    '/stores/{store}/access/v1/search/resource',
    evaluating((authZen, request) => authZen.searchResource(request)),
  ],
  [
    '/stores/{store}/access/v1/search/action',
    evaluating((authZen, request) => authZen.searchAction(request)),
  ],
  [
    '/.well-known/authzen-configuration/{store}',
    { GET: asking(({ authZen }, { storeId, baseUrl }) => authZen.configuration(storeId, baseUrl)) },
  ],
]

function asking(answer: Answer): Route {
  return { status: 200, hasBody: false, answer }
}

function sending(answer: Answer, status: Route['status'] = 200): Route {
  return { status, hasBody: true, answer }
}

function posted(answer: Answer): Readonly<Record<string, Route>> {
  return { POST: sending(answer) }
}

function evaluating(
  answer: (authZen: AuthZenApi, request: AuthZenRequest) => Promise<object>,
): Readonly<Record<string, Route>> {
  return posted(({ authZen }, exchange) => answer(authZen, exchange))
}

const parsedRoutes = routes.map(([path, methods]) => ({
  pattern: path.split('/'),
  methods: new Map(Object.entries(methods)),
}))

/** @throws ZanzibarError `undefined_endpoint` for another path, `unimplemented` for another method */
export function routeOf(method: string, path: string): Match {
  const parts = path.split('/')
  const found = parsedRoutes.find(({ pattern }) => isOf(pattern, parts))
  if (found === undefined) throw new ZanzibarError('undefined_endpoint', 'Not Found')
  const { pattern, methods } = found
  const route = methods.get(method)
  if (route === undefined) throw methodNotAllowed()
  const given = (name: string): string => decoded(parts[pattern.indexOf(name)] ?? '')
  return { route, storeId: given('{store}'), id: given('{id}') }
}

export function methodNotAllowed(): ZanzibarError {
  return new ZanzibarError('unimplemented', 'Method Not Allowed')
}

function isOf(pattern: readonly string[], parts: readonly string[]): boolean {
  return (
    pattern.length === parts.length &&
    pattern.every((expected, index) => expected === parts[index] || expected.startsWith('{'))
  )
}

/** What is not decodable stays as it is, and suits no field's rules. */
function decoded(part: string): string {
  if (!part.includes('%')) return part
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
