import { once } from 'node:events'
import {
  type Client,
  type ClientReadableStream,
  credentials,
  Metadata,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceError,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js'
import { InvalidOptionError, isResilienceError, Registry } from '@loadbearing/hystrix-breaker'
import { breakerInterceptor, type GrpcBreakerOptions } from '@loadbearing/hystrix-breaker/grpc'
import { expect, test } from 'vitest'
import { steppedClock } from '../stream/stepped-clock.ts'

const encode = (text: string): Buffer => Buffer.from(text)
const decode = (bytes: Buffer): string => bytes.toString()
const method = (path: string, requestStream: boolean, responseStream: boolean) => ({
  path: `/test.Users/${path}`,
  requestStream,
  responseStream,
  requestSerialize: encode,
  requestDeserialize: decode,
  responseSerialize: encode,
  responseDeserialize: decode,
})
const service = {
  get: method('Get', false, false),
  list: method('List', false, true),
  put: method('Put', true, false),
  chat: method('Chat', true, true),
}

interface Users extends Client {
  get(id: string, metadata: Metadata, options: object, callback: Answered): { cancel(): void }
  list(id: string): ClientReadableStream<string>
  put(callback: Answered): { write(text: string): boolean; end(): void }
  chat(): ClientReadableStream<string> & { write(text: string): boolean; end(): void }
}
type Answered = (error: ServiceError | null, text?: string) => void

/** A server that ends calls with the code that the request names, or holds them; and a client with a breaker before it. */
async function guarded({ options, ...more }: GrpcBreakerOptions = {}) {
  const held: { call: ServerUnaryCall<string, string>; answer: sendUnaryData<string> }[] = []
  const told: (() => void)[] = []
  let seen = 0
  const fail = (code: number) => ({ code, details: `code ${code}`, metadata: new Metadata() })
  const server = new Server()
  server.addService(service, {
    get(call: ServerUnaryCall<string, string>, answer: sendUnaryData<string>) {
      seen++
      if (call.request === 'hang') held.push({ call, answer })
      else if (Number(call.request) > 0) answer(fail(Number(call.request)))
      else answer(null, `user ${call.request}`)
      for (const tell of told.splice(0)) tell()
    },
    list(
      call: ServerUnaryCall<string, string> & {
        write(text: string): void
        end(): void
        emit: NodeJS.EventEmitter['emit']
      },
    ) {
      seen++
      for (const text of ['a', 'b', 'c']) call.write(text)
      if (Number(call.request) > 0) call.emit('error', fail(Number(call.request)))
      else if (call.request !== 'endless') call.end()
    },
    put(call: AsyncIterable<string>, answer: sendUnaryData<string>) {
      void (async () => {
        let all = ''
        for await (const text of call) all += text
        answer(null, all)
      })()
    },
    chat(call: NodeJS.ReadWriteStream) {
      call.on('data', (text: string) => call.write(text.toUpperCase()))
      call.on('end', () => call.end())
    },
  })
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
  const clock = steppedClock()
  const registry = new Registry()
  const own = typeof options === 'function' ? {} : options
  const Users = makeGenericClientConstructor(service, 'Users')
  const client = new Users(`127.0.0.1:${port}`, credentials.createInsecure(), {
    interceptors: [
      breakerInterceptor({
        registry,
        ...more,
        options: { volumeThreshold: 2, sleepWindow: 1000, clock, ...own },
      }),
    ],
  }) as unknown as Users
  const call = (id: string, callOptions: object = {}) => {
    const { promise, resolve } = Promise.withResolvers<ServiceError | string>()
    const started = client.get(id, new Metadata(), callOptions, (error, text) => resolve(error ?? text ?? ''))
    return { answer: promise, cancel: () => started.cancel() }
  }
  return {
    client,
    clock,
    registry,
    held,
    seen: () => seen,
    server,
    call,
    get: (id: string | number, callOptions?: object) => call(String(id), callOptions).answer,
    get breaker() {
      const found = registry.get('test.Users')
      if (found === undefined) throw new TypeError('There is no breaker')
      return found
    },
    until: async (found: () => boolean): Promise<void> => {
      while (!found()) await new Promise<void>((resolve) => told.push(resolve))
    },
    [Symbol.asyncDispose]: async () => {
      client.close()
      server.forceShutdown()
    },
  }
}

async function read(
  stream: ClientReadableStream<string>,
): Promise<{ texts: string[]; error?: ServiceError }> {
  const texts: string[] = []
  try {
    for await (const text of stream) texts.push(String(text))
    return { texts }
  } catch (error) {
    return { texts, error: error as ServiceError }
  }
}

test('failures open the circuit, a refused call is not started, a probe closes it', async () => {
  await using it = await guarded()
  expect(await it.get('x')).toBe('user x')
  expect(await it.get(status.UNAVAILABLE)).toMatchObject({ code: status.UNAVAILABLE, details: 'code 14' })
  expect(it.breaker.state).toBe('open')
  it.clock.advance(400)
  const refused = await it.get('x')
  expect(refused).toMatchObject({
    code: status.UNAVAILABLE,
    details: expect.stringMatching(/test.Users/),
    cause: { code: 'CIRCUIT_OPEN', retryAfter: 600 },
  })
  expect(isResilienceError((refused as ServiceError).cause)).toBe(true)
  expect(it.seen()).toBe(2)
  it.clock.advance(600)
  expect(await it.get('x')).toBe('user x')
  expect(it.breaker.state).toBe('closed')
})

const counted = ['UNKNOWN', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS']
const names = Object.keys(status).filter(
  (name) => /^[A-Z]/.test(name) && name !== 'OK',
) as (keyof typeof status)[]

test.each(names)('status %s', async (name) => {
  await using it = await guarded({ options: { volumeThreshold: 99 } })
  expect(await it.get(status[name])).toMatchObject({ code: status[name] })
  expect(it.breaker.counts).toMatchObject({
    total: name === 'CANCELLED' ? 0 : 1,
    failures: counted.includes(name) ? 1 : 0,
  })
})

test('a server that is not there, and a deadline, count', async () => {
  await using it = await guarded({ options: { volumeThreshold: 99 } })
  expect(await it.get('hang', { deadline: Date.now() + 50 })).toMatchObject({
    code: status.DEADLINE_EXCEEDED,
  })
  it.server.forceShutdown()
  expect(await it.get('x')).toMatchObject({ code: status.UNAVAILABLE })
  expect(it.breaker.counts).toMatchObject({ total: 2, failures: 2 })
})

test('a caller that cancels counts neither way, and its probe goes to the next one', async () => {
  await using it = await guarded()
  await it.get(status.INTERNAL)
  await it.get(status.INTERNAL)
  it.clock.advance(1000)
  const probe = it.call('hang')
  await it.until(() => it.held.length === 1)
  expect(it.breaker.state).toBe('half-open')
  expect(await it.get('x')).toMatchObject({ code: status.UNAVAILABLE })
  const ended = once(it.held[0]?.call as unknown as NodeJS.EventEmitter, 'cancelled')
  probe.cancel()
  expect(await probe.answer).toMatchObject({ code: status.CANCELLED })
  await ended
  expect(it.breaker.calls.running).toBe(0)
  expect(await it.get('x')).toBe('user x')
  expect(it.breaker.state).toBe('closed')
})

test('a full bulkhead is RESOURCE_EXHAUSTED; who cancels while it waits is not sent; who waits is served', async () => {
  await using it = await guarded({ options: { bulkhead: { max: 1, queue: 2 } } })
  const first = it.get('hang')
  await it.until(() => it.held.length === 1)
  const second = it.call('second')
  const third = it.get('third')
  expect(it.breaker.calls.queued).toBe(2)
  expect(await it.get('x')).toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    cause: { code: 'BULKHEAD_FULL' },
  })
  second.cancel()
  expect(await second.answer).toMatchObject({ code: status.CANCELLED, details: 'Cancelled on client' })
  it.held[0]?.answer(null, 'the first')
  expect([await first, await third]).toEqual(['the first', 'user third'])
  expect(it.seen()).toBe(2)
  expect(it.breaker.calls).toEqual({ running: 0, queued: 0 })
})

