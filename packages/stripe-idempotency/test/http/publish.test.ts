import {
  createIdempotency,
  describe as describeKeys,
  ietf,
  type Mode,
  mangopay,
  memoryStore,
  openApi,
  square,
} from '@loadbearing/stripe-idempotency'
import { Validator } from '@seriousme/openapi-schema-validator'
import { expect, test } from 'vitest'
import { VirtualClock } from '../virtual-clock.ts'

const modes: readonly ('stripe-v1' | 'stripe-v2' | 'ietf' | Mode)[] = [
  'stripe-v1',
  'stripe-v2',
  'ietf',
  ietf({ syntax: 'strict', required: false }),
  square,
  mangopay,
]
const nameOf = (mode: (typeof modes)[number]): string => (typeof mode === 'string' ? mode : mode.name)

test.each(modes.map((mode) => [nameOf(mode), mode] as const))(
  'what is published of %s is a valid part of an OpenAPI 3.1 document',
  async (_, mode) => {
    const { components, operation } = openApi({ mode })
    const document = {
      openapi: '3.1.0',
      info: { title: 'charges', version: '1' },
      paths: {
        '/charges': {
          post: { ...operation, responses: { 200: { description: 'charged' }, ...operation.responses } },
        },
      },
      components,
    }
    expect(await new Validator().validate(document)).toEqual({ valid: true })
  },
)

test('what is published is what is answered', async () => {
  await using store = memoryStore()
  await using idempotency = createIdempotency({ store })
  const http = idempotency.http({ mode: 'ietf', maxBodyBytes: 10 })
  const ask = async (key: string | undefined, body: string): Promise<number> => {
    const { response } = await http.answer(
      {
        method: 'POST',
        path: '/charges',
        query: '',
        headers: key === undefined ? [] : [['idempotency-key', key]],
        body: Buffer.from(body),
      },
      'acct_1',
      async () => ({ status: 201, headers: [], body: new Uint8Array() }),
    )
    return response.status
  }
  const { problems, required, header } = describeKeys({ mode: 'ietf' })
  expect([header, required]).toEqual(['Idempotency-Key', true])
  expect(await ask(undefined, '')).toBe(problems['key-missing'].status)
  expect(await ask('a,b', '')).toBe(problems['key-invalid'].status)
  expect(await ask('a', 'x'.repeat(11))).toBe(problems['body-too-large'].status)
  expect(await ask('a', 'one')).toBe(201)
  expect(await ask('a', 'two')).toBe(problems['content-mismatch'].status)
})

test('the expiry is that of the mode, or the one that is set', () => {
  expect(describeKeys({ mode: 'stripe-v1' }).expiresAfter).toBe(86_400)
  expect(describeKeys({ mode: 'stripe-v2' })).toMatchObject({
    expiresAfter: 30 * 86_400,
    methods: ['POST', 'DELETE'],
    keeps: ['2xx', '3xx'],
    required: false,
    exposedHeaders: [
      'Idempotency-Key',
      'Idempotent-Replayed',
      'Retry-After',
      'Request-Id',
      'Original-Request',
      'Stripe-Should-Retry',
    ],
  })
  expect(describeKeys({ mode: 'ietf', ttl: '48h' }).expiresAfter).toBe(172_800)
  expect(describeKeys({ mode: square }).member).toBe('idempotency_key')
})

const day = 86_400_000

test('answers say until when they are kept, where that is wanted, and replays say the same', async () => {
  const clock = new VirtualClock()
  await using store = memoryStore({ clock })
  await using idempotency = createIdempotency({ store, clock })
  const told: (string | undefined)[][] = []
  for (const [mode, takes] of [
    [ietf({ tellsExpiry: true }), 0],
    [ietf(), 0],
    [ietf({ tellsExpiry: true }), 2 * day],
  ] as const) {
    const http = idempotency.http({ mode })
    const headers: (string | undefined)[] = []
    for (let attempt = 0; attempt < 2; attempt++) {
      let done = false
      const answering = http.answer(
        {
          method: 'POST',
          path: '/charges',
          query: '',
          headers: [['idempotency-key', `key-${told.length}`]],
          body: new Uint8Array(),
        },
        'acct_1',
        async () => {
          await new Promise<void>((resolve) => void clock.setTimeout(resolve, takes))
          return { status: 201, headers: [], body: new Uint8Array() }
        },
      )
      void answering.finally(() => (done = true))
      await clock.run(() => done)
      const { response } = await answering
      headers.push(response.headers.find(([name]) => name === 'idempotency-expires')?.[1])
    }
    told.push(headers)
  }
  const tomorrow = 'Fri, 02 Jan 1970 00:00:00 GMT'
  // What came when its retention was over.
  const late = 'Sat, 03 Jan 1970 02:24:00 GMT'
  expect(told).toEqual([
    [tomorrow, tomorrow],
    [undefined, undefined],
    [late, late],
  ])
})
