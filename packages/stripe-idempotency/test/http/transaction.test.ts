import { Buffer } from 'node:buffer'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Child, startChild } from '@loadbearing/harness/faults'
import { postgres as postgresServer, type Service, skipWithout } from '@loadbearing/harness/services'
import {
  createIdempotency,
  type Exchanged,
  type HandlerContext,
  type HttpOptions,
  memoryStore,
  type TransactionalStore,
  transactionOf,
} from '@loadbearing/stripe-idempotency'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Charges, postgresCharges, sqliteCharges } from './charges.ts'

const frameworks = ['express', 'hono'] as const

interface Served extends AsyncDisposable {
  readonly child: Child
  readonly url: string
}

async function serve(framework: string, kind: string, place: string): Promise<Served> {
  const child = await startChild(new URL('programs/transaction-server.ts', import.meta.url), {
    args: [framework, kind, place],
    execArgv: ['--conditions=@loadbearing/source'],
  })
  const line = await child.line('listening on', { within: '60s' })
  return {
    child,
    url: `http://127.0.0.1:${line.slice(line.lastIndexOf(' ') + 1)}/charges`,
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  }
}

function post(url: string, key: string, dies = ''): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'idempotency-key': key, 'x-dies': dies } })
}

/** Kills the server in the middle of a request, and asks another one for the same. */
async function killed(
  framework: string,
  kind: 'postgres' | 'sqlite',
  place: string,
  dies: string,
): Promise<Response> {
  const key = `${framework}, ${dies}`
  await using first = await serve(framework, kind, place)
  await expect(post(first.url, key, dies)).rejects.toThrow('fetch failed')
  expect(await first.child.exit).toMatchObject({ signal: 'SIGKILL' })
  await using second = await serve(framework, kind, place)
  const response = await post(second.url, key)
  await response.clone().arrayBuffer()
  return response
}

/** Asks an exchange whose handler writes a row, and answers as it is told. */
function asking<Transaction>(
  { store, insert }: Charges<Transaction>,
  options: Partial<HttpOptions> = {},
): (key: string | null, answer: (context: HandlerContext) => Promise<number>) => Promise<Exchanged> {
  const exchange = createIdempotency<Transaction>({ store, storeTimeout: '1s' }).http({
    mode: 'stripe-v1',
    ...options,
    transaction: true,
  })
  return (key, answer) =>
    exchange.answer(
      {
        method: 'POST',
        path: '/charges',
        query: '',
        headers: key === null ? [] : [['idempotency-key', key]],
        body: new Uint8Array(),
      },
      'acct_1',
      async (context) => {
        if (context.transaction?.store !== store) throw new Error('it has no transaction')
        // What a store gives is what its own transactions are.
        await insert(context.transaction.handle as Transaction)
        return { status: await answer(context), headers: [], body: Buffer.from('answered') }
      },
    )
}

const answers = (status: number) => async (): Promise<number> => status

async function cameTo(asked: Promise<Exchanged>): Promise<readonly [string, number]> {
  const { outcome, response } = await asked
  return [outcome, response.status]
}

