/** A request that a server may refuse before it looks at stores and models. */
export interface HostileRequest {
  readonly rpc: string
  readonly body: string
}

const model = '01HVMMBCMGZNT3SED4Z17ECXCA'
const tuple = { user: 'user:anne', relation: 'viewer', object: 'document:1' }
const condition = {
  name: 'in_time',
  context: { now: '2024-01-01T00:00:00Z', list: [1, null, true], deep: { a: {} } },
}
const contextual = { tuple_keys: [{ ...tuple, condition }] }

/** One request of each kind in which every field is set. */
export const wholeRequests: Readonly<Record<string, object>> = {
  'create-store': { name: 'a store' },
  check: {
    tuple_key: tuple,
    contextual_tuples: contextual,
    authorization_model_id: model,
    trace: true,
    context: { x: 1.5 },
    consistency: 'HIGHER_CONSISTENCY',
  },
  'batch-check': {
    checks: [{ tuple_key: tuple, contextual_tuples: contextual, context: { x: 'y' }, correlation_id: 'a-1' }],
    authorization_model_id: model,
    consistency: 'MINIMIZE_LATENCY',
  },
  expand: {
    tuple_key: { relation: 'viewer', object: 'document:1' },
    contextual_tuples: contextual,
    authorization_model_id: model,
    consistency: 'UNSPECIFIED',
  },
  'list-objects': {
    type: 'document',
    relation: 'viewer',
    user: 'user:anne',
    contextual_tuples: contextual,
    context: {},
    authorization_model_id: model,
    consistency: 0,
  },
  'list-users': {
    object: { type: 'document', id: '1' },
    relation: 'viewer',
    user_filters: [{ type: 'group', relation: 'member' }],
    contextual_tuples: [{ ...tuple, condition }],
    context: { x: null },
    authorization_model_id: model,
    consistency: 1,
  },
  read: { tuple_key: tuple, page_size: 10, continuation_token: 'YWJj', consistency: 2 },
  write: {
    writes: { tuple_keys: [{ ...tuple, condition }], on_duplicate: 'ignore' },
    deletes: { tuple_keys: [tuple], on_missing: 'error' },
    authorization_model_id: model,
  },
  'authorization-models': {
    schema_version: '1.2',
    type_definitions: [
      { type: 'user' },
      {
        type: 'document',
        relations: {
          owner: { this: {} },
          parent: { this: {} },
          viewer: {
            union: {
              child: [
                { this: {} },
                { computedUserset: { object: '', relation: 'owner' } },
                {
                  tupleToUserset: {
                    tupleset: { relation: 'parent' },
                    computedUserset: { relation: 'viewer' },
                  },
                },
                { intersection: { child: [{ this: {} }, { this: {} }] } },
                { difference: { base: { this: {} }, subtract: { this: {} } } },
              ],
            },
          },
        },
        metadata: {
          relations: {
            owner: { directly_related_user_types: [{ type: 'user' }] },
            parent: { directly_related_user_types: [{ type: 'document' }] },
            viewer: {
              directly_related_user_types: [
                { type: 'user', condition: 'in_time' },
                { type: 'user', wildcard: {} },
                { type: 'document', relation: 'viewer' },
              ],
              module: 'm',
              source_info: { file: 'a.fga' },
            },
          },
          module: 'm',
          source_info: { file: 'b/c.fga' },
        },
      },
    ],
    conditions: {
      in_time: {
        name: 'in_time',
        expression: 'now < 1',
        parameters: {
          now: { type_name: 'TYPE_NAME_INT' },
          l: { type_name: 10, generic_types: [{ type_name: 3 }] },
        },
        metadata: { module: 'm', source_info: { file: 'd.fga' } },
      },
    },
  },
  assertions: {
    assertions: [{ tuple_key: tuple, expectation: true, contextual_tuples: [tuple], context: { x: 1 } }],
  },
}

