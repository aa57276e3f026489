import {
  type IdempotentFetchOptions,
  idempotentFetch,
  isIdempotencyError,
  memoryStore,
  type Random,
} from '@loadbearing/stripe-idempotency'
import { idempotency } from '@loadbearing/stripe-idempotency/fetch'
import { describe, expect, test } from 'vitest'
import { VirtualClock } from '../virtual-clock.ts'

interface Seen {
  readonly at: number
  readonly key: string | null
  readonly body: string
}

type Answer = Response | Error | ((request: Request) => Promise<Response>)

/** A server that gives these answers, one after the other and the last from then on, and takes `takes` ms for each. */
function world(answers: readonly Answer[], options: IdempotentFetchOptions = {}, takes = 0) {
  const clock = new VirtualClock()
  const seen: Seen[] = []
  const fetch = idempotentFetch(
    async (input, init) => {
      const request = new Request(input, init)
      const answer = answers[Math.min(seen.length, answers.length - 1)]
      seen.push({
        at: clock.now(),
        key: request.headers.get('idempotency-key'),
        body: await request.clone().text(),
      })
      if (takes > 0) await new Promise<void>((resolve) => clock.setTimeout(resolve, takes))
      if (answer instanceof Error) throw answer
      if (answer instanceof Response) return answer.clone()
      if (answer === undefined) throw new Error('there is no answer')
      return answer(request)
    },
    { clock, ...options },
  )
  return {
    clock,
    seen,
    async post(init: RequestInit = {}): Promise<number | string> {
      let outcome: number | string | undefined
      void fetch('http://bank.test/payments', { method: 'POST', body: '{"amount":5}', ...init }).then(
        ({ status }) => (outcome = status),
        (error: unknown) => (outcome = String(error)),
      )
      await clock.run(() => outcome !== undefined)
      return outcome ?? ''
    },
  }
}

const ok = new Response('paid', { status: 200 })
const refused = new TypeError('fetch failed')
const status = (code: number, headers: Record<string, string> = {}): Response =>
  new Response(null, { status: code, headers })

/** The same for every byte. */
const random = (byte: number): Random => ({ bytes: (length) => new Uint8Array(length).fill(byte) })

test('what says that asking again does not help is not asked again', async () => {
  const problem = (type: string, body: string): Response =>
    new Response(body, { status: 409, headers: { 'content-type': type } })
  const clock = new VirtualClock()
  clock.setTimeout = (callback, delay) => {
    queueMicrotask(callback)
    return { at: delay, order: 0, callback }
  }
  const asked = async (answer: Response): Promise<[number, number]> => {
    const answers = [ok.clone(), answer]
    const fetch = idempotentFetch(async () => answers.pop() ?? Response.error(), { clock })
    const { status: last } = await fetch('http://bank.test/payments', { method: 'POST' })
    return [last, 2 - answers.length]
  }
  const json = 'application/problem+json'
  expect(await asked(problem(json, '{"status":409,"retryable":false}'))).toEqual([409, 1])
  expect(await asked(problem(json, '{"status":409,"retryable":true}'))).toEqual([200, 2])
  expect(await asked(problem(json, '{"status":409'))).toEqual([200, 2])
  expect(await asked(problem('application/json', '{"retryable":false}'))).toEqual([200, 2])
})

describe('the key', () => {
  test('is one for all attempts, made before the first', async () => {
    const made: string[] = []
    const { post, seen } = world([refused, status(503), ok], {
      key: (request) => {
        made.push(request.url)
        return 'payment-1'
      },
    })
    expect(await post()).toBe(200)
    expect(made).toEqual(['http://bank.test/payments'])
    expect(seen.map(({ key, body }) => [key, body])).toEqual(seen.map(() => ['payment-1', '{"amount":5}']))
    expect(seen).toHaveLength(3)
  })

  test('is awaited, that it be stored first', async () => {
    const stored = Promise.withResolvers<string>()
    const { post, seen, clock } = world([ok], { key: () => stored.promise })
    clock.setTimeout(() => {
      expect(seen).toEqual([])
      stored.resolve('stored')
    }, 100)
    expect(await post()).toBe(200)
    expect(seen).toEqual([{ at: 100, key: 'stored', body: '{"amount":5}' }])
  })

  test('is another for each call, and that of the request where it has one', async () => {
    const { post, seen } = world([ok])
    await post()
    await post()
    await post({ headers: { 'idempotency-key': 'own' } })
    expect(new Set(seen.map(({ key }) => key)).size).toBe(3)
    expect(seen[2]?.key).toBe('own')
  })

  test.each(['GET', 'HEAD'])('is none for %s, which is sent once', async (method) => {
    const { post, seen } = world([status(503)])
    expect(await post({ method, body: null })).toBe(503)
    expect(seen.map(({ key }) => key)).toEqual([null])
  })
})

