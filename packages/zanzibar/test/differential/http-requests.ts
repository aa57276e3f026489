import fc from 'fast-check'

/**
 * A request; in path and body `$S` stands for the store, `$M` for its model and `$T` for the continuation token that came
 * last.
 */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: object | string
}

/** Mostly the one, once in a while the other. */
function seldom<T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>, weight = 5): fc.Arbitrary<T> {
  return fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: odd })
}

const user = seldom(
  fc.constantFrom(
    'user:anne',
    'user:bob',
    'user:carl',
    'user:dan',
    'user:eve',
    'user:*',
    'group:eng#member',
    'folder:a',
  ),
  fc.constantFrom(
    '',
    'anne',
    'nope:anne',
    'group:eng#nope',
    'group:*',
    'document:1#viewer',
    'user:a b',
    'user:é\u0001',
    'user:__proto__',
    '__proto__:x',
    'a:b:c',
    `user:${'a'.repeat(600)}`,
    `user:${'é'.repeat(300)}`,
  ),
)
const relation = seldom(
  fc.constantFrom('viewer', 'owner', 'member', 'parent', 'blocked', 'both'),
  fc.constantFrom('', 'nope', '__proto__', 'constructor', 'a b', 'r'.repeat(60)),
  8,
)
const object = seldom(
  fc.constantFrom(
    'document:1',
    'document:2',
    'document:3',
    'document:4',
    'folder:a',
    'folder:b',
    'group:eng',
  ),
  fc.constantFrom(
    '',
    'document',
    'document:',
    'document:*',
    'nope:1',
    'a:b:c',
    'constructor:9',
    `document:${'é'.repeat(300)}`,
  ),
)
const type = seldom(
  fc.constantFrom('document', 'folder', 'group', 'user'),
  fc.constantFrom('', 'nope', 'a b', '__proto__'),
  8,
)
const context = fc.constantFrom<object | null | undefined>(
  undefined,
  undefined,
  {},
  { x: 5, tag: 'a' },
  { x: 50, tag: 'a' },
  { x: 5 },
  { x: 'abc', tag: 'a' },
  { x: '5', tag: 'a' },
  { x: 1.5, tag: 'a' },
  { x: 1, tag: 2 },
  { zzz: 1 },
  { tag: 'a\u0000b' },
  { 't\u0001': 'ab' },
  null,
)
const condition = fc
  .record({ name: fc.constantFrom('in_range', 'in_range', 'in_range', '', 'nope'), context })
  .map((each) => each as object)
const key = fc.record({ user, relation, object })
const tuple = fc
  .tuple(key, seldom(fc.constant(undefined), condition, 2))
  .map(([each, bound]): object => (bound === undefined ? each : { ...each, condition: bound }))
const contextual = fc.array(tuple, { maxLength: 2 })
const contextualKeys = fc.option(
  contextual.map((tuple_keys) => ({ tuple_keys })),
  { nil: undefined },
)
const userFilter = fc.record({
  type,
  relation: fc.constantFrom(undefined, undefined, 'member', 'viewer', 'nope'),
})

function post(path: string, body: fc.Arbitrary<object>): fc.Arbitrary<HttpRequest> {
  return body.map((each) => ({ method: 'POST', path: `/stores/$S${path}`, body: each }))
}

function get(...paths: readonly string[]): fc.Arbitrary<HttpRequest> {
  return fc.constantFrom(...paths).map((path) => ({ method: 'GET', path: `/stores/$S${path}` }))
}

const listed = fc.record({ user, relation, type, contextual_tuples: contextualKeys, context })
const asked = fc.record({ tuple_key: key, contextual_tuples: contextualKeys, context })