function handlersIn<Transaction>(charges: () => Charges<Transaction>): void {
  test('commit their rows with the key and the answer, once', async () => {
    const ask = asking(charges())
    const before = await charges().count()
    expect(await cameTo(ask('once', answers(201)))).toEqual(['executed', 201])
    expect(await cameTo(ask('once', answers(201)))).toEqual(['replayed', 201])
    expect(await charges().count()).toBe(before + 1)
  })

  test('leave no rows where they answer 400 and above; that answer is kept', async () => {
    const ask = asking(charges())
    const before = await charges().count()
    for (const status of [402, 500]) {
      expect(await cameTo(ask(`fails ${status}`, answers(status)))).toEqual(['executed', status])
      expect(await cameTo(ask(`fails ${status}`, answers(201)))).toEqual(['replayed', status])
    }
    expect(await charges().count()).toBe(before)
  })

  test('leave nothing where nothing is kept: of v2, not executed, thrown', async () => {
    const before = await charges().count()
    const ofV2 = asking(charges(), { mode: 'stripe-v2' })
    expect(await cameTo(ofV2('again', answers(500)))).toEqual(['executed', 500])
    const ask = asking(charges())
    const refuse = async ({ notExecuted }: HandlerContext): Promise<number> => {
      notExecuted()
      return 422
    }
    expect(await cameTo(ask('again', refuse))).toEqual(['executed', 422])
    await expect(ask('again', () => Promise.reject(new Error('thrown')))).rejects.toThrow('thrown')
    expect(await charges().count()).toBe(before)
    for (const each of [ofV2, ask])
      expect(await cameTo(each('again', answers(201)))).toEqual(['executed', 201])
    expect(await charges().count()).toBe(before + 2)
  })

  test('have a transaction without a key of the client as well', async () => {
    const ask = asking(charges())
    const before = await charges().count()
    for (const status of [201, 500, 201]) await ask(null, answers(status))
    expect(await charges().count()).toBe(before + 2)
  })

  test('tell what became of them', async () => {
    const idempotency = createIdempotency<Transaction>({ store: charges().store })
    const told: string[] = []
    idempotency.on('outcome', ({ outcome }) => told.push(outcome))
    const exchange = idempotency.http({ mode: 'stripe-v1', transaction: true })
    const body = new Uint8Array()
    const headers = [['idempotency-key', 'told']] as const
    for (const status of [500, 200]) {
      const request = { method: 'POST', path: '/', query: '', headers, body }
      await exchange.answer(request, 'acct_1', async () => ({ status, headers: [], body }))
    }
    expect(told).toEqual(['executed', 'replayed'])
  })

  test('have their answer where the commit was carried out and its answer lost, and 503 where it was not', async () => {
    const lost = losing(charges().store)
    const ask = asking({ ...charges(), store: lost.store })
    const before = await charges().count()
    lost.next = 'answer'
    expect(await cameTo(ask('lost answer', answers(201)))).toEqual(['executed', 201])
    expect(await charges().count()).toBe(before + 1)
    lost.next = 'commit'
    expect(await cameTo(ask('lost commit', answers(201)))).toEqual(['store-unavailable', 503])
    expect(await charges().count()).toBe(before + 1)
    expect(await cameTo(ask('lost commit', answers(201)))).toEqual(['executed', 201])
    expect(await cameTo(ask('lost answer', answers(201)))).toEqual(['replayed', 201])
    expect(await charges().count()).toBe(before + 2)
  })

  test('are not begun where the store does not answer in time', async () => {
    const { store } = charges()
    const silent = over(store, {
      within: (transaction) => over(store.within(transaction), { claim: () => gate.promise }),
    })
    const gate = Promise.withResolvers<never>()
    const ask = asking({ ...charges(), store: silent })
    let begun = false
    const asked = ask('silent', async () => {
      begun = true
      return 201
    })
    expect(await cameTo(asked)).toEqual(['store-unavailable', 503])
    gate.reject(new Error('the connection was lost'))
    expect(begun).toBe(false)
  })
}

function over<Store extends object>(store: Store, changed: Partial<Store>): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(name in changed ? changed : target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** A store whose next transaction loses its commit, or the answer to it. */
function losing<Transaction>(store: TransactionalStore<Transaction>): {
  next: 'nothing' | 'answer' | 'commit'
  readonly store: TransactionalStore<Transaction>
} {
  const transient = new Error('lost')
  const loss = {
    next: 'nothing' as 'nothing' | 'answer' | 'commit',
    store: over<TransactionalStore<Transaction>>(store, {
      isTransient: (error) => error === transient,
      transaction: async (work, options) => {
        const { next } = loss
        loss.next = 'nothing'
        const result = await store.transaction(async (transaction) => {
          const done = await work(transaction)
          if (next === 'commit') throw transient
          return done
        }, options)
        if (next === 'answer') throw transient
        return result
      },
    }),
  }
  return loss
}

describe('handlers in a transaction of SQLite', () => {
  let folder: string
  let charges: ReturnType<typeof sqliteCharges>

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'idempotency-charges-'))
    charges = sqliteCharges(join(folder, 'charges.sqlite'))
  })
  afterAll(async () => {
    await charges[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })

  handlersIn(() => charges)

  test('a duplicate waits its turn', async () => {
    const ask = asking(charges)
    const both = await Promise.all([cameTo(ask('both', answers(201))), cameTo(ask('both', answers(201)))])
    expect(both).toEqual([
      ['executed', 201],
      ['replayed', 201],
    ])
  })

  test.each(frameworks)(
    'on %s, killed before the commit: nothing was done, and it is done again',
    async (each) => {
      const before = await charges.count()
      const response = await killed(each, 'sqlite', join(folder, 'charges.sqlite'), 'before-commit')
      expect([response.status, response.headers.get('idempotent-replayed')]).toEqual([201, null])
      expect(await charges.count()).toBe(before + 1)
    },
  )

  test.each(frameworks)(
    'on %s, killed between the commit and the answer: it has its answer',
    async (each) => {
      const before = await charges.count()
      const response = await killed(each, 'sqlite', join(folder, 'charges.sqlite'), 'after-commit')
      expect([response.status, response.headers.get('idempotent-replayed')]).toEqual([201, 'true'])
      expect(await response.json()).toEqual({ charged: true })
      expect(await charges.count()).toBe(before + 1)
    },
  )
})

