import { once } from 'node:events'
import { request } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { eventually } from '@loadbearing/harness/faults'
import { Stripe } from 'stripe'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DeathPoint } from '../src/bank-deaths.ts'
import { BankLine, deskSecret } from '../src/bank-line.ts'
import type { BankNature } from '../src/configuration.ts'
import { StatusError } from '../src/json-call.ts'
import { Ledger } from '../src/ledger.ts'
import { OpenBank } from '../src/open-bank.ts'
import { newFolder, removeFolders } from './folders.ts'

const program = new URL('../src/bank.ts', import.meta.url)
const calm: BankNature = {
  name: 'calm',
  fortune: null,
  dies: null,
  retention: 86_400_000,
  lookups: 'always',
}

let shared: OpenBank
beforeAll(async () => {
  shared = await openBank(newFolder(), calm)
})
afterAll(async () => {
  await shared[Symbol.asyncDispose]()
  removeFolders()
})

function openBank(folder: string, nature: BankNature): Promise<OpenBank> {
  return OpenBank.open(program, { folder, takesAway: null, seed: 1, nature })
}

function stripe(secret: string = deskSecret): Stripe {
  const port = new URL(shared.url).port
  return new Stripe(secret, { host: '127.0.0.1', port, protocol: 'http', maxNetworkRetries: 0 })
}

/** An order of a claim that no other test pays. */
function newOrder(): typeof order & { transfer_group: string } {
  return { ...order, transfer_group: `claim_${claims++}` }
}
const order = { amount: 25_000, currency: 'eur', destination: 'acct_passenger' }
let claims = 100_000

function newKey(): { idempotencyKey: string } {
  return { idempotencyKey: crypto.randomUUID() }
}

async function paid({ transfer_group }: { readonly transfer_group: string }): Promise<string[]> {
  return (await stripe().transfers.list({ transfer_group })).data.map(({ id }) => id)
}

/** What the ledger holds, read from its file. */
function ledger(folder: string): unknown[] {
  using database = new DatabaseSync(join(folder, 'bank-ledger.sqlite'))
  return database
    .prepare('SELECT transfer_group, amount FROM transfer ORDER BY place')
    .all()
    .map((row) => ({ ...row }))
}

describe('the client of Stripe', () => {
  test('pays once for each key, and is told of the replay', async () => {
    const [asked, key] = [newOrder(), newKey()]
    const first = await stripe().transfers.create(asked, key)
    const second = await stripe().transfers.create(asked, key)
    expect(first).toMatchObject({ object: 'transfer', amount: 25_000, currency: 'eur' })
    expect(second.id).toBe(first.id)
    expect(first.lastResponse.headers['idempotent-replayed']).toBeUndefined()
    expect(second.lastResponse.headers['idempotent-replayed']).toBe('true')
    const third = await stripe().transfers.create(asked, newKey())
    expect(await paid(asked)).toEqual([third.id, first.id])
  })

  test('pays one of many that come at the same time with one key', async () => {
    const [asked, key] = [newOrder(), newKey()]
    const all = Array.from({ length: 20 }, () =>
      stripe()
        .transfers.create(asked, key)
        .then(
          ({ id }) => id,
          (error: unknown) => Reflect.get(Object(error), 'code'),
        ),
    )
    const ids = new Set((await Promise.all(all)).filter((each) => each !== 'idempotency_key_in_use'))
    expect([...ids]).toEqual(await paid(asked))
  })

  test('is refused another amount with the same key', async () => {
    const [asked, key] = [newOrder(), newKey()]
    await stripe().transfers.create(asked, key)
    await expect(stripe().transfers.create({ ...asked, amount: 1 }, key)).rejects.toMatchObject({
      type: 'StripeIdempotencyError',
      statusCode: 400,
    })
    expect(await paid(asked)).toHaveLength(1)
  })

  test.each<[string, object, string, string]>([
    ['no amount', { amount: '' }, 'parameter_missing', 'amount'],
    ['an amount of nothing', { amount: 0 }, 'parameter_invalid_integer', 'amount'],
    ['half a cent', { amount: 1.5 }, 'parameter_invalid_integer', 'amount'],
    ['no currency', { currency: 'euros' }, 'parameter_invalid', 'currency'],
    ['what there is not', { tip: 5 }, 'parameter_unknown', 'tip'],
    ['a prototype', { '__proto__[x]': 1 }, 'parameter_unknown', '__proto__[x]'],
  ])('is refused %s, and the key is as new', async (_, change, code, param) => {
    const [asked, key] = [newOrder(), newKey()]
    await expect(stripe().transfers.create({ ...asked, ...change }, key)).rejects.toMatchObject({
      type: 'StripeInvalidRequestError',
      statusCode: 400,
      code,
      param,
    })
    const { id } = await stripe().transfers.create(asked, key)
    expect(await paid(asked)).toEqual([id])
  })

  test('is refused with a wrong secret, which is not told back', async () => {
    const error: unknown = await stripe('sk_test_other')
      .transfers.list()
      .catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ type: 'StripeAuthenticationError', statusCode: 401 })
    expect(JSON.stringify(error)).not.toContain('sk_test_other')
  })

  test('walks through the pages of a list', async () => {
    const asked = newOrder()
    const made: string[] = []
    for (let n = 0; n < 7; n++) made.unshift((await stripe().transfers.create(asked)).id)
    const walked: string[] = []
    const { transfer_group } = asked
    for await (const { id } of stripe().transfers.list({ limit: 3, transfer_group })) walked.push(id)
    expect(walked).toEqual(made)
  })
})

