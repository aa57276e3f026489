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
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
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

  /** Ends what a client's backend sleeps in: before it sleeps, PostgreSQL would overlook the request. */
  async function wake(client: pg.PoolClient): Promise<void> {
    const { processID } = client as unknown as { processID: number }
    const own = new pg.Client(server.url)
    await own.connect()
    const cancel = `select pg_cancel_backend(pid) from pg_stat_activity where pid = $1 and wait_event = 'PgSleep'`
    await eventually(async () => (await own.query(cancel, [processID])).rowCount === 1, {
      what: 'the backend to sleep',
    })
    await own.end()
  }

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
    const own = { text: 'select 6 as n', callback: undefined as unknown }
    const { promise: six, resolve: toldOfSix } = Promise.withResolvers<unknown>()
    own.callback = (_: unknown, result: { rows: unknown[] }) => toldOfSix(result.rows)
    void client.query(own)
    expect(await six).toEqual([{ n: 6 }])
    expect(it.breaker.counts.total).toBe(8)
    it.breaker.force('forced-open')
    await expect(told((callback) => client.query('select 1', callback))).rejects.toMatchObject({
      code: 'CIRCUIT_OPEN',
    })
    const { promise: refused, resolve: toldOfRefusal } = Promise.withResolvers<unknown>()
    void client.query({ text: 'select 1', callback: toldOfRefusal } as pg.QueryConfig)
    expect(await refused).toMatchObject({ code: 'CIRCUIT_OPEN' })
    expect(() => client.query(null as unknown as string)).toThrow(TypeError)
    client.release()
  })

  describe('cursors, streams of rows and queries that are sent themselves', () => {
    const rows = (stream: QueryStream): Promise<unknown[]> => stream.toArray()

    test('have succeeded with their first row, or with an end without one', async () => {
      await using it = await guarded()
      const client = await it.pool.connect()
      const successes = (): number => it.breaker.metrics.total().SUCCESS
      const cursor = client.query(new Cursor('select n from generate_series(1, 5) n'))
      expect(successes()).toBe(1)
      expect(await cursor.read(2)).toEqual([{ n: 1 }, { n: 2 }])
      expect(successes()).toBe(2)
      expect(await cursor.read(9)).toHaveLength(3)
      expect(await cursor.read(9)).toEqual([])
      await cursor.close()
      const unread = client.query(new Cursor('select 1'))
      await unread.close()
      const empty = client.query(new Cursor('select 1 where false'))
      expect(await empty.read(9)).toEqual([])
      const stream = client.query(new QueryStream('select n from generate_series(1, 1000) n'))
      expect(await rows(stream)).toHaveLength(1000)
      const [result] = await once(client.query(new pg.Query('select 6 as n')), 'end')
      expect(result.rows).toEqual([{ n: 6 }])
      expect(it.breaker.metrics.total()).toMatchObject({ SUCCESS: 6, FAILURE: 0, BAD_REQUEST: 0 })
      expect(it.breaker.calls.running).toBe(0)
      client.release()
    })

    test('count as failed where queries do, and open the circuit, which refuses them', async () => {
      await using it = await guarded()
      const client = await it.pool.connect()
      expect(await codeOf(client.query(new Cursor('selec 1')).read(1))).toBe('42601')
      expect(await codeOf(rows(client.query(new QueryStream('select 1/0'))))).toBe('22012')
      expect(it.breaker.metrics.total()).toMatchObject({ BAD_REQUEST: 2, FAILURE: 0 })
      await client.query('select 1')
      const slow = codeOf(client.query(new Cursor('select pg_sleep(60)')).read(1))
      await wake(client)
      expect(await slow).toBe('57014')
      const slowStream = codeOf(rows(client.query(new QueryStream('select pg_sleep(60)'))))
      await wake(client)
      expect(await slowStream).toBe('57014')
      expect(it.breaker.state).toBe('open')
      const refused = client.query(new Cursor('select 1'))
      expect(await codeOf(refused.read(1))).toBe('CIRCUIT_OPEN')
      expect(await codeOf(refused.read(1))).toBe('CIRCUIT_OPEN')
      await refused.close()
      expect(await codeOf(rows(client.query(new QueryStream('select 1'))))).toBe('CIRCUIT_OPEN')
      expect(await codeOf(once(client.query(new pg.Query('select 1')), 'end'))).toBe('CIRCUIT_OPEN')
      const told = Promise.withResolvers<unknown>()
      // As a pool does, for a client that it gets back when it is told.
      Reflect.apply(client.query, client, [new QueryStream('select 1'), undefined, told.resolve])
      expect(await told.promise).toMatchObject({ code: 'CIRCUIT_OPEN' })
      it.clock.advance(1000)
      expect(await rows(client.query(new QueryStream('select 1 as n')))).toEqual([{ n: 1 }])
      expect(it.breaker.state).toBe('closed')
      client.release()
    })

    test('a connection that breaks before their first row counts, and so does none to come by', async () => {
      await using it = await guarded({ volumeThreshold: 99 })
      const client = await it.pool.connect()
      client.on('error', () => {})
      const cursor = client.query(new Cursor('select pg_sleep(60)'))
      const row = codeOf(cursor.read(1))
      await eventually(() => it.breaker.calls.running === 1)
      it.proxy.reset()
      expect(await row).not.toBe(undefined)
      expect(it.breaker.counts.failures).toBe(1)
      client.release(true)
    })

    test('of a transaction, pass an open circuit', async () => {
      await using it = await guarded()
      const client = await it.pool.connect()
      await client.query('BEGIN')
      it.breaker.force('forced-open')
      expect(await client.query(new Cursor('select 1 as n')).read(1)).toEqual([{ n: 1 }])
      client.release(true)
    })

    test('the time limit ends with the first row; the connection is of use after a cursor that was too slow', async () => {
      await using it = await guarded({ timeout: 300, volumeThreshold: 99, lagTolerance: false })
      const client = await it.pool.connect()
      const read = client.query(new Cursor('select n from generate_series(1, 2) n'))
      expect(await read.read(1)).toEqual([{ n: 1 }])
      it.clock.advance(1000)
      expect(await read.read(1)).toEqual([{ n: 2 }])
      await read.close()
      const slow = codeOf(client.query(new Cursor('select pg_sleep(60)')).read(1))
      // pg sends these when the first one is over.
      const unsent = [
        codeOf(client.query(new Cursor('select 2')).read(1)),
        codeOf(once(client.query(new pg.Query('select 1')), 'end')),
      ]
      it.clock.advance(300)
      expect(await Promise.all([slow, ...unsent])).toEqual(['TIMEOUT', 'TIMEOUT', 'TIMEOUT'])
      expect(it.breaker.metrics.total()).toMatchObject({ TIMEOUT: 3 })
      await wake(client)
      expect((await client.query('select 7 as n')).rows).toEqual([{ n: 7 }])
      client.release()
    })

    test('wait for a place where there is a queue', async () => {
      await using it = await guarded({ bulkhead: { max: 1, queue: 1 } })
      const client = await it.pool.connect()
      const first = client.query(new Cursor('select 1 as n'))
      const second = client.query(new Cursor('select 2 as n'))
      const third = client.query(new Cursor('select 3 as n'))
      expect(await codeOf(third.read(1))).toBe('BULKHEAD_FULL')
      const two = second.read(1)
      expect(await first.read(1)).toEqual([{ n: 1 }])
      await first.close()
      expect(await two).toEqual([{ n: 2 }])
      await second.close()
      client.release()
    })
  })

  test('the time limit answers the caller', async () => {
    await using it = await guarded({ timeout: 300, volumeThreshold: 1, lagTolerance: false })
    const client = await it.pool.connect()
    const slow = codeOf(client.query('select pg_sleep(60)'))
    it.clock.advance(300)
    expect(await slow).toBe('TIMEOUT')
    await wake(client)
    client.release()
    expect(it.breaker.metrics.total()).toMatchObject({ TIMEOUT: 1, SUCCESS: 1 })
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
