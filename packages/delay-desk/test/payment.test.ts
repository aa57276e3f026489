import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { postgres, skipWithout } from '@loadbearing/harness/services'
import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { DeskProcess } from './desk-process.ts'
import { flightsFile, newFolder, removeFolders } from './folders.ts'

// The desk and its bank as processes that die; what they have written is read by queries that share nothing with them.

afterAll(removeFolders)

const main = new URL('../src/main.ts', import.meta.url)
/** Every run waits for leases to end and for processes to start, on a machine that may have much to do. */
const patient = { timeout: 120_000 }
/** 600 flights, each owed 15 but every tenth. */
const flights = flightsFile(Array.from({ length: 600 }, (_, n) => ({ delay: n % 10 === 0 ? 0 : 60 })))
const owed = Array.from({ length: 600 }, (_, claim) => claim).filter((claim) => claim % 10 !== 0)

interface Found {
  readonly status: number | string | null
  readonly stdout: string
  readonly stderr: string
  readonly folder: string
}

async function run(...args: readonly string[]): Promise<Found> {
  const folder = join(newFolder(), 'kept')
  const files = ['flights=file', `flights.path=${flights}`, `keep=${folder}`]
  const desk = new DeskProcess(main, ['desk.workers=3', ...files, ...args])
  const status = await desk.ended()
  const { stdout, stderr } = desk
  return { status, stdout, stderr, folder }
}

/** Claims as the bank's ledger has them, each transfer by itself. */
function ledgerIn(folder: string): { claim: number; cents: number; id: string }[] {
  using database = new DatabaseSync(join(folder, 'bank-ledger.sqlite'))
  return database
    .prepare(
      "SELECT CAST(replace(transfer_group, 'claim_', '') AS INTEGER) AS claim, amount, id FROM transfer ORDER BY 1",
    )
    .all()
    .map(({ claim, amount, id }) => ({ claim: Number(claim), cents: Number(amount), id: String(id) }))
}

/** Claims as the desk's books have them, and how many records of keys are in which state. */
function booksIn(folder: string): { booked: unknown[]; records: Record<string, unknown> } {
  using database = new DatabaseSync(join(folder, 'desk.sqlite'))
  const states = database
    .prepare('SELECT state, count(*) AS count FROM idempotency_record GROUP BY state')
    .all()
  return {
    booked: database
      .prepare('SELECT claim, amount * 100 AS cents, transfer AS id FROM booking ORDER BY claim')
      .all()
      .map((row) => ({ ...row })),
    records: Object.fromEntries(states.map(({ state, count }) => [String(state), count])),
  }
}

/** Ledger and books have what is owed, once, to the last claim, by the same transfers; no operation is left open. */
function expectAgreement({ status, stdout, stderr, folder }: Found): void {
  expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' })
  const ledger = ledgerIn(folder)
  expect(ledger.map(({ claim, cents }) => [claim, cents])).toEqual(owed.map((claim) => [claim, 1500]))
  const { booked, records } = booksIn(folder)
  expect(booked).toEqual(ledger)
  expect(records).toEqual({ completed: owed.length })
  expect(stdout).toContain('600 claims decided, 540 paid, each once; differences: none')
}