test('a deadline that passes while the call waits for a place ends it, uncounted', async () => {
  await using it = await guarded({ options: { bulkhead: { max: 1, queue: 2 } } })
  const first = it.get('hang')
  await it.until(() => it.held.length === 1)
  // The clock of the breaker begins at 0.
  const second = it.get('second', { deadline: 500 })
  const third = it.get('third', { deadline: new Date(2000) })
  it.clock.advance(500)
  expect(await second).toMatchObject({
    code: status.DEADLINE_EXCEEDED,
    details: expect.stringMatching(/waiting for a place/),
  })
  it.held[0]?.answer(null, 'the first')
  expect(await first).toBe('the first')
  // It is sent, and the clock of gRPC is another one.
  expect(await third).toMatchObject({ code: status.DEADLINE_EXCEEDED })
  expect(it.clock.pending()).toBe(0)
  expect(it.breaker.metrics.total()).toMatchObject({ CANCELLED: 1, SUCCESS: 1, FAILURE: 1 })
})

test('the time limit of the breaker cancels the call at the server', async () => {
  await using it = await guarded({ options: { timeout: 300, volumeThreshold: 1 } })
  const asked = it.get('hang')
  await it.until(() => it.held.length === 1)
  const cancelled = once(it.held[0]?.call as unknown as NodeJS.EventEmitter, 'cancelled')
  it.clock.advance(300)
  expect(await asked).toMatchObject({ code: status.DEADLINE_EXCEEDED, cause: { code: 'TIMEOUT' } })
  await cancelled
  expect(it.breaker.state).toBe('open')
})

