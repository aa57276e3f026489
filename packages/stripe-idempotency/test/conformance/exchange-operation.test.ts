import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Asked, expectedOf, type History } from './exchange-model.ts'
import { exchange } from './exchange-operation.ts'

function mostly<Value>(usual: Value, ...others: readonly Value[]): fc.Arbitrary<Value> {
  return fc.oneof({ weight: 6, arbitrary: fc.constant(usual) }, fc.constantFrom(...others))
}

/**
 * Requests come at whole tenths of a second, handlers take some milliseconds more and nobody waits for a whole tenth: of two
 * things at one moment the specification does not say which is first.
 */
const asked: fc.Arbitrary<Asked> = fc.record({
  at: fc.nat(40).map((tenths) => tenths * 100),
  account: mostly('acct_1', 'acct_2'),
  method: mostly('POST', 'PATCH', 'DELETE', 'GET'),
  path: mostly('/v1/charges', '/v1/refunds'),
  key: fc.constantFrom('a', 'a', 'a', '"a"', 'b', undefined),
  body: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('{"x":1,"y":[2]}', '{"y":[2], "x":1}') },
    fc.constantFrom('{"x":2}', ''),
  ),
  handler: fc.record({
    takes: fc.tuple(fc.nat(12), fc.integer({ min: 1, max: 6 })).map(([tenths, more]) => tenths * 100 + more),
    status: fc.constantFrom(200, 201, 402, 500),
    validationError: mostly(false, true),
  }),
})

const retention = fc.constantFrom(86_400_000, 3000, 1500)
/**
 * Left out: to wait where leases are short (with a short retention or not). Who waits looks again when the lease that he has
 * seen would end, and who of several is the next is then another one than who came first; the specification leaves it open.
 */
const options: fc.Arbitrary<History['options']> = fc.oneof(
  fc.record({ lease: fc.constantFrom(60_000, 1000, 300), retention, wait: fc.constant(0) }),
  fc.record({ lease: fc.constant(60_000), retention, wait: fc.constantFrom(350, 1250, 5050) }),
)

const history: fc.Arbitrary<History> = fc.record({
  mode: fc.constantFrom('stripe-v1', 'stripe-v2', 'ietf'),
  options,
  requests: fc.array(asked, { minLength: 1, maxLength: 16, size: 'max' }),
})

function commandOf({ requests, ...server }: History): Parameters<typeof exchange>[0] {
  return {
    op: 'exchange',
    ...server,
    requests: requests.map(({ key, handler, ...request }, index) => ({
      ...request,
      headers: { 'content-type': 'application/json', ...(key !== undefined && { 'idempotency-key': key }) },
      handler: { ...handler, body: `answer of ${index}` },
    })),
  }
}

function told(answers: Awaited<ReturnType<typeof exchange>>['answers']): object[] {
  const ids = answers.map(({ headers }) => headers?.['request-id'])
  const bodies: unknown[] = answers.map((_, index) => `answer of ${index}`)
  return answers.map(({ at, status, headers, body }) => {
    const original = headers?.['original-request']
    return {
      at,
      status,
      replayed: headers?.['idempotent-replayed'] === 'true',
      answerOf: bodies.includes(body) ? bodies.indexOf(body) : undefined,
      original: original === undefined ? undefined : ids.indexOf(original),
    }
  })
}

test('answers every series of requests as the specification has it', async () => {
  const seen = new Map<string, number>()
  await fc.assert(
    fc.asyncProperty(history, async (each) => {
      const { answers, executions } = expectedOf(each)
      const given = await exchange(commandOf(each))
      expect({ answers: told(given.answers), executions: given.executions }).toEqual({ answers, executions })
      for (const { replayed, status, answerOf } of answers) {
        const kind = replayed ? 'replayed' : answerOf === undefined ? String(status) : 'executed'
        seen.set(kind, (seen.get(kind) ?? 0) + 1)
      }
    }),
    { numRuns: 3000 },
  )
  for (const kind of ['executed', 'replayed', '400', '409', '422']) {
    expect(seen.get(kind)).toBeGreaterThan(500)
  }
})