function numbersOf({
  stdout,
}: Found): Record<'byDesk' | 'byBank' | 'before' | 'paid' | 'after' | 'deaths', number> {
  const number = (pattern: RegExp): number =>
    Number(pattern.exec(stdout)?.[1]?.replaceAll(',', '') ?? Number.NaN)
  return {
    byDesk: number(/([\d,]+) answered by the desk's records/),
    byBank: number(/answered by the desk's records, ([\d,]+) by the bank's/),
    before: number(/uncertain: ([\d,]+) before reconcile/),
    paid: number(/before reconcile \(([\d,]+) of them paid by the bank\)/),
    after: number(/uncertain: .*, ([\d,]+) after/),
    deaths: number(/deaths of the bank: (\d+)/),
  }
}

describe('a worker killed in the middle of a payment', patient, () => {
  test.each([
    ['taken', 'taken and not paid'],
    ['booked', 'booked and not asked of the bank'],
    ['called', 'asked of the bank and not booked as paid'],
    ['paid', 'paid and not reported'],
  ])('%s: another goes on, and ledger and books agree to the last claim', async (kill, state) => {
    const found = await run('scenario=calm', `desk.kill=${kill}`)
    expectAgreement(found)
    expect(found.stdout).toMatch(new RegExp(`is killed, batch \\d+ of its \\d+ ${state}\n`))
    const { byDesk, byBank, before } = numbersOf(found)
    expect(before).toBe(0)
    if (kill === 'called') expect(byBank).toBeGreaterThan(0)
    if (kill === 'paid') expect(byDesk).toBeGreaterThan(100)
  })
})

describe('a bank that dies in the middle of a payment', patient, () => {
  test.each(['received', 'begun', 'applied', 'kept'])(
    '%s: it is asked again with the same key, and ledger and books agree to the last claim',
    async (point) => {
      const found = await run(
        'scenario=calm',
        'bank=storm',
        'bank.fortune=null',
        'bank.retention=86400000',
        'bank.dies.times=2',
        'bank.dies.after=[20,60]',
        `bank.dies.at=[${point}]`,
        'desk.kill=nobody',
      )
      expectAgreement(found)
      const { deaths, byBank } = numbersOf(found)
      expect(deaths).toBe(2)
      if (point === 'kept') expect(byBank).toBeGreaterThan(0)
    },
  )
})

describe('what nobody knows is listed as uncertain, and settled by reconcile', patient, () => {
  // A bank that promises to keep no keys is called once: whoever comes after a crash may not ask again.
  const forgetful = ['scenario=calm', 'bank.retention=0']

  test('where the bank has paid', async () => {
    const found = await run(...forgetful, 'bank.lookups=closing', 'desk.kill=called')
    expectAgreement(found)
    const { before, paid, after } = numbersOf(found)
    expect(before).toBeGreaterThan(0)
    expect(paid).toBeGreaterThan(0)
    expect(after).toBe(0)
    expect(found.stdout).toMatch(
      /\n {4}uncertain: claim \d+: the bank has paid 15, the desk's books have 15 being paid\n/,
    )
  })

  test('where the bank has not been asked', async () => {
    const found = await run(...forgetful, 'bank.lookups=closing', 'desk.kill=booked')
    expectAgreement(found)
    const { before, after } = numbersOf(found)
    expect(before).toBeGreaterThan(0)
    expect(after).toBe(0)
    expect(found.stdout).toMatch(
      /\n {4}uncertain: claim \d+: the bank has not paid it, the desk's books have 15 being paid\n/,
    )
  })

  test('at once, where the bank’s books can be searched all day', async () => {
    const found = await run(...forgetful, 'desk.kill=called')
    expectAgreement(found)
    expect(numbersOf(found)).toMatchObject({ before: 0, after: 0 })
  })
})

describe('all of it together', patient, () => {
  test.each([1, 2])('in the storm of seed %d', async (seed) => {
    const found = await run(`seed=${seed}`, 'bank.dies.after=[20,60]')
    expectAgreement(found)
    expect(numbersOf(found)).toMatchObject({ deaths: 3, after: 0 })
  })

  test.skipIf(skipWithout('postgres'))('with the books in PostgreSQL', async () => {
    await using server = await postgres()
    const found = await run(
      'store=postgres',
      `store.url='${server.url}'`,
      'bank.dies.after=[20,60]',
      'bank.lookups=closing',
    )
    expect({ status: found.status, stderr: found.stderr }, found.stdout).toEqual({ status: 0, stderr: '' })
    const client = new pg.Client({ connectionString: server.url })
    await client.connect()
    try {
      const { rows: schemas } = await client.query(
        "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'delay_desk_%'",
      )
      const schema = String(schemas[0]?.nspname)
      const { rows: booked } = await client.query(
        `SELECT claim, amount * 100 AS cents, transfer AS id FROM ${schema}.booking ORDER BY claim`,
      )
      const ledger = ledgerIn(found.folder)
      expect(booked).toEqual(ledger)
      expect(ledger.map(({ claim, cents }) => [claim, cents])).toEqual(owed.map((claim) => [claim, 1500]))
      const { rows: states } = await client.query(`SELECT DISTINCT state FROM ${schema}.idempotency_record`)
      expect(states).toEqual([{ state: 'completed' }])
    } finally {
      await client.end()
    }
  })
})

test('a folder to keep the books in must be new', async () => {
  const folder = newFolder()
  const desk = new DeskProcess(main, ['flights=file', `flights.path=${flights}`, `keep=${folder}`])
  expect(await desk.ended()).toBe(1)
  expect(desk.stderr).toMatch(/^delay-desk: the desk's books cannot be made: EEXIST.*\n$/)
})