/** OpenFGA's calls, some of which are refused. */
export const openFgaRequest: fc.Arbitrary<HttpRequest> = fc.oneof(
  { weight: 6, arbitrary: post('/check', asked) },
  {
    weight: 2,
    arbitrary: post(
      '/batch-check',
      fc
        .array(
          asked.chain((each) =>
            fc.constantFrom('a', 'b', 'c-1', 'é').map((id) => ({ ...each, correlation_id: id })),
          ),
          {
            maxLength: 3,
          },
        )
        .map((checks) => ({ checks })),
    ),
  },
  { weight: 2, arbitrary: post('/list-objects', listed) },
  { weight: 2, arbitrary: post('/streamed-list-objects', listed) },
  {
    weight: 2,
    arbitrary: post(
      '/list-users',
      fc
        .record({
          object,
          relation,
          user_filters: fc.array(userFilter, { minLength: 1, maxLength: 1 }),
          contextual,
          context,
        })
        .map(({ object: whole, contextual: contextual_tuples, ...rest }) => {
          const [kind = '', ...id] = whole.split(':')
          return { ...rest, contextual_tuples, object: { type: kind, id: id.join(':') } }
        }),
    ),
  },
  {
    weight: 2,
    arbitrary: post(
      '/expand',
      fc.record({ tuple_key: fc.record({ relation, object }), contextual_tuples: contextualKeys }),
    ),
  },
  {
    weight: 3,
    arbitrary: post(
      '/write',
      fc.record({
        writes: fc.option(
          fc.record({
            tuple_keys: fc.array(tuple, { maxLength: 2 }),
            on_duplicate: fc.constantFrom(undefined, 'error', 'ignore', 'zzz'),
          }),
          { nil: undefined, freq: 6 },
        ),
        deletes: fc.option(
          fc.record({
            tuple_keys: fc.array(key, { maxLength: 2 }),
            on_missing: fc.constantFrom(undefined, 'error', 'ignore', 'zzz'),
          }),
          { nil: undefined, freq: 3 },
        ),
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: post(
      '/read',
      fc.record({
        tuple_key: fc.option(
          fc.record({
            user: seldom(user, fc.constantFrom('user:', '')),
            relation: seldom(relation, fc.constant('')),
            object: seldom(object, fc.constantFrom('document:', 'folder:'), 2),
          }),
          { nil: undefined },
        ),
        page_size: fc.constantFrom(undefined, undefined, 1, 3, 100, 101, 0, -1),
        continuation_token: fc.constantFrom(undefined, undefined, '$T', '', 'abc', 'YWJj'),
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: get(
      '/changes',
      '/changes?type=document',
      '/changes?type=nope',
      '/changes?page_size=2',
      '/changes?page_size=2&continuation_token=$T',
      '/changes?type=folder&continuation_token=$T',
      '/changes?continuation_token=abc',
      '/changes?start_time=2020-01-01T00:00:00Z',
      '/changes?start_time=tomorrow',
      '/changes?page_size=1000',
      '/changes?page_size=x',
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .array(
        fc.record({
          tuple_key: key,
          expectation: fc.boolean(),
          contextual_tuples: fc.option(contextual, { nil: undefined }),
          context,
        }),
        { maxLength: 2 },
      )
      .map(
        (assertions): HttpRequest => ({
          method: 'PUT',
          path: '/stores/$S/assertions/$M',
          body: { assertions },
        }),
      ),
  },
  {
    weight: 1,
    arbitrary: get(
      '',
      '/assertions/$M',
      '/assertions/01KAKAKAKAKAKAKAKAKAKAKAKA',
      '/authorization-models',
      '/authorization-models?page_size=1',
      '/authorization-models/$M',
      '/authorization-models/abc',
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          '/',
          '/stores/',
          '/stores//check',
          '/stores/$S/check/',
          '/stores/$S/nope',
          '/Stores',
          '/stores/%ZZ',
          '/healthz',
          '/stores?page_size=0',
        ),
        fc.constantFrom<HttpRequest['method']>('GET', 'POST', 'PUT', 'DELETE', 'PATCH'),
      )
      .map(([path, method]): HttpRequest => ({ method, path, ...(method === 'POST' && { body: '{}' }) })),
  },
)

const subject = fc.constantFrom<object | undefined>(
  { type: 'user', id: 'anne' },
  { type: 'user', id: 'dan' },
  { type: 'user', id: 'eve', properties: { tag: 'a' } },
  { type: 'user' },
  { type: 'nope', id: 'a' },
  { type: 'a b', id: 'x' },
  undefined,
)
const resource = fc.constantFrom<object | undefined>(
  { type: 'document', id: '1' },
  { type: 'document', id: '2' },
  { type: 'document', id: '4' },
  { type: 'nope', id: '1' },
  { type: 'document' },
  undefined,
)
const action = fc.constantFrom<object | undefined>(
  { name: 'viewer' },
  { name: 'owner' },
  { name: 'nope' },
  { name: '' },
  undefined,
)
const evaluation = fc.record({ subject, resource, action, context })

function access(path: string, body: fc.Arbitrary<object>): fc.Arbitrary<HttpRequest> {
  return post(`/access/v1/${path}`, body)
}

/** AuthZEN's calls. */
export const authZenRequest: fc.Arbitrary<HttpRequest> = fc.oneof(
  access('evaluation', evaluation),
  access('search/subject', evaluation),
  access('search/resource', evaluation),
  access('search/action', fc.record({ subject, resource, context })),
  access(
    'evaluations',
    fc
      .tuple(
        evaluation,
        fc.array(evaluation, { maxLength: 4 }),
        fc.constantFrom(undefined, 'execute_all', 'deny_on_first_deny', 'permit_on_first_permit', 'zzz'),
      )
      .map(([shared, evaluations, semantic]) => ({
        ...shared,
        evaluations,
        ...(semantic === undefined ? {} : { options: { evaluations_semantic: semantic } }),
      })),
  ),
)
