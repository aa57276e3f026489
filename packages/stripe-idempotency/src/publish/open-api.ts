import { type DescribedProblem, type DescribeOptions, describe, type KeyDescription } from './describe.ts'

/** Parts of an OpenAPI 3.1 document. */
export interface OpenApiFragment {
  readonly components: {
    readonly parameters: Readonly<Record<string, object>>
    readonly schemas: Readonly<Record<string, object>>
    readonly headers: Readonly<Record<string, object>>
    readonly responses: Readonly<Record<string, object>>
  }
  /** To spread into each operation on which a key has an effect. */
  readonly operation: {
    readonly parameters: readonly object[]
    readonly responses: Readonly<Record<string, object>>
  }
}

/**
 * The key, the headers of a replay and the answers of {@link describe}, as parts of an OpenAPI 3.1 document. Answers of one
 * status are one response with an example for each cause. A key in the body is a schema, for the schema of the body to take in.
 *
 * @throws IdempotencyError `invalid_option`
 */
export function openApi(options: DescribeOptions): OpenApiFragment {
  const keys = describe(options)
  const byStatus = Map.groupBy(Object.entries(keys.problems), ([, { status }]) => status)
  const responses = Object.fromEntries(
    [...byStatus].map(([status, problems]) => [`Idempotency${status}`, responseOf(problems)]),
  )
  const inBody = keys.member !== undefined
  return {
    components: {
      parameters: inBody ? {} : { IdempotencyKey: parameterOf(keys) },
      schemas: { IdempotencyKey: schemaOf(keys) },
      headers: {
        IdempotentReplayed: {
          description: 'The answer is that of an earlier request with this key.',
          schema: { type: 'string', const: 'true' },
        },
      },
      responses,
    },
    operation: {
      parameters: inBody ? [] : [{ $ref: '#/components/parameters/IdempotencyKey' }],
      responses: Object.fromEntries(
        [...byStatus.keys()].map((status) => [
          String(status),
          { $ref: `#/components/responses/Idempotency${status}` },
        ]),
      ),
    },
  }
}

function parameterOf(keys: KeyDescription): object {
  return {
    name: keys.header,
    in: 'header',
    required: keys.required,
    description: `Names the request: with the same key it is carried out once, and answered the same for at least ${keys.expiresAfter} seconds. On ${keys.methods.join(', ')}.`,
    schema: { $ref: '#/components/schemas/IdempotencyKey' },
  }
}

function schemaOf({ syntax, minLength, maxLength, pattern }: KeyDescription): object {
  // The quotes of a Structured Field String are part of the value of the header.
  const quotes = syntax === 'raw' ? 0 : 2
  return {
    type: 'string',
    minLength: syntax === 'structured-field' ? minLength + quotes : minLength,
    maxLength: maxLength + quotes,
    ...(pattern !== undefined && { pattern }),
    ...(syntax === 'structured-field' && { pattern: String.raw`^".*"$` }),
  }
}

function responseOf(problems: readonly (readonly [kind: string, problem: DescribedProblem])[]): object {
  const byType = Map.groupBy(problems, ([, { contentType }]) => contentType)
  const retries = problems.flatMap(([, { retryAfter }]) => (retryAfter === undefined ? [] : [retryAfter]))
  return {
    description: problems.map(([kind]) => kind).join(', '),
    ...(retries.length > 0 && {
      headers: { 'Retry-After': { schema: { type: 'integer' }, example: Math.max(...retries) } },
    }),
    content: Object.fromEntries(
      [...byType].map(([type, each]) => [
        type,
        { examples: Object.fromEntries(each.map(([kind, { body }]) => [kind, { value: body }])) },
      ]),
    ),
  }
}