test.each([
  [404, 'PUT', '/v1/transfers', ''],
  [404, 'GET', '/v1/charges', ''],
  [400, 'GET', '/v1/transfers?limit=0', ''],
  [400, 'GET', '/v1/transfers?limit=many', ''],
  [400, 'GET', '/v1/transfers?starting_after=tr_none', ''],
  [413, 'POST', '/v1/transfers', `amount=${'1'.repeat(2 ** 21)}`],
  [400, 'POST', '/v1/transfers', '{"amount":5}'],
])('answers %d to %s %s, as Stripe says it', async (status, method, path, body) => {
  const headers = { authorization: `Bearer ${deskSecret}`, 'idempotency-key': crypto.randomUUID() }
  const sent = request(`${shared.url}${path}`, { method, headers })
  sent.on('error', () => {})
  sent.end(body)
  const [response] = await once(sent, 'response')
  expect(response.statusCode).toBe(status)
  expect(JSON.parse(await text(response))).toMatchObject({
    error: { type: 'invalid_request_error', message: expect.stringMatching(/./) },
  })
})

test('the desk pays in whole units, and finds what it has paid by claim and key', async () => {
  const line = new BankLine(shared.url)
  const first = await line.transfer({ claim: 3, amount: 250, currency: 'eur' }, 'k3')
  expect(first.replayed).toBe(false)
  expect(await line.transfer({ claim: 3, amount: 250, currency: 'eur' }, 'k3')).toEqual({
    ...first,
    replayed: true,
  })
  expect(await line.find(3, 'k3')).toBe(first.id)
  expect(await line.find(3, 'other')).toBeUndefined()
  expect(await line.find(4, 'k3')).toBeUndefined()
})

test('the desk reads the whole ledger, page by page', async () => {
  const folder = newFolder()
  const line = await fill(folder, 2500)
  await using bank = await openBank(folder, calm)
  const statement = await new BankLine(bank.url).statement()
  expect(statement.toReversed()).toEqual(line)
})

test('a bank whose books are closed by day shows them at night', async () => {
  await using bank = await openBank(newFolder(), { ...calm, lookups: 'closing' })
  const line = new BankLine(bank.url)
  const { id } = await line.transfer({ claim: 3, amount: 250, currency: 'eur' }, 'k3')
  await expect(line.find(3, 'k3')).rejects.toThrow(StatusError)
  bank.closeDay()
  await eventually(async () => (await line.find(3, 'k3')) === id)
})

test('what was confirmed is in the ledger and its key is known after SIGKILL, on the same port', async () => {
  const folder = newFolder()
  {
    await using bank = await openBank(folder, calm)
    const line = new BankLine(bank.url)
    const { id } = await line.transfer({ claim: 7, amount: 400, currency: 'eur' }, 'k7')
    process.kill(bank.pid, 'SIGKILL')
    await eventually(() => bank.deaths === 1)
    await eventually(async () => (await line.find(7, 'k7')) === id)
    expect(await line.transfer({ claim: 7, amount: 400, currency: 'eur' }, 'k7')).toEqual({
      id,
      replayed: true,
    })
  }
  expect(ledger(folder)).toEqual([{ transfer_group: 'claim_7', amount: 40_000 }])
})

test.each<[DeathPoint, boolean, boolean]>([
  ['received', false, false],
  ['begun', false, false],
  ['applied', true, false],
  ['kept', true, true],
])('a bank that dies having %s a payment makes it once', async (point, isMade, isReplay) => {
  const folder = newFolder()
  {
    await using bank = await openBank(folder, { ...calm, dies: { times: 1, after: [0, 0], at: [point] } })
    const line = new BankLine(bank.url)
    const pay = (): ReturnType<BankLine['transfer']> =>
      line.transfer({ claim: 7, amount: 400, currency: 'eur' }, 'k7')
    await expect(pay()).rejects.toThrow(/ECONNRESET|socket hang up/)
    const statement = await eventually(() => line.statement())
    expect(statement).toEqual(isMade ? [[7, 400]] : [])
    // Until the lease of the process that died has ended the key is in use.
    const { replayed } = await eventually(pay)
    expect(replayed).toBe(isReplay)
  }
  expect(ledger(folder)).toEqual([{ transfer_group: 'claim_7', amount: 40_000 }])
})

test('a bank that cannot stay alive is given up', { timeout: 120_000 }, async () => {
  await using bank = await openBank(newFolder(), { ...calm, dies: { times: 0, after: [0, 0], at: ['kept'] } })
  for (let deaths = 1; deaths <= 11; deaths++) {
    const { pid } = bank
    process.kill(pid, 'SIGKILL')
    await eventually(() => bank.deaths === deaths && (deaths > 10 || bank.pid !== pid))
  }
  await expect(bank.failed).rejects.toMatchObject({ code: 'SERVICE_FAILED' })
})

/** A ledger of so many transfers. */
async function fill(folder: string, transfers: number): Promise<[number, number][]> {
  using database = new DatabaseSync(join(folder, 'bank-ledger.sqlite'))
  const filled = new Ledger(database)
  database.exec('BEGIN')
  const payments = Array.from({ length: transfers }, (_, claim): [number, number] => [claim, 15])
  for (const [claim] of payments)
    filled.apply(`tr_${claim}`, {
      ...order,
      amount: 1500,
      transferGroup: `claim_${claim}`,
      metadata: {},
    })
  database.exec('COMMIT')
  return payments
}
