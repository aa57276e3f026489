import { once } from 'node:events'
import { eventually, tcpProxy } from '@loadbearing/harness/faults'
import { postgres, skipWithout } from '@loadbearing/harness/services'
import { type Breaker, InvalidOptionError, Registry } from '@loadbearing/hystrix-breaker'
import {
  breakerClient,
  isDatabaseFailure,
  type KeyedBreakerOptions,
  type PgBreakerOptions,
} from '@loadbearing/hystrix-breaker/pg'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { steppedClock } from '../stream/stepped-clock.ts'

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )

describe.skipIf(skipWithout('postgres'))('pg', () => {
  let server: Awaited<ReturnType<typeof postgres>>
  beforeAll(async () => {
    server = await postgres({ name: 'breaker-pg' })
  })
  afterAll(() => server[Symbol.asyncDispose]())

  /** A pool behind a proxy, with a breaker before it. */
  async function guarded(own: KeyedBreakerOptions = {}) {
    const proxy = await tcpProxy({ target: server.url })
    const clock = steppedClock()
    const registry = new Registry()
    const Client = breakerClient(pg.Client, {
      registry,
      keyOf: () => 'db',
      options: { volumeThreshold: 2, sleepWindow: 1000, clock, ...own },
    })
    const pool = new pg.Pool({ connectionString: proxy.url, Client, max: 4 })
    pool.on('error', () => {})
    return {
      proxy,
      clock,
      registry,
      Client,
      pool,
      get breaker(): Breaker {
        const found = registry.get('db')
        if (found === undefined) throw new TypeError('There is no breaker')
        return found
      },
      async [Symbol.asyncDispose]() {
        await pool.end()
        await proxy[Symbol.asyncDispose]()
      },
    }
  }

  test('a database that is gone opens the circuit; it is not asked while open; a probe closes it', async () => {
    await using it = await guarded({ volumeThreshold: 4 })
    expect((await it.pool.query('select $1::int as n', [7])).rows).toEqual([{ n: 7 }])
    expect(it.breaker.counts).toMatchObject({ total: 2, failures: 0 })
    it.proxy.refuse()
    it.proxy.reset()
    await eventually(() => it.pool.totalCount === 0, { what: 'the pool to see it' })
    for (let n = 0; n < 2; n++) expect(await codeOf(it.pool.query('select 1'))).not.toBe('CIRCUIT_OPEN')
    expect(it.breaker.state).toBe('open')
    expect(await codeOf(it.pool.query('select 1'))).toBe('CIRCUIT_OPEN')
    await it.proxy.heal()
    expect(await codeOf(it.pool.query('select 1'))).toBe('CIRCUIT_OPEN')
    it.clock.advance(1000)
    expect((await it.pool.query('select 1 as n')).rows).toEqual([{ n: 1 }])
    expect(it.breaker.state).toBe('closed')
  })

  test('what PostgreSQL says of a statement counts neither way, what it says of itself counts', async () => {
    await using it = await guarded({ volumeThreshold: 99 })
    await it.pool.query('create temporary table t (id int primary key)')
    for (const [text, code] of [
      ['selec 1', '42601'],
      ['select * from nowhere', '42P01'],
      ['select 1/0', '22012'],
    ] as const)
      expect(await codeOf(it.pool.query(text))).toBe(code)
    // The pool connects again after each of them.
    expect(it.breaker.metrics.total()).toMatchObject({ BAD_REQUEST: 3, FAILURE: 0 })
    expect(await codeOf(it.pool.query('set statement_timeout = 20; select pg_sleep(60)'))).toBe('57014')
    expect(await codeOf(it.pool.query('select pg_terminate_backend(pg_backend_pid())'))).toBe('57P01')
    expect(it.breaker.counts.failures).toBe(2)
  })

  test('a transaction is admitted with its BEGIN; its statements and its ROLLBACK pass an open circuit', async () => {
    await using it = await guarded()
    const client = await it.pool.connect()
    await client.query('BEGIN')
    it.breaker.force('forced-open')
    expect((await client.query('select 2 as n')).rows).toEqual([{ n: 2 }])
    expect(await codeOf(client.query('select 1/0'))).toBe('22012')
    expect(await codeOf(client.query('select 1'))).toBe('25P02')
    await client.query('ROLLBACK')
    expect(await codeOf(client.query('select 1'))).toBe('CIRCUIT_OPEN')
    it.breaker.reset()
    const [, inserted, committed] = [
      client.query(' start transaction'),
      client.query('select 3 as n'),
      client.query('COMMIT'),
    ]
    it.breaker.force('forced-open')
    expect((await inserted)?.rows).toEqual([{ n: 3 }])
    expect((await committed)?.command).toBe('COMMIT')
    client.release()
  })

  test('callbacks, configs, prepared statements and cursors', async () => {
    await using it = await guarded()
    const client = await it.pool.connect()
    const told = (
      run: (callback: (error: unknown, result: { rows: unknown[] }) => void) => void,
    ): Promise<unknown> =>
      new Promise((resolve, reject) => {
        run((error, result) => (error === null || error === undefined ? resolve(result.rows) : reject(error)))
      })
    expect(await told((callback) => client.query('select 1 as n', callback))).toEqual([{ n: 1 }])
    expect(await told((callback) => client.query('select $1::int as n', [2], callback))).toEqual([{ n: 2 }])
    expect(await told((callback) => client.query({ text: 'select 3 as n' }, callback))).toEqual([{ n: 3 }])
    // As of packages for templates: the text is of its class.
    class Template {
      get text() {
        return 'select $1::int as n'
      }
      readonly values = [4]
    }
    expect((await client.query(new Template())).rows).toEqual([{ n: 4 }])
    const named = { name: 'five', text: 'select $1::int as n', values: [5], rowMode: 'array' } as const
    for (let n = 0; n < 2; n++) expect((await client.query({ ...named, values: [5] })).rows).toEqual([[5]])
    const before = it.breaker.counts.total
    const [result] = await once(client.query(new pg.Query('select 6 as n')), 'end')
    expect(result.rows).toEqual([{ n: 6 }])
    expect(it.breaker.counts.total).toBe(before)
    it.breaker.force('forced-open')
    await expect(told((callback) => client.query('select 1', callback))).rejects.toMatchObject({
      code: 'CIRCUIT_OPEN',
    })
    expect(() => client.query(null as unknown as string)).toThrow(TypeError)
    client.release()
  })

  test('the time limit answers the caller', async () => {
    await using it = await guarded({ timeout: 300, volumeThreshold: 1, lagTolerance: false })
    const client = await it.pool.connect()
    const other = await it.pool.connect()
    const slow = codeOf(client.query('select pg_sleep(60)'))
    const pid = (client as unknown as { processID: number }).processID
    it.clock.advance(300)
    expect(await slow).toBe('TIMEOUT')
    await other.query('select pg_cancel_backend($1)', [pid])
    client.release()
    other.release()
    expect(it.breaker.metrics.total()).toMatchObject({ TIMEOUT: 1, SUCCESS: 3 })
  })

  test('a client of its own, its name, and none', async () => {
    const registry = new Registry()
    const { hostname, port } = new URL(server.url)
    const client = new (breakerClient(pg.Client, { registry }))({ connectionString: server.url })
    await client.connect()
    await client.query('select 1')
    await client.end()
    expect(await codeOf(client.query('select 1'))).toBe('Client was closed and is not queryable')
    expect([...registry].map(({ name, counts }) => [name, counts.total, counts.failures])).toEqual([
      [`postgres://${hostname}:${port}/postgres`, 2, 0],
    ])
    const free = new (breakerClient(pg.Client, { registry: new Registry(), keyOf: () => undefined }))(
      server.url,
    )
    await free.connect()
    expect((await free.query('select 1 as n')).rows).toEqual([{ n: 1 }])
    await free.end()
  })
})