test('streams: an answer that breaks off counts as failed, one that ends as a success', async () => {
  await using it = await guarded({ options: { volumeThreshold: 99 } })
  expect(await read(it.client.list('x'))).toEqual({ texts: ['a', 'b', 'c'] })
  expect(await read(it.client.list(String(status.DATA_LOSS)))).toMatchObject({
    texts: ['a', 'b', 'c'],
    error: { code: status.DATA_LOSS },
  })
  const { promise, resolve } = Promise.withResolvers<string>()
  const put = it.client.put((error, text) => resolve(text ?? String(error)))
  for (const text of ['1', '2', '3']) put.write(text)
  put.end()
  expect(await promise).toBe('123')
  const chat = it.client.chat()
  for (const text of ['x', 'y']) chat.write(text)
  chat.end()
  expect(await read(chat)).toEqual({ texts: ['X', 'Y'] })
  expect(it.breaker.counts).toMatchObject({ total: 4, failures: 1 })
  expect(it.breaker.calls.running).toBe(0)

  it.breaker.force('forced-open')
  expect(await read(it.client.list('x'))).toMatchObject({
    texts: [],
    error: { cause: { code: 'CIRCUIT_OPEN' } },
  })
  const refused = Promise.withResolvers<ServiceError | null>()
  const putAgain = it.client.put((error) => refused.resolve(error))
  putAgain.write('1')
  putAgain.end()
  expect(await refused.promise).toMatchObject({ code: status.UNAVAILABLE })
})

test('a stream without an end settles with its metadata where that is asked for', async () => {
  await using it = await guarded({ settleAt: 'metadata' })
  const stream = it.client.list('endless')
  await once(stream, 'metadata')
  expect(it.breaker.counts).toMatchObject({ total: 1, failures: 0 })
  expect(it.breaker.calls.running).toBe(0)
  const ended = new Promise<void>((resolve) => stream.once('status', () => resolve()))
  stream.on('error', () => {})
  stream.cancel()
  await ended
  expect(it.breaker.metrics.total()).toMatchObject({ SUCCESS: 1, CANCELLED: 0 })
})

test('another key, none, other codes', async () => {
  await using it = await guarded({
    keyOf: ({ method_definition: { path } }) => (path.endsWith('List') ? undefined : path),
    isFailureStatus: (code) => code === status.NOT_FOUND,
    options: { volumeThreshold: 99 },
  })
  await read(it.client.list('x'))
  await it.get(status.NOT_FOUND)
  await it.get(status.INTERNAL)
  expect([...it.registry].map(({ name, counts }) => [name, counts.failures])).toEqual([
    ['/test.Users/Get', 1],
  ])
})

test.each([
  [{ settleAt: 'end' }, /settleAt must be status or metadata, not "end"/],
  [{ keyOf: 1 }, /keyOf must be a function/],
  [{ isFailureStatus: 14 }, /isFailureStatus must be a function/],
  [{ strange: 1 }, /there is no "strange"/],
])('%j is refused', (options, message) => {
  expect(() => breakerInterceptor(options as unknown as GrpcBreakerOptions)).toThrow(InvalidOptionError)
  expect(() => breakerInterceptor(options as unknown as GrpcBreakerOptions)).toThrow(message)
})