describe.skipIf(skipWithout('postgres'))('handlers in a transaction of PostgreSQL', () => {
  let server: Service
  let charges: Awaited<ReturnType<typeof postgresCharges>>

  beforeAll(async () => {
    server = await postgresServer()
    charges = await postgresCharges(server.url)
  }, 120_000)
  afterAll(async () => {
    await charges?.[Symbol.asyncDispose]()
    await server?.stop()
  })

  test('one commit has the row, the key and the answer', async () => {
    expect(await charges.transactions()).toEqual([])
    expect(await cameTo(asking(charges)('one commit', answers(201)))).toEqual(['executed', 201])
    const wrote = await charges.transactions()
    expect(wrote).toHaveLength(2)
    expect(new Set(wrote).size).toBe(1)
  })

  handlersIn(() => charges)

  test('one at work is told of, or waited for', async () => {
    const [ask, waiting] = [asking(charges), asking(charges, { wait: '20s' })]
    const before = await charges.count()
    const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const first = ask('at work', async () => {
      begun.resolve()
      await gate.promise
      return 201
    })
    await begun.promise
    expect(await cameTo(ask('at work', answers(201)))).toEqual(['in-use', 409])
    const second = waiting('at work', answers(201))
    gate.resolve()
    expect(await cameTo(first)).toEqual(['executed', 201])
    expect(await cameTo(second)).toEqual(['replayed', 201])
    expect(await charges.count()).toBe(before + 1)
  })

  test('a statement that fails ends in the answer of the handler, which is kept', async () => {
    const ask = asking(charges)
    const before = await charges.count()
    const failing = async ({ transaction }: HandlerContext): Promise<number> => {
      const handle = Object(transaction?.handle)
      await expect(handle.query('SELECT 1 / $1::int', [0])).rejects.toThrow('division')
      return 500
    }
    expect(await cameTo(ask('divides', failing))).toEqual(['executed', 500])
    expect(await cameTo(ask('divides', failing))).toEqual(['replayed', 500])
    expect(await charges.count()).toBe(before)
  })

  test.each(frameworks)(
    'on %s, killed before the commit: nothing was done, and it is done again',
    async (each) => {
      const before = await charges.count()
      const response = await killed(each, 'postgres', server.url, 'before-commit')
      expect([response.status, response.headers.get('idempotent-replayed')]).toEqual([201, null])
      expect(await charges.count()).toBe(before + 1)
    },
  )

  test.each(frameworks)(
    'on %s, killed between the commit and the answer: it has its answer',
    async (each) => {
      const before = await charges.count()
      const response = await killed(each, 'postgres', server.url, 'after-commit')
      expect([response.status, response.headers.get('idempotent-replayed')]).toEqual([201, 'true'])
      expect(await response.json()).toEqual({ charged: true })
      expect(await charges.count()).toBe(before + 1)
    },
  )
})

test('a store without transactions is refused, and so is a request that is in none', async () => {
  const store = memoryStore()
  expect(() => createIdempotency({ store }).http({ mode: 'stripe-v1', transaction: true })).toThrow(
    'has no transactions',
  )
  await using charges = sqliteCharges(':memory:')
  expect(() => transactionOf({}, charges.store)).toThrow('in no transaction of this store')
})