describe('whether there is another attempt', () => {
  test.each([
    ['503', status(503), 3],
    ['500', status(500), 3],
    ['409', status(409), 3],
    ['429', status(429), 3],
    ['an error of the connection', refused, 3],
    ['200', ok, 1],
    ['400', status(400), 1],
    ['402', status(402), 1],
    ['500 that is said to stay', status(500, { 'stripe-should-retry': 'false' }), 1],
    ['409 that is said to stay', status(409, { 'stripe-should-retry': 'false' }), 1],
    ['400 that is said to pass', status(400, { 'stripe-should-retry': 'true' }), 3],
    ['503 for longer than a client waits', status(503, { 'retry-after': '61' }), 1],
  ])('%s', async (_, answer, attempts) => {
    const { post, seen } = world([answer])
    expect(await post()).toBe(answer instanceof Error ? String(answer) : answer.status)
    expect(seen).toHaveLength(attempts)
  })

  test('retries are few in relation to calls', async () => {
    const { post, seen } = world([status(503)], { budget: { ratio: 0.25, burst: 4 } })
    for (let n = 0; n < 100; n++) await post()
    // 4 at once, and one for every fourth call.
    expect(seen.length).toBeGreaterThanOrEqual(100 + 25)
    expect(seen.length).toBeLessThanOrEqual(100 + 25 + 4)
  })

  test('none comes when the server may have forgotten the key', async () => {
    const hour = 3_600_000
    const { post, seen } = world([status(503)], { retries: 100, budget: { burst: 100 } }, hour)
    expect(await post()).toBe(503)
    // The last began before 24 h less a minute.
    expect(seen).toHaveLength(24)
    expect(Math.max(...seen.map(({ at }) => at))).toBeLessThan(24 * hour - 60_000)
  })

  test('none comes after the caller has given up', async () => {
    const stop = new AbortController()
    const { post, seen, clock } = world([status(503, { 'retry-after': '10' })])
    clock.setTimeout(() => stop.abort(new Error('no longer wanted')), 5000)
    expect(await post({ signal: stop.signal })).toBe('Error: no longer wanted')
    expect(seen).toHaveLength(1)
    expect(clock.now()).toBe(5000)
  })
})

describe('when there is another attempt', () => {
  test.each([0, 128, 255])('as stripe-node has it, with chance %i of 255', async (byte) => {
    const { post, seen } = world([status(503)], {
      retries: 8,
      budget: { burst: 100 },
      random: random(byte),
      key: () => 'k',
    })
    await post()
    const rand = ((byte * 0x01_01_01_01) >>> 0) / 2 ** 32
    const pauses = seen.slice(1).map(({ at }, n) => at - (seen[n]?.at ?? 0))
    expect(pauses).toHaveLength(8)
    for (const [n, pause] of pauses.entries()) {
      // The formula of RequestSender.js in seconds, with n retries made.
      const expected = Math.max(0.5, Math.min(0.5 * 2 ** (n - 1), 5) * 0.5 * (1 + rand))
      expect(pause / 1000).toBeCloseTo(expected, 6)
    }
  })

  test.each([
    ['seconds', '2'],
    ['a date', new Date(2000).toUTCString()],
  ])('as Retry-After says, in %s, and at most half a second later', async (_, value) => {
    for (const byte of [0, 255]) {
      const { post, seen } = world([status(503, { 'retry-after': value }), ok], { random: random(byte) })
      expect(await post()).toBe(200)
      expect(seen[1]?.at).toBeGreaterThanOrEqual(2000)
      expect(seen[1]?.at).toBeLessThanOrEqual(2500)
    }
  })

  test.each(['soon', '-1', '', '1e3'])('Retry-After: %j is as if there were none', async (value) => {
    const { post, seen } = world([status(503, { 'retry-after': value }), ok])
    expect(await post()).toBe(200)
    expect(seen[1]?.at).toBe(500)
  })
})