// Of PostgreSQL's documentation, appendix A.
test.each([
  ['08006', true],
  ['53300', true],
  ['57014', true],
  ['57P03', true],
  ['58030', true],
  ['XX000', true],
  ['23505', false],
  ['40001', false],
  ['40P01', false],
  ['42601', false],
  ['28P01', false],
  ['25P02', false],
])('SQLSTATE %s tells of the database: %s', (code, is) => {
  expect(isDatabaseFailure(Object.assign(new Error('x'), { severity: 'ERROR', code }))).toBe(is)
})

test('other errors', () => {
  expect(isDatabaseFailure(Object.assign(new Error('connect'), { code: 'EPIPE' }))).toBe(true)
  expect(isDatabaseFailure(new Error('Query read timeout'))).toBe(true)
  expect(isDatabaseFailure(new TypeError('callback is not a function'))).toBe(false)
  expect(isDatabaseFailure('no error')).toBe(false)
})

test.each([
  [pg.Client, { keyOf: 1 }, /keyOf must be a function/],
  [pg.Client, { options: { name: 'x' } }, /options.name cannot be given/],
  [pg.Client, { strange: 1 }, /there is no "strange"/],
  [{}, {}, /Client must be that of pg, not an object/],
])('%j, %j is refused', (Client, options, message) => {
  const make = (): unknown =>
    breakerClient(Client as typeof pg.Client, options as unknown as PgBreakerOptions)
  expect(make).toThrow(InvalidOptionError)
  expect(make).toThrow(message)
})