/** What is put in the place of each value, as JSON text. */
const hostileValues: readonly string[] = [
  ['null', 'true', '1', '-0', '1.5', '1e2', '1e400', '99999999999', '"5"', '" 5"', '"1.0"'],
  [
    '""',
    '" "',
    '"a"',
    '"a b"',
    '"a:b"',
    '"a:b#c"',
    '"a#b"',
    '"a@b"',
    '"\\u0000"',
    '"a\\u000bb:c"',
    '"a:\\u00a0"',
  ],
  ['"\\ud83d\\ude00:x"', '"\\ud800"', '"\\udc00\\ud800"', '"\\u00zz"', '"a\\nb"', '"\\x"', '"*"', '"user:*"'],
  [
    '"__proto__"',
    '"constructor"',
    '"HIGHER_CONSISTENCY"',
    '"NO_SUCH_NAME"',
    '"TYPE_NAME_MAP"',
    '3',
    '-1',
    '12',
  ],
  ['{}', '[]', '[{}]', '[null]', '[[]]', '{"a":1}', '{"__proto__":{"x":1}}', '{"a":1,"a":2}', '{"a b":{}}'],
  ['{"this":{},"union":{}}', '[{},{}]', '["a"]', '[1]', '{"x":"\\ud800"}', '{"":{}}', '{"tuple_keys":[]}'],
  [
    '"ABCDEFGHJKMNPQRSTVWXYZ0123"',
    '"01HVMMBCMGZNT3SED4Z17ECXCI"',
    '"a/b.fga"',
    '"a.fgax"',
    '"=="',
    '"YQ=="',
    '"YQ==="',
  ],
  [50, 51, 254, 255, 256, 257, 511, 512, 513, 5121].map((length) => JSON.stringify('a'.repeat(length))),
  [50, 51, 128, 256, 257, 512].map((length) => JSON.stringify(`t:${'é'.repeat(length)}`)),
  [50, 51, 128].map((length) => JSON.stringify('😀'.repeat(length))),
].flat()

const brokenTexts: readonly string[] = [
  [
    '',
    ' ',
    '\n\t',
    'null',
    'true',
    '1',
    '"a"',
    '[]',
    '{',
    '[',
    '"',
    '}',
    ']',
    ',',
    ':',
    'nul',
    'tru',
    'nulll',
    '-',
    '0',
    '01',
    '1.',
  ],
  [
    '1.e',
    '1e',
    '1e+',
    '-a',
    '+1',
    '.5',
    'NaN',
    "{'a':1}",
    '{a:1}',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{"a" 1}',
    '{"a":1 "b":2}',
    '{,}',
  ],
  [
    '{"a":[1,]}',
    '{"a":[1 2]}',
    '{"a":[,]}',
    '{"a":"\n"}',
    '{"a":"\t"}',
    '{"a":"\\q"}',
    '{"a":"\\u12g4"}',
    '{"a":tru}',
    '{"a":falsy}',
  ],
  [
    '{}x',
    '{} {}',
    '{}}',
    '{"a":1}]',
    '\ufeff{}',
    '\u00a0{}',
    '{"é":é}',
    '{"a":é}',
    '{"a":1}é',
    '/* */{}',
    '{"a":1,,"b":2}',
    '[{]}',
    '{[}]',
  ],
  [
    '{"a":"\\ud800"}',
    '{"a":"\\ud800\\u0041"}',
    '{"a":"\\ud8',
    '{"a":"\\',
    '{"a":"b',
    '{"a":1e5000}',
    '{"a":-}',
    '{"a":0x1}',
    '{"a":1_0}',
  ],
  [
    `{"a":${'['.repeat(900)}${']'.repeat(900)}}`,
    '['.repeat(10_001),
    `{"context":${'['.repeat(12_000)}${']'.repeat(12_000)}}`,
  ],
].flat()

/** Requests with one thing wrong: a value replaced, left out, doubled, or the text cut or broken. */
export function* hostileRequests(): Generator<HostileRequest> {
  for (const [rpc, whole] of Object.entries(wholeRequests)) {
    const text = JSON.stringify(whole)
    yield { rpc, body: text }
    for (const body of brokenTexts) yield { rpc, body }
    for (const { start, end, name } of parts(text)) {
      for (const value of hostileValues) yield { rpc, body: text.slice(0, start) + value + text.slice(end) }
      yield { rpc, body: text.slice(0, start) }
      yield { rpc, body: `${text.slice(0, end)}x${text.slice(end)}` }
      if (name !== undefined)
        yield { rpc, body: `${text.slice(0, end)},"${name}":${text.slice(start, end)}${text.slice(end)}` }
    }
  }
}

interface Part {
  readonly start: number
  readonly end: number
  /** Of the field that it is the value of. */
  readonly name: string | undefined
}

/** Where the values of a JSON text stand. */
function parts(text: string): Part[] {
  const found: Part[] = []
  const place = (value: unknown, at: number, name: string | undefined): number => {
    const end = at + JSON.stringify(value).length
    found.push({ start: at, end, name })
    let inner = at + 1
    if (Array.isArray(value)) for (const each of value) inner = place(each, inner, undefined) + 1
    else if (typeof value === 'object' && value !== null)
      for (const [key, each] of Object.entries(value))
        inner = place(each, inner + JSON.stringify(key).length + 1, key) + 1
    return end
  }
  place(JSON.parse(text), 0, undefined)
  return found
}