test('a call whose answers are lost has one effect, and its answer', async () => {
  const clock = new VirtualClock()
  let effects = 0
  const server = idempotency({
    store: memoryStore({ clock }),
    clock,
    mode: 'stripe-v1',
    scope: () => 'acct_1',
  })(async () => {
    effects++
    await new Promise<void>((resolve) => clock.setTimeout(resolve, 700))
    return Response.json({ id: `pay_${effects}` })
  })
  let attempts = 0
  const fetch = idempotentFetch(
    async (input, init) => {
      attempts++
      const answer = server(new Request(input, init))
      if (attempts > 2) return answer
      // The connection is cut before the answer.
      void answer.catch(() => {})
      throw refused
    },
    { clock, retries: 5 },
  )
  let body: unknown
  const call = async (): Promise<void> => {
    body = await (await fetch('http://bank.test/payments', { method: 'POST', body: '{}' })).json()
  }
  void call()
  await clock.run(() => body !== undefined)
  expect(body).toEqual({ id: 'pay_1' })
  expect(effects).toBe(1)
  expect(attempts).toBeGreaterThanOrEqual(3)
})

test.each([
  ['retries', { retries: -1 }],
  ['budget.ratio', { budget: { ratio: Number.NaN } }],
  ['retention', { retention: 0 }],
  ['maxRetryAfter', { maxRetryAfter: 'soon' }],
  ['header', { header: 'Idempotency Key' }],
  ['methods', { methods: ['POST', ''] }],
] as const)('%s is checked when it is given', (name, options) => {
  const make = (): unknown => idempotentFetch(fetch, options)
  expect(make).toThrow(name)
  expect(make).toThrow(expect.objectContaining({ code: 'invalid_option' }))
  try {
    make()
  } catch (error) {
    expect(isIdempotencyError(error)).toBe(true)
  }
})

test('methods are a list', () => {
  // @ts-expect-error A text is no list, and its letters are no methods.
  expect(() => idempotentFetch(fetch, { methods: 'POST' })).toThrow(/^methods must be a list/)
})

test('a server may remember keys for the 30 days of v2', async () => {
  const { post, seen } = world([status(503), ok], { retention: '30d' })
  expect(await post()).toBe(200)
  expect(seen).toHaveLength(2)
})

test('what makes the key may read the body', async () => {
  const { post, seen } = world([status(503), ok], {
    key: async (request) => `key of ${await request.text()}`,
  })
  expect(await post()).toBe(200)
  expect(seen.map(({ key, body }) => [key, body])).toEqual(
    Array.from({ length: 2 }, () => ['key of {"amount":5}', '{"amount":5}']),
  )
})

test.each([
  ['of the option', { key: () => ' ' }, {}],
  ['of the caller', {}, { headers: { 'idempotency-key': '' } }],
] as const)('with an empty key %s nothing is sent', async (_, options, init) => {
  const { post, seen } = world([ok], options)
  expect(await post(init)).toMatch(/the key of a request must not be empty/)
  expect(seen).toEqual([])
})

test('a call that is given up while the body of an answer is let go does not wait any more', async () => {
  const gone = new AbortController()
  const answer = new Response(new ReadableStream({ cancel: () => gone.abort('gone') }), { status: 503 })
  const { post, seen, clock } = world([async () => answer], { retries: 3 })
  expect(await post({ signal: gone.signal })).toBe('gone')
  expect([seen.length, clock.now()]).toEqual([1, 0])
})
