import { DatabaseSync } from 'node:sqlite'
import { skipWithout } from '@loadbearing/harness/services'
import { createIdempotency } from '@loadbearing/stripe-idempotency'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Kind, openWorld, operations, pay, runCli, type World } from './world.ts'

const paid = (): Promise<string> => Promise.resolve('paid')
const lost = (): Promise<string> => Promise.reject(new Error('lost'))
const secret = 'a secret of 32 bytes, or so, yes'
const kinds: readonly Kind[] = ['sqlite', 'postgres', 'redis']

for (const kind of kinds) {
  describe.skipIf(kind !== 'sqlite' && skipWithout(kind))(`the command, on a store in ${kind}`, () => {
    let world: World

    beforeAll(async () => {
      world = await openWorld(kind)
    }, 120_000)

    afterAll(async () => {
      await world?.[Symbol.asyncDispose]()
    })

    test('lists, shows and settles what is uncertain', async () => {
      const { http, run } = world
      for (const key of ['a', 'b']) {
        await pay(http, key, lost)
        expect(await pay(http, key, paid)).toEqual([409, expect.stringContaining('idempotency_uncertain')])
      }
      await pay(http, 'c', paid)
      expect((await run('ls')).lines).toHaveLength(3)
      expect((await run('ls', '--limit', '2')).lines).toHaveLength(2)
      expect((await run('ls', '--scope', 'acct_2')).lines).toEqual([])
      expect((await run('ls', '--abandoned', '1d')).lines).toEqual([])
      const { lines } = await run('ls', '--state', 'uncertain')
      expect(lines.map(({ state, scope, endpoint }) => [state, scope, endpoint])).toEqual(
        lines.map(() => ['uncertain', 'acct_1', 'POST /v1/charges']),
      )
      const ids = lines.map(({ id }) => String(id))
      expect(ids).toHaveLength(2)

      const applied = ids[0] ?? ''
      expect((await run('show', applied)).lines).toEqual([lines[0]])
      expect(await run('resolve', applied, '--applied', '{"id":"ch_9"}')).toMatchObject({
        status: 0,
        lines: [{ id: applied, resolved: true }],
      })
      // It is settled once.
      expect(await run('resolve', applied, '--not-applied')).toMatchObject({
        status: 1,
        lines: [{ resolved: false }],
      })
      expect((await run('resolve', ids[1] ?? '', '--not-applied')).lines).toMatchObject([{ resolved: true }])
      const answers = [await pay(http, 'a', paid), await pay(http, 'b', paid)]
      expect(answers).toContainEqual([200, '{"id":"ch_9"}'])
      expect(answers).toContainEqual([201, 'paid'])
    }, 60_000)

    test('erases what was said, by key and by scope, and it is not executed again', async () => {
      const { http, run } = world
      await pay(http, 'd', paid)
      await pay(http, 'e', paid)
      expect((await run('erase', '--scope', 'acct_1', '--key', 'd')).lines).toEqual([{ erased: 1 }])
      expect(await pay(http, 'd', paid)).toEqual([409, expect.stringContaining('response_unavailable')])
      expect(await pay(http, 'e', paid)).toEqual([201, 'paid'])
      expect((await run('erase', '--scope', 'acct_2')).lines).toEqual([{ erased: 0 }])
      await run('erase', '--scope', 'acct_1')
      expect((await pay(http, 'e', paid))[0]).toBe(409)
    }, 60_000)

    test('reaps what has expired', async () => {
      const { store, run } = world
      await using short = createIdempotency({ store, ttl: 1 })
      for (const key of ['f', 'g', 'h']) await short.run({ scope: 'acct_9', key, input: 0 }, paid)
      // Redis deletes by itself.
      const counts = [await run('reap', '--limit', '2'), await run('reap')].map(({ lines }) => lines)
      expect(counts).toEqual(
        kind === 'redis' ? [[{ reaped: 0 }], [{ reaped: 0 }]] : [[{ reaped: 2 }], [{ reaped: 1 }]],
      )
      expect((await run('ls', '--scope', 'acct_9')).lines).toEqual([])
    }, 60_000)

    test('goes on with abandoned operations of a module, and says what became of each', async () => {
      const { run, runWith } = world
      const complete = ['complete', '--module', operations]
      await abandon(world, 'charge', 1)
      await abandon(world, 'charge', 2)
      await abandon(world, 'once', 3)
      expect(await run(...complete, '--limit', '1')).toMatchObject({
        lines: [{ outcome: expect.any(String) }],
      })
      const down = await runWith({ BANK: 'down' }, ...complete)
      expect(down.status).toBe(1)
      // The bank of `once` keeps no keys: its call is not made again.
      expect(outcomesOf(down.lines)).toContain('once uncertain')
      const up = await run(...complete)
      expect(up.status).toBe(1)
      expect(outcomesOf(up.lines)).toContain('once uncertain')
      const { lines } = await run('ls', '--scope', 'acct_7')
      expect(lines.map(({ operation, state }) => `${String(operation)} ${String(state)}`).toSorted()).toEqual(
        ['charge completed', 'charge completed', 'once uncertain'],
      )
      expect(await runWith({ BANK: 'asked' }, ...complete)).toMatchObject({
        status: 0,
        lines: [{ operation: 'once', outcome: 'completed' }],
      })
      expect(await run(...complete)).toMatchObject({ status: 0, lines: [] })
    }, 90_000)

    test('makes the tables, as often as it is asked, and the doctor finds nothing wrong', async () => {
      const { run } = world
      for (let time = 0; time < 2; time++) {
        expect(
          await run('migrate', '--table', 'second', ...(kind === 'redis' ? [] : ['--outbox', 'jobs'])),
        ).toMatchObject({
          status: 0,
          lines: [{ migrated: kind !== 'redis' }],
        })
      }
      const healthy = await run(
        'doctor',
        '--table',
        'second',
        ...(kind === 'redis' ? [] : ['--outbox', 'jobs']),
      )
      expect(healthy).toMatchObject({ status: 0, lines: [] })
    }, 60_000)

    test('the doctor tells of what waits for a person, and since when', async () => {
      const before = Date.now()
      for (let time = 0; time < 2; time++) {
        await pay(world.http, 'in doubt', () => Promise.reject(new Error('half of it was done')))
      }
      const { status, lines } = await world.run('doctor')
      const told = lines.find(({ subject }) => subject === 'uncertain')
      expect([status, told?.['severity']]).toEqual([0, 'warning'])
      const [, since = ''] =
        /^[1-9]\d* records are uncertain, the oldest since (\S+):/.exec(String(told?.['message'])) ?? []
      expect(Date.parse(since)).toBeLessThanOrEqual(Date.now() + 1000)
      expect(Date.parse(since)).toBeGreaterThan(before - 600_000)
    }, 60_000)

    test('settles nothing by secrets that are not those of the store', async () => {
      const { http, store, run, runWith } = world
      await pay(http, 'answered', paid)
      await pay(http, 'in doubt', () => Promise.reject(new Error('the bank is down')))
      const [record] = await store.list({ limit: 1, state: 'uncertain' })
      const id = record?.id ?? ''
      for (const other of [
        undefined,
        '2027:s3cret-of-at-least-16-bytes',
        '2026:another-of-at-least-16-bytes',
      ]) {
        const ran = await runWith({ IDEMPOTENCY_SECRETS: other }, 'resolve', id, '--applied', '1')
        expect(ran.status).toBe(1)
        expect(ran.said).toMatch(/IDEMPOTENCY_SECRETS are not those of this store/)
        expect(ran.said).not.toContain('of-at-least-16-bytes')
      }
      expect((await run('resolve', id, '--applied', '1')).lines).toMatchObject([{ resolved: true }])
      expect(await pay(http, 'in doubt', paid)).toEqual([200, '1'])
    }, 60_000)

    test('tells wrong use from failure by its exit status', async () => {
      const { run, runWith } = world
      const wrong = await Promise.all([
        run('show', 'x'),
        run('show', 'x', 'y'),
        run('ls', '--state', 'lost'),
        run('resolve', 'x', '--applied', '{'),
        run('doctor', '--table', 'no table'),
        runWith({ IDEMPOTENCY_SECRETS: secret }, 'erase', '--scope', 'acct_1', '--key', 'k'),
        runWith({ IDEMPOTENCY_SECRETS: `1:${secret}` }, 'erase', '--scope', 'acct_1', '--key', 'k'),
        // Of a secret that was not found, most likely.
        runWith({ IDEMPOTENCY_SECRETS: '' }, 'erase', '--scope', 'acct_1', '--key', 'k'),
        run('ls', 'uncertain'),
        run('doctor', 'x'),
        // With no --key it would be all of the scope.
        run('erase', '--scope', 'acct_1', 'k'),
      ])
      expect(wrong.map(({ status }) => status)).toEqual(wrong.map(() => 2))
      for (const { said } of wrong) expect(said).not.toContain(secret)
      // An id of before, which began as an option does, is looked for as any other.
      const old = await run('show', '-KgawUAbU3zMkFoilGlPop')
      expect(old.said).toContain('there is no record "-KgawUAbU3zMkFoilGlPop"')
    }, 60_000)
  })
}

/** An operation that was left by its caller in its first phase. */
async function abandon(world: World, operation: string, input: number): Promise<void> {
  await using idempotency = createIdempotency({
    store: world.store,
    secrets: [{ id: '2026', value: 's3cret-of-at-least-16-bytes' }],
  })
  const phases = idempotency.operation<number>(operation).call('charged', {
    retention: '24h',
    run: () => Promise.reject(new RangeError('the caller gives up')),
  })
  const attempt = phases.execute({ scope: 'acct_7', key: `${operation}-${input}`, input })
  await expect(attempt).rejects.toThrow(RangeError)
}

function outcomesOf(lines: readonly Record<string, unknown>[]): readonly string[] {
  return lines.map(({ operation, outcome }) => `${String(operation)} ${String(outcome)}`)
}

describe('the command', () => {
  test.each([
    ['no command', [], 'name a command'],
    ['another command', ['list'], 'name a command'],
    ['no store', ['ls'], '--store'],
    ['an option that is none', ['ls', '--verbose'], '--verbose'],
    ['an option without its value', ['ls', '--scope'], '--scope'],
    ['a database that is not there', ['ls', '--store', 'sqlite:/no/such.db'], 'migrate makes one'],
    ['no database', ['migrate', '--store', 'sqlite:'], 'no database'],
    ['a store that is none', ['ls', '--store', `mysql://root:${secret}@h/d`], '--store must begin with'],
    ['no module', ['complete'], '--module'],
    ['a module that is not there', ['complete', '--module', './no-such.js'], 'no-such'],
    [
      'a module without an idempotency',
      ['complete', '--module', import.meta.filename.replace('cli.test', 'world')],
      'exports no idempotency',
    ],
    ['a pause that is none', ['complete', '--module', operations, '--abandoned', 'soon'], 'pickUpAfter'],
    ['an outbox in Redis', ['migrate', '--store', 'redis://127.0.0.1:1', '--outbox', 'jobs'], '--outbox'],
  ])('%s is wrong use', async (_, args, said) => {
    const ran = await runCli(args, { IDEMPOTENCY_STORE: '', IDEMPOTENCY_SECRETS: undefined })
    expect(ran.status).toBe(2)
    expect(ran.said).toContain(said)
    expect(ran.said).not.toContain(secret)
  })

  test.each([`postgres://u:${encodeURIComponent(secret)}@127.0.0.1:1/d`, 'redis://127.0.0.1:1'])(
    'a server that is down is a failure, and says so: %s',
    async (url) => {
      const ran = await runCli(['ls', '--store', url], {})
      expect(ran.status).toBe(1)
      expect(ran.said).toMatch(/^stripe-idempotency: .*(ECONNREFUSED|closed|max retries)/)
      expect(ran.said).not.toContain('secret')
    },
  )

  test('finds what is open behind any number of newer answers', async () => {
    await using world = await openWorld('sqlite')
    await pay(world.http, 'a', lost)
    expect(await pay(world.http, 'a', paid)).toEqual([409, expect.stringContaining('idempotency_uncertain')])
    const id = (await world.store.list({ limit: 1 }))[0]?.id ?? ''
    const database = new DatabaseSync(world.url.slice('sqlite:'.length))
    database.exec(`WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 100000)
      INSERT INTO idempotency_record SELECT scope, 'key ' || n, 'id ' || n, endpoint, fingerprint, 'completed', 1, owner, 0,
        created_at + 1, expires_at, NULL, NULL, NULL, x'00', NULL, 0, created_at FROM idempotency_record, n`)
    database.close()
    expect((await world.run('show', id)).lines).toMatchObject([{ id, state: 'uncertain' }])
    expect((await world.run('resolve', id, '--not-applied')).lines).toMatchObject([{ id, resolved: true }])
    expect(await world.run('show', id)).toMatchObject({
      status: 2,
      said: expect.stringContaining('no record'),
    })
  }, 60_000)

  test('help is an answer', async () => {
    expect(await runCli(['--help'], {})).toMatchObject({ status: 0, said: expect.stringContaining('doctor') })
  })
})

describe.skipIf(skipWithout('postgres'))('the command, where only postgres has it', () => {
  test('says which table is missing', async () => {
    await using world = await openWorld('postgres')
    expect(await world.run('doctor', '--outbox', 'no_outbox')).toMatchObject({
      status: 1,
      lines: [{ severity: 'error', subject: 'no_outbox' }],
    })
    expect(await world.run('ls', '--table', 'nothing')).toMatchObject({
      status: 1,
      said: expect.stringContaining('migrate'),
    })
  }, 180_000)
})

describe.skipIf(skipWithout('redis'))('the command, where only redis has it', () => {
  test('examines a Redis that evicts, and uses it for nothing else', async () => {
    await using world = await openWorld('redis')
    const client = new Redis(world.url)
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    try {
      expect(await world.run('doctor')).toMatchObject({
        status: 1,
        lines: [{ severity: 'error', subject: 'maxmemory-policy' }],
      })
      expect(await world.run('ls')).toMatchObject({
        status: 2,
        said: expect.stringContaining('maxmemory-policy'),
      })
    } finally {
      await client.config('SET', 'maxmemory-policy', 'noeviction')
      client.disconnect()
    }
  }, 180_000)
})
